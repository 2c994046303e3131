// SPDX-License-Identifier: MIT
// What is freed goes back to the system: after one delay and one further call of the thread that had
// the memory, what is resident is within 2 MiB of what it was before.
#include "check.h"
#include "heap/heap.h"
#include "mimalloc.h"
#include "support/rng.h"
#include "support/threads.h"

#define TOLERANCE ((size_t)2 * 1024 * 1024)
#define TOTAL     ((size_t)120 * 1024 * 1024)
#define REST_MS   300 // the longest delay of the options, and time for a slow machine
#define BLOCKS    200000
#define THREADS   800

static void *blocks[BLOCKS];
static size_t block_count;

static size_t resident(void)
{
    size_t rss;
    mi_process_info(NULL, NULL, NULL, &rss, NULL, NULL, NULL, NULL);
    return rss;
}

static void fill(size_t smallest, size_t largest)
{
    rng_t rng = rng_from_seed(largest);
    size_t total = 0;
    for (block_count = 0; block_count < BLOCKS && total < TOTAL; block_count++) {
        size_t size = smallest + rng_size(&rng, largest - smallest);
        blocks[block_count] = mi_malloc(size);
        REQUIRE(blocks[block_count] != NULL);
        memset(blocks[block_count], 1, size);
        total += size;
    }
}

static void free_all(void)
{
    while (block_count > 0)
        mi_free(blocks[--block_count]);
}

static void rest_and_call_once(void)
{
    thread_sleep_ms(REST_MS);
    mi_free(mi_malloc(100));
}

static void check_is_back(size_t before)
{
    size_t now = resident();
    CHECK(now <= before + TOLERANCE);
    if (now > before + TOLERANCE)
        printf("    %zu KiB before, %zu KiB now\n", before / 1024, now / 1024);
}

// The record arrays and the first pages are there before anything is measured.
static size_t start(void)
{
    memset(blocks, 0, sizeof blocks);
    mi_free(mi_malloc(1));
    mi_collect(true);
    return resident();
}

static void check_range(size_t smallest, size_t largest)
{
    size_t before = start();
    fill(smallest, largest);
    CHECK(resident() > before + TOTAL / 8);
    free_all();
    rest_and_call_once();
    check_is_back(before);
}

TEST(small_blocks_come_back)
{
    check_range(16, 2000);
}

TEST(medium_blocks_come_back)
{
    check_range(1000, 60000);
}

TEST(one_block_of_each_medium_class_comes_back)
{
    size_t before = start();
    for (int round = 0; round < 3; round++) {
        for (size_t size = 1024; size <= 65536; size += size / 8)
            for (size_t i = 0; i < 600000 / size; i++) {
                blocks[block_count] = mi_malloc(size);
                memset(blocks[block_count++], 1, size);
            }
        free_all();
    }
    rest_and_call_once();
    check_is_back(before);
}

TEST(large_blocks_come_back)
{
    check_range(100000, 10000000);
}

// The last one is kept where it is for the next of its size.
TEST(a_large_block_taken_and_freed_again_and_again_comes_back)
{
    for (int rounds = 1; rounds < 40; rounds += 3) {
        size_t before = start();
        for (int i = 0; i < rounds; i++) {
            void *block = mi_malloc(TOTAL / 16);
            REQUIRE(block != NULL);
            memset(block, 1, TOTAL / 16);
            mi_free(block);
        }
        CHECK(resident() > before + TOTAL / 32);
        rest_and_call_once();
        check_is_back(before);
    }
}

// Two sizes in turn: only one of the blocks is kept.
TEST(large_blocks_of_two_sizes_in_turn_come_back)
{
    size_t before = start();
    for (int i = 0; i < 40; i++) {
        void *one = mi_malloc(TOTAL / 16);
        void *other = mi_malloc(TOTAL / 32);
        REQUIRE(one != NULL && other != NULL);
        memset(one, 1, TOTAL / 16);
        memset(other, 1, TOTAL / 32);
        mi_free(i % 2 == 0 ? one : other);
        mi_free(i % 2 == 0 ? other : one);
    }
    rest_and_call_once();
    check_is_back(before);
}

TEST(huge_blocks_come_back)
{
    check_range(20000000, 30000000);
}

TEST(memory_comes_back_when_a_few_calls_follow_the_frees)
{
    size_t before = start();
    fill(16, 2000);
    free_all();
    for (int i = 0; i < 20; i++)
        mi_free(mi_malloc(64 + (size_t)i * 16));
    rest_and_call_once();
    check_is_back(before);
}

// 8 MiB, so fast that no purge is due before they are free again.
static void fill_and_free_quickly(void)
{
    while (block_count < 8000) {
        blocks[block_count] = mi_malloc(1000);
        REQUIRE(blocks[block_count] != NULL);
        memset(blocks[block_count++], 1, 1000);
    }
    free_all();
}

static void call_often(int calls)
{
    for (int i = 0; i < calls; i++)
        mi_free(mi_malloc(64 + (size_t)(i % 16) * 16));
}

TEST(memory_comes_back_although_many_calls_have_looked_in_vain)
{
    fill_and_free_quickly();
    call_often(5000);
    size_t before = start();
    fill_and_free_quickly();
    call_often(20);
    rest_and_call_once();
    check_is_back(before);
}

static void one_short_thread(void *arg)
{
    (void)arg;
    void *mine[50];
    for (size_t i = 0; i < 50; i++) {
        mine[i] = mi_malloc(i * 300 + 1);
        memset(mine[i], 1, i * 300 + 1);
    }
    for (size_t i = 0; i < 50; i++)
        mi_free(mine[i]);
}

TEST(ended_threads_leave_nothing)
{
    thread_run(one_short_thread, NULL); // what the C library keeps of its first threads
    size_t before = start();
    for (int i = 0; i < THREADS; i++)
        thread_run(one_short_thread, NULL);
    rest_and_call_once();
    check_is_back(before);
}

static void fill_and_end(void *arg)
{
    size_t *range = arg;
    fill(range[0], range[1]);
}

TEST(what_an_ended_thread_left_comes_back_when_another_frees_it)
{
    size_t range[] = {16, 100000};
    thread_run(one_short_thread, NULL);
    size_t before = start();
    thread_run(fill_and_end, range);
    free_all();
    rest_and_call_once();
    check_is_back(before);
}

// ---- an idle thread ----

typedef struct idle {
    size_t range[2];
    _Atomic(int) step; // the owner works at 0, 2 and 4, the others at 1, 3 and 5
} idle_t;

static void await(_Atomic(int) *step, int wanted)
{
    while (mi_load_acquire(step) != wanted)
        thread_sleep_ms(1);
}

// What a thread has as long as it lives, its stacks first of all, is there before anything is
// measured: under Wine that is more than a MiB.
static void begin_idle(idle_t *idle)
{
    one_short_thread(NULL);
    mi_store_release(&idle->step, 1);
    await(&idle->step, 2);
    fill(idle->range[0], idle->range[1]);
    mi_store_release(&idle->step, 3);
    await(&idle->step, 4);
}

static void idle_owner(void *arg)
{
    idle_t *idle = arg;
    begin_idle(idle);
    rest_and_call_once();
    mi_store_release(&idle->step, 5);
    await(&idle->step, 6);
}

static void end_without_rest(void *arg)
{
    begin_idle(arg);
}

// Lets the thread fill and frees all of it; returns what was resident before.
static size_t free_for(thread_t *owner, thread_main_t *run, idle_t *idle)
{
    thread_start(owner, run, idle);
    await(&idle->step, 1);
    size_t before = start();
    mi_store_release(&idle->step, 2);
    await(&idle->step, 3);
    free_all();
    mi_store_release(&idle->step, 4);
    return before;
}

static void check_idle_owner(size_t smallest, size_t largest)
{
    idle_t idle = {{smallest, largest}, 0};
    thread_t owner;
    size_t before = free_for(&owner, idle_owner, &idle);
    await(&idle.step, 5);
    check_is_back(before);
    mi_store_release(&idle.step, 6);
    thread_join(&owner);
}

TEST(an_idle_threads_huge_blocks_come_back_when_another_frees_them)
{
    check_idle_owner(20000000, 30000000);
}

TEST(an_idle_threads_large_blocks_come_back_when_another_frees_them)
{
    check_idle_owner(100000, 10000000);
}

TEST(an_idle_threads_small_blocks_come_back_when_another_frees_them)
{
    check_idle_owner(16, 2000);
}

TEST(an_idle_threads_medium_blocks_come_back_when_another_frees_them)
{
    check_idle_owner(1000, 60000);
}

// Who frees what an idle thread has, before that one ends, gets it back by a call of its own.
TEST(what_others_have_freed_comes_back_after_its_owners_end)
{
    idle_t idle = {{16, 60000}, 0};
    thread_t owner;
    thread_run(one_short_thread, NULL);
    size_t before = start(); // without the owner, which will be gone
    (void)free_for(&owner, end_without_rest, &idle);
    thread_join(&owner);
    rest_and_call_once();
    check_is_back(before);
}

TEST_MAIN(
    RUN(an_idle_threads_small_blocks_come_back_when_another_frees_them)
        RUN(an_idle_threads_medium_blocks_come_back_when_another_frees_them) RUN(
            what_others_have_freed_comes_back_after_its_owners_end) RUN(small_blocks_come_back)
            RUN(medium_blocks_come_back) RUN(one_block_of_each_medium_class_comes_back)
                RUN(large_blocks_come_back) RUN(
                    a_large_block_taken_and_freed_again_and_again_comes_back)
                    RUN(large_blocks_of_two_sizes_in_turn_come_back) RUN(huge_blocks_come_back) RUN(
                        memory_comes_back_when_a_few_calls_follow_the_frees)
                        RUN(memory_comes_back_although_many_calls_have_looked_in_vain) RUN(
                            ended_threads_leave_nothing)
                            RUN(what_an_ended_thread_left_comes_back_when_another_frees_it) RUN(
                                an_idle_threads_huge_blocks_come_back_when_another_frees_them)
                                RUN(an_idle_threads_large_blocks_come_back_when_another_frees_them))
