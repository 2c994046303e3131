// SPDX-License-Identifier: MIT
// The guarded mode: which allocations get a guard page, from which heap, and when it stops.
#include "check.h"
#include "heap/heap.h"

static const size_t sizes[] = {1, 16, 100, 1000, 2000, 30000, 60000};
#define SIZES (sizeof sizes / sizeof sizes[0])

// A guarded block has a page of its own, at whose end it lies.
static bool is_guarded(const void *p)
{
    mi_page_t *page = mi_segment_page_of(mi_segment_map_start(p), p);
    size_t to_end =
        (mi_os_config.page_size - (uintptr_t)p % mi_os_config.page_size) % mi_os_config.page_size;
    return page->size_class == MI_CLASS_HUGE && page->has_guard &&
           to_end == mi_page_block_size(page) % mi_os_config.page_size;
}

// Of two blocks of each size.
static size_t count_guarded(mi_heap_t *heap)
{
    void *blocks[2 * SIZES];
    size_t count = 0;
    for (size_t i = 0; i < 2 * SIZES; i++) {
        blocks[i] = heap == NULL ? mi_malloc(sizes[i / 2]) : mi_heap_malloc(heap, sizes[i / 2]);
        count += is_guarded(blocks[i]);
    }
    for (size_t i = 0; i < 2 * SIZES; i++)
        mi_free(blocks[i]);
    return count;
}

TEST(every_block_of_the_default_heap_is_guarded_when_asked)
{
    CHECK_EQ(count_guarded(NULL), 0);
    mi_heap_guarded_set_sample_rate(mi_heap_get_default(), 1, 0);
    CHECK_EQ(count_guarded(NULL), 2 * SIZES);
    CHECK_EQ(count_guarded(mi_heap_get_default()), 2 * SIZES);
    mi_heap_guarded_set_sample_rate(mi_heap_get_default(), 0, 0);
    CHECK_EQ(count_guarded(NULL), 0);
}

TEST(every_block_of_a_heap_of_the_program_is_guarded_when_asked)
{
    mi_heap_t *heap = mi_heap_new();
    CHECK_EQ(count_guarded(heap), 0);
    mi_heap_guarded_set_sample_rate(heap, 1, 0);
    CHECK_EQ(count_guarded(heap), 2 * SIZES);
    CHECK_EQ(count_guarded(NULL), 0);
    mi_heap_guarded_set_sample_rate(heap, 0, 0);
    CHECK_EQ(count_guarded(heap), 0);
    mi_heap_destroy(heap);
}

TEST(one_block_in_so_many_is_guarded)
{
    enum { RATE = 10, BLOCKS = 1000 };
    mi_heap_t *heap = mi_heap_new();
    size_t count = 0;
    mi_heap_guarded_set_sample_rate(heap, RATE, 3);
    for (size_t i = 0; i < BLOCKS; i++) {
        void *p = mi_heap_malloc(heap, 50 + i % 2 * 3000);
        count += is_guarded(p);
        mi_free(p);
    }
    CHECK_EQ(count, BLOCKS / RATE);
    mi_heap_destroy(heap);
}

TEST(blocks_outside_of_the_bounds_are_not_guarded)
{
    mi_heap_t *heap = mi_heap_new();
    mi_heap_guarded_set_sample_rate(heap, 1, 0);
    mi_heap_guarded_set_size_bound(heap, 100, 2100);
    CHECK_EQ(count_guarded(heap), 2 * 3);
    mi_heap_destroy(heap);
}

TEST_MAIN(RUN(every_block_of_the_default_heap_is_guarded_when_asked)
              RUN(every_block_of_a_heap_of_the_program_is_guarded_when_asked)
                  RUN(one_block_in_so_many_is_guarded)
                      RUN(blocks_outside_of_the_bounds_are_not_guarded))
