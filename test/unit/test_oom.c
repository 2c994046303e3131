// SPDX-License-Identifier: MIT
// The system refuses memory: at its first call, at its second, ... until a program that uses every
// way into it gets through. Each time, who asked gets NULL and ENOMEM, nothing is lost, and as soon
// as there is memory again everything works. Each attempt is a child, since arenas stay.
#include "check.h"
#include "heap/heap.h"
#include "memory/arena.h"
#include "mimalloc.h"
#include "support/os_fault.h"
#include "support/stats.h"
#include "support/threads.h"

#include <errno.h>
#include <stdlib.h>

#define CALLS_MAX 400
#define THREADS   12
#define BLOCKS    64
#define ARENA     (64 * MI_MIB)

enum {
    GOT_THROUGH = 0,
    WAS_REFUSED = 1, // the fault happened, and all was as it must be
    WRONG = 2
};

static void *blocks[BLOCKS];
static size_t block_count;
static size_t refused; // allocations that gave NULL

static void fail(const char *what)
{
    printf("    %s\n", what);
    fflush(stdout);
    _Exit(WRONG);
}

// Keeps the block; a refusal must say why.
static void keep(void *p)
{
    if (p != NULL)
        blocks[block_count++] = p;
    else if (errno != ENOMEM)
        fail("errno is not ENOMEM");
    else
        refused++;
    errno = 0;
}

static void *touched(void *p, size_t size)
{
    if (p != NULL) {
        ((char *)p)[0] = 1;
        ((char *)p)[size - 1] = 1;
    }
    return p;
}

static void in_thread(void *arg)
{
    (void)arg;
    errno = 0;
    keep(touched(mi_malloc(50), 50));
    keep(touched(mi_malloc(300000), 300000));
}

static void grow(void)
{
    char *p = touched(mi_malloc(1000), 1000);
    for (size_t size = 4000; size < 3000000 && p != NULL; size *= 4) {
        char *larger = mi_realloc(p, size);
        if (larger == NULL && p[0] != 1)
            fail("a refused realloc changed the block");
        keep(larger == NULL ? NULL : mi_malloc(1));
        if (larger != NULL)
            p = touched(larger, size);
    }
    keep(p);
}

static void use_heap(void)
{
    mi_heap_t *heap = mi_heap_new();
    if (heap == NULL) {
        refused++;
        return;
    }
    for (size_t size = 16; size < 5000000; size *= 8) {
        errno = 0;
        if (touched(mi_heap_malloc(heap, size), size) == NULL) {
            refused++;
            if (errno != ENOMEM)
                fail("errno is not ENOMEM in a heap");
        }
    }
    mi_heap_destroy(heap);
}

static void scenario(void)
{
    errno = 0;
    keep(touched(mi_malloc(10), 10));
    keep(touched(mi_calloc(100, 1000), 100000));
    keep(touched(mi_malloc(12 * MI_MIB), 12 * MI_MIB));
    keep(touched(mi_malloc(20 * MI_MIB), 20 * MI_MIB));
    keep(touched(mi_malloc(3 * ARENA), 1)); // more than an arena has
    keep(touched(mi_malloc_aligned(1000, MI_MIB), 1000));
    keep(touched(mi_zalloc_aligned_at(70000, 64 * MI_MIB, 8), 70000));
    grow();
    use_heap();
    for (int i = 0; i < THREADS; i++)
        thread_run(in_thread, NULL);
    mi_collect(true);
}

static void free_all(void)
{
    while (block_count > 0)
        mi_free(blocks[--block_count]);
    mi_collect(true);
}

static void check_nothing_is_left(void)
{
    if (mi_stat_process_current(MI_STAT_segments) != 0)
        fail("segments are left");
    if (mi_stat_process_current(MI_STAT_segments_abandoned) != 0)
        fail("abandoned segments are left");
    for (size_t i = 0; i < mi_arena_count(); i++) {
        mi_arena_t *arena = mi_arena_at(i);
        for (size_t part = 0; arena != NULL && part < arena->part_count; part++)
            if (mi_bitmap_is_set(arena->in_use, part))
                fail("a part of an arena is left");
    }
    if (mi_stat_process_current(MI_STAT_committed) != 0)
        fail("committed memory is left");
}

static int attempt(size_t n, os_fault_t kind)
{
    os_be_strict();
    mi_option_set(mi_option_show_errors, 0);
    mi_option_set(mi_option_arena_reserve, (long)(ARENA / MI_KIB));
    os_fault_at(n, kind);
    scenario();
    bool was_hit = os_fault_calls() >= n;
    os_fault_at(0, OS_FAULT_ONCE);
    free_all();
    refused = 0;
    scenario();
    if (refused != 0)
        fail("there is memory again, but a call was refused");
    free_all();
    check_nothing_is_left();
    return was_hit ? WAS_REFUSED : GOT_THROUGH;
}

static const char *program;

static void attempt_all(const char *kind)
{
    int status = WAS_REFUSED;
    size_t n = 1;
    for (; n < CALLS_MAX && status == WAS_REFUSED; n += MI_TEST_STEP) {
        char number[24];
        snprintf(number, sizeof number, "%zu", n);
        status = process_run(program, number, kind);
        if (status != WAS_REFUSED)
            printf("    call %zu: status %d\n", n, status);
    }
    CHECK_EQ(status, GOT_THROUGH);
    CHECK(n > 10);
}

TEST(one_refused_call_is_survived_wherever_it_is)
{
    attempt_all("once");
}

TEST(memory_that_ends_anywhere_is_survived)
{
    attempt_all("forever");
}

static void run_tests(void)
{
    RUN(one_refused_call_is_survived_wherever_it_is)
    RUN(memory_that_ends_anywhere_is_survived)
}

// With a number and a kind it is a child of itself.
int main(int argc, char **argv)
{
    if (argc == 3)
        return attempt(strtoul(argv[1], NULL, 10),
                       strcmp(argv[2], "once") == 0 ? OS_FAULT_ONCE : OS_FAULT_FOREVER);
    program = argv[0];
    run_tests();
    printf("%u passed, %u failed\n", check_state.passed, check_state.failed);
    return check_state.failed != 0 || check_state.passed == 0;
}
