// SPDX-License-Identifier: MIT
// Walking over heaps while other threads have freed into them, and over what ended threads left: the
// walk counts right and leaves the heap's books in order.
#include "check.h"
#include "heap/heap.h"
#include "mimalloc.h"
#include "support/stats.h"
#include "support/threads.h"

#define COUNT 3000
#define SIZE  200

static void *blocks[COUNT];

typedef struct census {
    size_t areas;
    size_t used;
    size_t blocks;
} census_t;

static bool count(const mi_heap_t *heap, const mi_heap_area_t *area, void *block, size_t size,
                  void *arg)
{
    census_t *census = arg;
    (void)heap;
    (void)size;
    if (block == NULL) {
        census->areas++;
        census->used += area->used;
    } else {
        census->blocks++;
    }
    return true;
}

static void take_all(void *arg)
{
    (void)arg;
    for (int i = 0; i < COUNT; i++)
        blocks[i] = mi_malloc(SIZE);
}

static void free_all(void *arg)
{
    (void)arg;
    for (int i = 0; i < COUNT; i++)
        mi_free(blocks[i]);
}

static void free_some(void *arg)
{
    int *step = arg;
    for (int i = 0; i < COUNT; i += *step) {
        mi_free(blocks[i]);
        blocks[i] = NULL;
    }
}

static census_t census_of(const mi_heap_t *heap)
{
    census_t census = {0, 0, 0};
    CHECK(mi_heap_visit_blocks(heap, true, count, &census));
    CHECK_EQ(census.used, census.blocks);
    return census;
}

TEST(a_walk_counts_every_live_block_once)
{
    mi_heap_t *heap = mi_heap_new();
    for (int i = 0; i < COUNT; i++)
        blocks[i] = mi_heap_malloc(heap, SIZE);
    CHECK_EQ(census_of(heap).blocks, COUNT);
    for (int i = 0; i < COUNT; i += 2)
        mi_free(blocks[i]);
    CHECK_EQ(census_of(heap).blocks, COUNT / 2);
    mi_heap_destroy(heap);
}

TEST(a_walk_does_not_lose_pages_that_others_have_emptied)
{
    take_all(NULL);
    thread_run(free_all, NULL);
    CHECK_EQ(census_of(NULL).blocks, 0);
    mi_collect(true);
    CHECK_EQ(mi_stat_process_current(MI_STAT_segments), 0);
}

TEST(a_walk_keeps_the_count_of_empty_pages)
{
    mi_heap_t *heap = mi_heap_get_backing();
    for (int round = 0; round < 4; round++) {
        int step = 1;
        take_all(NULL);
        // Some by the owner first, so that pages are available when others empty them.
        for (int i = 0; i < COUNT; i += 3) {
            mi_free(blocks[i]);
            blocks[i] = NULL;
        }
        thread_run(free_some, &step);
        (void)census_of(heap);
        CHECK(heap->retained_slices <= heap->slice_count);
    }
    mi_collect(true);
    CHECK_EQ(heap->retained_slices, 0);
    CHECK_EQ(heap->slice_count, 0);
    CHECK_EQ(heap->page_count, 0);
}

static bool stop(const mi_heap_t *heap, const mi_heap_area_t *area, void *block, size_t size,
                 void *arg)
{
    (void)heap;
    (void)area;
    (void)block;
    (void)size;
    ++*(int *)arg;
    return false;
}

TEST(a_visitor_can_stop_the_walk)
{
    int calls = 0;
    void *p = mi_malloc(10);
    CHECK(!mi_heap_visit_blocks(NULL, true, stop, &calls));
    CHECK_EQ(calls, 1);
    mi_free(p);
}

static bool free_it(const mi_heap_t *heap, const mi_heap_area_t *area, void *block, size_t size,
                    void *arg)
{
    (void)heap;
    (void)area;
    (void)size;
    if (block != NULL) {
        mi_free(block);
        ++*(size_t *)arg;
    }
    return *(size_t *)arg < 10;
}

TEST(what_ended_threads_left_is_walked_and_may_be_freed)
{
    census_t census = {0, 0, 0};
    size_t freed = 0;
    mi_option_enable(mi_option_visit_abandoned);
    thread_run(take_all, NULL);
    CHECK(mi_abandoned_visit_blocks(mi_subproc_main(), -1, true, count, &census));
    CHECK_EQ(census.blocks, COUNT);
    CHECK(!mi_abandoned_visit_blocks(mi_subproc_main(), -1, true, free_it, &freed));
    CHECK_EQ(freed, 10);
    census = (census_t){0, 0, 0};
    CHECK(mi_abandoned_visit_blocks(mi_subproc_main(), -1, true, count, &census));
    CHECK_EQ(census.blocks, COUNT - 10);
}

TEST_MAIN(RUN(a_walk_counts_every_live_block_once)
              RUN(a_walk_does_not_lose_pages_that_others_have_emptied)
                  RUN(a_walk_keeps_the_count_of_empty_pages) RUN(a_visitor_can_stop_the_walk)
                      RUN(what_ended_threads_left_is_walked_and_may_be_freed))
