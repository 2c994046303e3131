// SPDX-License-Identifier: MIT
// A page's states and lists, and the segment that it is cut from, seen from inside.
#include "check.h"
#include "heap/grow.h"
#include "heap/heap.h"
#include "mimalloc.h"
#include "page/remote.h"
#include "support/stats.h"
#include "support/threads.h"

#define SIZE ((size_t)1000)

static mi_heap_t *heap;
static void *blocks[1000];

static mi_page_t *page_of(void *p)
{
    return mi_segment_page_at(mi_segment_of(p), p);
}

// A new heap whose first page of SIZE is full; the number of its blocks.
static size_t fill_a_page(void)
{
    heap = mi_heap_new();
    blocks[0] = mi_heap_malloc(heap, SIZE);
    mi_page_t *page = page_of(blocks[0]);
    size_t count = 1;
    while (count < page->reserved)
        blocks[count++] = mi_heap_malloc(heap, SIZE);
    for (size_t i = 0; i < count; i++)
        REQUIRE(page_of(blocks[i]) == page);
    CHECK_EQ(page->state, MI_PAGE_CURRENT);
    CHECK_EQ(page->free, NULL);
    blocks[count] = mi_heap_malloc(heap, SIZE);
    REQUIRE(page_of(blocks[count]) != page);
    CHECK_EQ(page->state, MI_PAGE_FULL);
    CHECK(mi_page_is_valid(page));
    CHECK_EQ(mi_page_used(page), count);
    return count;
}

TEST(a_full_page_becomes_available_when_an_eighth_came_back)
{
    size_t count = fill_a_page();
    mi_page_t *page = page_of(blocks[0]);
    size_t freed = 0;
    while (page->state == MI_PAGE_FULL && freed < count) {
        mi_free(blocks[freed++]);
        CHECK(mi_page_is_valid(page));
        CHECK_EQ(mi_page_used(page), count - freed);
    }
    CHECK_EQ(freed, count / 8);
    CHECK_EQ(page->state, MI_PAGE_AVAILABLE);
    CHECK_EQ(mi_page_queue_first(&heap->available[page->size_class]), page);
    mi_heap_destroy(heap);
}

TEST(an_empty_page_is_kept_and_counted_or_given_back)
{
    size_t count = fill_a_page();
    mi_page_t *page = page_of(blocks[0]);
    CHECK_EQ(heap->retained_slices, 0);
    for (size_t i = 0; i < count; i++)
        mi_free(blocks[i]);
    CHECK_EQ(page->state, MI_PAGE_RETAINED);
    CHECK_EQ(page->needed, 0);
    CHECK_EQ(heap->retained_slices, page->slice_count);
    mi_heap_collect(heap, true);
    CHECK_EQ(heap->retained_slices, 0);
    CHECK_EQ(heap->page_count, 1);
    mi_free(blocks[count]);
    mi_heap_collect(heap, true);
    CHECK_EQ(heap->page_count, 0);
    mi_heap_delete(heap);
}

static void free_one(void *p)
{
    mi_free(p);
}

TEST(a_block_freed_elsewhere_waits_until_the_owner_looks)
{
    size_t count = fill_a_page();
    mi_page_t *page = page_of(blocks[0]);
    thread_run(free_one, blocks[0]);
    CHECK(!mi_remote_is_empty(page));
    CHECK_EQ(mi_page_used(page), count);
    (void)mi_page_collect_remote(page);
    CHECK(mi_remote_is_empty(page));
    CHECK_EQ(page->free, blocks[0]);
    CHECK_EQ(mi_page_used(page), count - 1);
    CHECK(mi_page_is_valid(page));
    mi_heap_destroy(heap);
}

static size_t to_free;

static void free_some(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < to_free; i++)
        mi_free(blocks[i]);
}

TEST(a_full_pages_remote_blocks_are_used_before_a_fresh_page)
{
    size_t count = fill_a_page();
    mi_page_t *page = page_of(blocks[0]);
    mi_page_t *second = page_of(blocks[count]);
    to_free = count / 4;
    thread_run(free_some, NULL);
    // The second page's blocks first, then those that came back.
    void *p = NULL;
    for (size_t i = 0; i < second->reserved; i++)
        p = mi_heap_malloc(heap, SIZE);
    CHECK_EQ(page_of(p), page);
    CHECK_EQ(page->state, MI_PAGE_CURRENT);
    CHECK(mi_page_is_valid(page));
    mi_heap_destroy(heap);
}

TEST(a_collect_takes_the_few_blocks_that_others_have_freed_in_a_full_page)
{
    size_t count = fill_a_page();
    mi_page_t *page = page_of(blocks[0]);
    REQUIRE(page->needed > 1);
    thread_run(free_one, blocks[0]);
    mi_heap_collect(heap, false);
    CHECK(mi_remote_is_empty(page));
    CHECK_EQ(mi_page_used(page), count - 1);
    CHECK(mi_page_is_valid(page));
    mi_heap_destroy(heap);
}

TEST(an_empty_page_goes_to_another_class_that_wants_its_slices)
{
    enum { OTHER = 700 };
    mi_collect(true);
    size_t count = fill_a_page();
    mi_page_t *page = page_of(blocks[0]);
    size_t pages = heap->page_count;
    for (size_t i = 0; i < count; i++) {
        memset(blocks[i], 0xee, SIZE);
        mi_free(blocks[i]);
    }
    CHECK_EQ(page->state, MI_PAGE_RETAINED);
    unsigned char *p = mi_heap_zalloc(heap, OTHER);
    REQUIRE(p != NULL);
    CHECK_EQ(page_of(p), page);
    CHECK(page->block_size >= OTHER && page->block_size < SIZE);
    CHECK_EQ(page->size_class, mi_size_class(page->block_size));
    CHECK_EQ(page->state, MI_PAGE_CURRENT);
    CHECK_EQ(heap->retained_slices, 0);
    CHECK_EQ(heap->page_count, pages);
    for (size_t i = 0; i < OTHER; i++)
        REQUIRE(p[i] == 0);
    CHECK(mi_page_is_valid(page));
    CHECK(mi_segment_is_valid(mi_segment_of(p)));
    mi_heap_destroy(heap);
}

TEST(an_empty_page_of_one_block_is_given_back)
{
    enum { LARGE = 100000 };
    mi_collect(true);
    heap = mi_heap_new();
    void *first = mi_heap_malloc(heap, LARGE);
    void *second = mi_heap_malloc(heap, LARGE);
    REQUIRE(first != NULL && second != NULL);
    mi_page_t *page = page_of(first);
    REQUIRE(page->state == MI_PAGE_FULL);
    mi_free(first);
    CHECK_EQ(page->state, MI_PAGE_UNUSED);
    CHECK_EQ(heap->retained_slices, 0);
    mi_heap_destroy(heap);
}

TEST(a_page_emptied_by_others_serves_any_size)
{
    size_t count = fill_a_page();
    mi_page_t *page = page_of(blocks[0]);
    mi_page_t *second = page_of(blocks[count]);
    to_free = count;
    thread_run(free_some, NULL);
    CHECK_EQ(mi_page_used(page), count);
    for (size_t i = 0; i < second->reserved; i++)
        REQUIRE(mi_heap_malloc(heap, SIZE) != NULL);
    CHECK(mi_page_used(page) <= 1);
    CHECK(mi_remote_is_empty(page));
    mi_heap_destroy(heap);
}

TEST(a_large_block_freed_elsewhere_makes_room_for_the_next)
{
    enum { LARGE = 3 << 20 };
    mi_collect(true);
    heap = mi_heap_new();
    void *first = mi_heap_malloc(heap, LARGE);
    void *other = mi_heap_malloc(heap, LARGE);
    REQUIRE(first != NULL && other != NULL);
    thread_run(free_one, first);
    CHECK(!mi_remote_is_empty(page_of(first)));
    void *second = mi_heap_malloc(heap, LARGE - LARGE / 4);
    CHECK_EQ(second, first);
    mi_heap_destroy(heap);
}

// Secure builds end each page in a guard, and on 32 bits nobody knows that a page is wholly free.
#if MI_64BIT && !MI_SECURE
static void free_one_then_rest_then_all(void *unused)
{
    (void)unused;
    mi_free(blocks[0]);
    mi_os_sleep(200);
    for (size_t i = 1; i < to_free; i++)
        mi_free(blocks[i]);
}

static uintptr_t remote_first(const mi_page_t *page)
{
    return mi_remote_first(mi_load_relaxed(mi_page_remote(page)));
}

TEST(a_page_emptied_by_others_while_its_owner_rests_gives_its_memory_back)
{
    to_free = fill_a_page();
    mi_page_t *page = page_of(blocks[0]);
    thread_run(free_one_then_rest_then_all, NULL);
    CHECK_EQ(remote_first(page), MI_REMOTE_ALL);
    CHECK_EQ(mi_page_used(page), to_free);
    size_t pages = heap->page_count;
    mi_heap_collect(heap, false);
    CHECK_EQ(heap->page_count, pages - 1);
    // What comes after is zero where zeros are asked for.
    for (size_t i = 0; i < 4 * to_free; i++) {
        unsigned char *p = mi_heap_zalloc(heap, SIZE);
        REQUIRE(p != NULL);
        for (size_t k = 0; k < SIZE; k++)
            REQUIRE(p[k] == 0);
        memset(p, 0xee, SIZE);
        CHECK(mi_page_is_valid(page_of(p)));
    }
    mi_heap_destroy(heap);
}

TEST(a_current_page_emptied_by_others_is_cut_anew)
{
    size_t count = fill_a_page();
    mi_page_t *page = page_of(blocks[count]);
    // The second page has one block by now: fill it, it stays the current one.
    to_free = page->reserved;
    blocks[0] = blocks[count];
    for (size_t i = 1; i < to_free; i++)
        blocks[i] = mi_heap_malloc(heap, SIZE);
    REQUIRE(page_of(blocks[to_free - 1]) == page);
    CHECK_EQ(page->state, MI_PAGE_CURRENT);
    CHECK_EQ(page->free, NULL);
    thread_run(free_one_then_rest_then_all, NULL);
    CHECK_EQ(remote_first(page), MI_REMOTE_ALL);
    for (size_t i = 0; i < to_free; i++) {
        blocks[i] = mi_heap_malloc(heap, SIZE);
        CHECK_EQ(page_of(blocks[i]), page);
        memset(blocks[i], (int)i, SIZE);
    }
    CHECK_EQ(mi_page_used(page), to_free);
    CHECK(mi_page_is_valid(page));
    mi_heap_destroy(heap);
}

TEST(an_owner_that_does_not_rest_keeps_the_memory)
{
    to_free = fill_a_page();
    mi_page_t *page = page_of(blocks[0]);
    thread_run(free_some, NULL);
    CHECK(remote_first(page) > MI_REMOTE_ALL);
    CHECK_EQ(mi_remote_count(page), to_free);
    mi_heap_destroy(heap);
}
#endif

TEST(segments_count_their_pages_and_go_with_the_last)
{
    mi_collect(true);
    size_t before = (size_t)mi_stat_process_current(MI_STAT_segments);
    void *p = mi_malloc(SIZE);
    mi_segment_t *segment = mi_segment_of(p);
    uint32_t pages = segment->used_pages;
    CHECK(mi_segment_is_valid(segment));
    void *large = mi_malloc(MI_LARGE_MAX / 8); // fits the segment, whatever its size
    CHECK_EQ(mi_segment_of(large), segment);
    CHECK_EQ(segment->used_pages, pages + 1);
    CHECK_EQ(segment->free_slices + page_of(p)->slice_count + page_of(large)->slice_count +
                 MI_SEGMENT_INFO_SLICES + (pages - 1),
             MI_SLICES_PER_SEGMENT);
    CHECK(mi_segment_is_valid(segment));
    mi_free(large);
    mi_free(p);
    mi_collect(true);
    CHECK_EQ(mi_stat_process_current(MI_STAT_segments), before);
}

// Which slices of a segment may hold anything.
static bool is_dirty(mi_segment_t *segment, size_t slice)
{
    return mi_arena_is_dirty(&segment->range, slice);
}

TEST(slices_in_which_nothing_was_carved_stay_clean)
{
    mi_collect(true);
    void *p = mi_malloc(20000);
    mi_page_t *page = page_of(p);
    mi_segment_t *segment = mi_segment_of(p);
    size_t first = mi_page_index(page);
    size_t count = page->slice_count;
    REQUIRE(count > 2);
    REQUIRE(page->fresh_is_zero);
    mi_free(p);
    // A block elsewhere keeps the segment.
    void *other = mi_malloc(SIZE);
    REQUIRE(mi_segment_of(other) == segment);
    mi_heap_collect_pages(mi_heap_get_default(), MI_COLLECT_EMPTY);
    CHECK_EQ(page->state, MI_PAGE_UNUSED);
    CHECK(is_dirty(segment, first));
    CHECK(!is_dirty(segment, first + count - 1));
    mi_free(other);
}

TEST(memory_that_was_used_before_comes_first)
{
    mi_collect(true);
    mi_heap_t *first = mi_heap_new();
    mi_heap_t *second = mi_heap_new();
    void *p = mi_heap_malloc(first, SIZE);
    size_t used = mi_page_index(page_of(p));
    // Of a larger class, whose page would rather have more slices.
    void *above = mi_heap_malloc(first, SIZE);
    mi_heap_destroy(first);
    void *q = mi_heap_malloc(second, 7 * MI_KIB);
    CHECK_EQ(mi_segment_of(q), mi_segment_of(p));
    CHECK_EQ(mi_page_index(page_of(q)), used);
    CHECK_EQ(page_of(q)->used_before, 1);
    (void)above;
    mi_heap_destroy(second);
}

TEST(a_large_block_grows_where_it_is)
{
    mi_collect(true);
    char *p = mi_malloc(100000);
    mi_segment_t *segment = mi_segment_of(p);
    memset(p, 1, 100000);
    size_t slices = page_of(p)->slice_count;
    if (MI_PADDING) {
        CHECK(!mi_heap_grow(p, 1000000));
    } else {
        REQUIRE(mi_heap_grow(p, 1000000));
        CHECK(page_of(p)->slice_count > slices);
        CHECK_EQ(page_of(p + 900000), page_of(p));
        CHECK_EQ(page_of(p)->size_class, mi_size_class(1000000));
        CHECK(mi_usable_size(p) >= 1000000);
        CHECK_EQ(p[99999], 1);
        // Something is in the way, or it is too large for a segment with others.
        void *behind = mi_malloc(MI_LARGE_MAX / 4);
        if (mi_segment_of(behind) == segment && (char *)behind > p)
            CHECK(!mi_heap_grow(p, MI_LARGE_MAX));
        mi_free(behind);
    }
    CHECK(!mi_heap_grow(p, MI_LARGE_MAX + 1));
    CHECK(mi_segment_is_valid(segment));
    mi_free(p);
    CHECK(mi_segment_is_valid(segment));
}

TEST(a_huge_block_has_a_segment_of_its_own)
{
    size_t size = MI_SEGMENT_SIZE + 5;
    char *p = mi_malloc(size);
    mi_segment_t *segment = mi_segment_of(p);
    CHECK(segment->huge_size >= size);
    CHECK_EQ(segment->size, 2 * MI_SEGMENT_SIZE);
    CHECK_EQ(mi_segment_map_owner(p + MI_SEGMENT_SIZE), MI_OWNER_INTERIOR);
    CHECK_EQ(mi_segment_map_start(p + size - 1), segment);
    CHECK(mi_segment_is_valid(segment));
    mi_free(p);
    CHECK_EQ(mi_segment_map_owner(p), MI_OWNER_NOT_OURS);
}

#if MI_64BIT && !MI_SECURE
#define REST_TESTS                                                                                 \
    RUN(a_page_emptied_by_others_while_its_owner_rests_gives_its_memory_back)                      \
    RUN(a_current_page_emptied_by_others_is_cut_anew)                                              \
    RUN(an_owner_that_does_not_rest_keeps_the_memory)
#else
#define REST_TESTS
#endif

#define EMPTY_PAGE_TESTS                                                                           \
    RUN(an_empty_page_is_kept_and_counted_or_given_back)                                           \
    RUN(an_empty_page_goes_to_another_class_that_wants_its_slices)                                 \
    RUN(an_empty_page_of_one_block_is_given_back)

TEST_MAIN(RUN(a_full_page_becomes_available_when_an_eighth_came_back)
              EMPTY_PAGE_TESTS RUN(a_block_freed_elsewhere_waits_until_the_owner_looks)
                  RUN(a_full_pages_remote_blocks_are_used_before_a_fresh_page)
                      RUN(a_collect_takes_the_few_blocks_that_others_have_freed_in_a_full_page)
                          RUN(a_page_emptied_by_others_serves_any_size)
                              RUN(a_large_block_freed_elsewhere_makes_room_for_the_next)
                                  REST_TESTS RUN(segments_count_their_pages_and_go_with_the_last)
                                      RUN(slices_in_which_nothing_was_carved_stay_clean)
                                          RUN(memory_that_was_used_before_comes_first)
                                              RUN(a_large_block_grows_where_it_is)
                                                  RUN(a_huge_block_has_a_segment_of_its_own))
