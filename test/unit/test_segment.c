// SPDX-License-Identifier: MIT
// Segments by themselves: cutting pages, giving them back, changing hands, purging. A list of the
// test's own stands in for a thread's.
#include "check.h"
#include "heap/heap.h"
#include "memory/arena.h"
#include "support/options.h"
#include "support/stats.h"

#define KEY   ((uintptr_t)0x10000)
#define ROOM  (MI_SLICES_PER_SEGMENT - MI_SEGMENT_INFO_SLICES)
#define ARENA (2 * MI_SEGMENT_SIZE)

static mi_segments_t list;

static void begin(void)
{
    mi_option_set(mi_option_purge_delay, 1000);
    mi_free(mi_malloc(1));
    mi_collect(true);
    mi_segments_init(&list, KEY, NULL);
}

static size_t segment_count(void)
{
    return (size_t)mi_stat_process_current(MI_STAT_segments);
}

// A page of one block that fills it.
static mi_page_t *cut_from(mi_page_source_t source, size_t slices, size_t least, int arena_id)
{
    mi_page_wish_t wish = {slices, least, arena_id};
    mi_page_t *page = mi_segment_page_alloc(&list, source, &wish);
    if (page != NULL) {
        page->reserved = 1;
        page->block_size = (uint32_t)(page->slice_count * MI_SLICE_SIZE);
    }
    return page;
}

static mi_page_t *cut(size_t slices)
{
    return cut_from(MI_SOURCE_ANY, slices, slices, 0);
}

static void give_back(mi_page_t *page)
{
    mi_segment_page_free(&list, page);
}

TEST(pages_lie_side_by_side_in_one_segment)
{
    begin();
    mi_page_t *first = cut(3);
    mi_page_t *second = cut(5);
    mi_segment_t *segment = mi_segment_of_page(first);
    CHECK_EQ(mi_segment_of_page(second), segment);
    CHECK_EQ(mi_page_slices_start(second),
             mi_offset(mi_page_slices_start(first), 3 * MI_SLICE_SIZE));
    CHECK_EQ(segment->free_slices, ROOM - 8);
    CHECK(mi_segment_is_valid(segment));
    CHECK_EQ(mi_segment_map_owner(segment), KEY);
    // Every address of a page leads to it, others to none.
    CHECK_EQ(
        mi_segment_page_at(segment, mi_offset(mi_page_slices_start(second), 5 * MI_SLICE_SIZE - 1)),
        second);
    CHECK_EQ(
        mi_segment_page_at(segment, mi_offset(mi_page_slices_start(second), 5 * MI_SLICE_SIZE)),
        &segment->invalid);
    give_back(first);
    give_back(second);
    mi_segments_drop_cached(&list);
}

TEST(the_shortest_run_that_is_long_enough_is_taken)
{
    begin();
    mi_page_t *pages[6];
    for (size_t i = 0; i < 6; i++)
        pages[i] = cut(i % 2 == 0 ? 9 - i : 1); // runs of 9, 7 and 5 between single ones
    void *seven = mi_page_slices_start(pages[2]);
    for (size_t i = 0; i < 6; i += 2)
        give_back(pages[i]);
    mi_page_t *page = cut(6);
    CHECK_EQ(mi_page_slices_start(page), seven);
    CHECK(mi_segment_is_valid(mi_segment_of_page(page)));
    give_back(page);
    for (size_t i = 1; i < 6; i += 2)
        give_back(pages[i]);
    mi_segments_drop_cached(&list);
}

TEST(used_memory_is_taken_even_if_it_is_less)
{
    begin();
    mi_page_t *kept = cut(1);
    mi_page_t *used = cut(4);
    void *start = mi_page_slices_start(used);
    CHECK_EQ(cut_from(MI_SOURCE_USED, 2, 2, 0), NULL); // nothing free was written to
    give_back(used);
    CHECK_EQ(cut_from(MI_SOURCE_USED, 8, 5, 0), NULL);
    mi_page_t *page = cut_from(MI_SOURCE_USED, 8, 3, 0);
    REQUIRE(page != NULL);
    CHECK_EQ(mi_page_slices_start(page), start);
    CHECK_EQ(page->slice_count, 4);
    CHECK_EQ(page->used_before, 4);
    CHECK(!page->fresh_is_zero);
    give_back(page);
    give_back(kept);
    mi_segments_drop_cached(&list);
}

TEST(a_full_segment_is_followed_by_another_and_both_go)
{
    begin();
    size_t before = segment_count();
    mi_page_t *all = cut(ROOM);
    mi_page_t *more = cut(1);
    CHECK(mi_segment_of_page(all) != mi_segment_of_page(more));
    CHECK_EQ(mi_segment_of_page(all)->free_slices, 0);
    CHECK_EQ(list.count, 2);
    CHECK_EQ(segment_count(), before + 2);
    CHECK_EQ(cut_from(MI_SOURCE_OWNED, ROOM, ROOM, 0), NULL);
    give_back(all);
    CHECK_EQ(list.count, 1);
    CHECK(list.cached != NULL); // one empty segment is kept
    give_back(more);
    CHECK_EQ(segment_count(), before + 1);
    mi_segments_drop_cached(&list);
    CHECK_EQ(segment_count(), before);
    CHECK_EQ(list.first, NULL);
}

TEST(the_kept_segment_serves_again)
{
    begin();
    mi_page_t *page = cut(2);
    mi_segment_t *segment = mi_segment_of_page(page);
    give_back(page);
    CHECK_EQ(list.cached, segment);
    page = cut(2);
    CHECK_EQ(mi_segment_of_page(page), segment);
    CHECK_EQ(list.cached, NULL);
    give_back(page);
    mi_segments_drop_cached(&list);
}

TEST(an_exclusive_arena_ends_where_it_ends)
{
    begin();
    int arena = 0;
    size_t count = 0;
    mi_page_t *pages[4];
    REQUIRE(mi_arena_reserve(ARENA, false, false, true, &arena) == 0);
    while (count < 4 && (pages[count] = cut_from(MI_SOURCE_ANY, ROOM, ROOM, arena)) != NULL)
        CHECK_EQ(mi_segment_of_page(pages[count++])->range.arena->id, arena);
    CHECK(count == 1 || count == 2);
    mi_page_t *other = cut(1);
    CHECK(mi_segment_of_page(other)->range.arena->id != arena);
    give_back(other);
    while (count > 0)
        give_back(pages[--count]);
    mi_segments_drop_cached(&list);
}

// ---- huge ----

static void check_huge(size_t size, size_t alignment, size_t offset)
{
    mi_page_t *page = mi_segment_huge_alloc(&list, size, alignment, offset, 0);
    REQUIRE(page != NULL);
    mi_segment_t *segment = mi_segment_of_page(page);
    char *block = mi_page_start(page);
    char *end = (char *)segment + segment->size;
    CHECK_EQ(((uintptr_t)block + offset) % alignment, 0);
    CHECK(mi_page_block_size(page) >= size);
    CHECK(block >= (char *)segment + MI_SEGMENT_INFO_SLICES * MI_SLICE_SIZE);
    CHECK(block + size <= end);
    CHECK_EQ(mi_segment_map_start(block + size - 1), segment);
    CHECK_EQ(mi_segment_page_of(segment, block), page);
    block[0] = block[size - 1] = 1;
    give_back(page);
    CHECK_EQ(mi_segment_map_owner(block), MI_OWNER_NOT_OURS);
}

TEST(a_huge_block_lies_where_its_alignment_wants_it)
{
    begin();
    size_t before = segment_count();
    check_huge(MI_SEGMENT_SIZE, MI_BLOCK_ALIGN, 0);
    check_huge(3 * MI_SEGMENT_SIZE + 1, 4096, 0);
    check_huge(MI_SEGMENT_SIZE, MI_MIB, 0);
    check_huge(MI_SEGMENT_SIZE, MI_SEGMENT_SIZE, 0);
    check_huge(1, 2 * MI_SEGMENT_SIZE, 0);
    check_huge(5000, 2 * MI_SEGMENT_SIZE, 24);
    check_huge(MI_SEGMENT_SIZE, 4096, 4096 - 8);
    CHECK_EQ(segment_count(), before);
    CHECK_EQ(mi_segment_huge_alloc(&list, MI_ALLOC_MAX, MI_SEGMENT_SIZE, 0, 0), NULL);
}

// ---- changing hands ----

TEST(an_abandoned_segment_has_no_owner_until_it_is_claimed)
{
    begin();
    mi_page_t *page = cut(2);
    mi_segment_t *segment = mi_segment_of_page(page);
    mi_arena_t *arena = segment->range.arena;
    mi_segment_map_close(segment);
    mi_segment_owned_to_abandoned(&list, segment);
    CHECK_EQ(mi_segment_map_owner(segment), MI_OWNER_ABANDONED);
    CHECK(mi_bitmap_is_set(arena->abandoned, segment->range.part));
    CHECK_EQ(list.count, 0);
    REQUIRE(mi_segment_map_claim(segment, KEY));
    CHECK(!mi_segment_map_claim(segment, KEY + 64));
    mi_segment_abandoned_to_owned(&list, segment);
    CHECK(!mi_bitmap_is_set(arena->abandoned, segment->range.part));
    CHECK_EQ(list.first, segment);
    CHECK(mi_segment_is_valid(segment));
    give_back(page);
    mi_segments_drop_cached(&list);
}

static void free_visited(mi_page_t *page, void *arg)
{
    ++*(size_t *)arg;
    give_back(page);
}

TEST(a_visit_comes_to_each_page_once_and_may_free_it)
{
    begin();
    size_t visited = 0;
    mi_page_t *gap = NULL;
    for (size_t i = 0; i < 10; i++) {
        mi_page_t *page = cut(1 + i % 3);
        gap = i == 4 ? page : gap;
    }
    mi_segment_t *segment = mi_segment_of_page(gap);
    give_back(gap);
    mi_segment_visit_pages(segment, free_visited, &visited);
    CHECK_EQ(visited, 9);
    CHECK_EQ(list.count, 0);
    mi_segments_drop_cached(&list);
}

// ---- purging ----

TEST(free_slices_wait_and_are_purged)
{
    begin();
    mi_page_t *kept = cut(1);
    mi_page_t *page = cut(6);
    mi_segment_t *segment = mi_segment_of_page(page);
    size_t slice = mi_page_index(page);
    memset(mi_page_slices_start(page), 1, 6 * MI_SLICE_SIZE);
    give_back(page);
    CHECK_EQ(mi_segments_waiting(&list), 6);
    CHECK(mi_arena_is_dirty(&segment->range, slice));
    uint64_t now = mi_os_clock_ms();
    mi_segments_purge(&list, now, MI_PURGE_DUE); // its time has not come
    CHECK_EQ(mi_segments_waiting(&list), 6);
    // At the first look after the delay they have waited once, at the second they go.
    mi_segments_purge(&list, now + 1100, MI_PURGE_DUE);
    CHECK_EQ(mi_segments_waiting(&list), 6);
    mi_segments_purge(&list, now + 2200, MI_PURGE_DUE);
    CHECK_EQ(mi_segments_waiting(&list), 0);
    CHECK(!mi_arena_is_dirty(&segment->range, slice));
    page = cut(6);
    CHECK(page->fresh_is_zero);
    CHECK_EQ(*(char *)mi_page_slices_start(page), 0);
    give_back(page);
    mi_segments_purge(&list, now, MI_PURGE_ALL);
    CHECK_EQ(mi_segments_waiting(&list), 0);
    give_back(kept);
    mi_segments_drop_cached(&list);
}

TEST_MAIN(RUN(pages_lie_side_by_side_in_one_segment)
              RUN(the_shortest_run_that_is_long_enough_is_taken)
                  RUN(used_memory_is_taken_even_if_it_is_less)
                      RUN(a_full_segment_is_followed_by_another_and_both_go)
                          RUN(the_kept_segment_serves_again)
                              RUN(an_exclusive_arena_ends_where_it_ends)
                                  RUN(a_huge_block_lies_where_its_alignment_wants_it)
                                      RUN(an_abandoned_segment_has_no_owner_until_it_is_claimed)
                                          RUN(a_visit_comes_to_each_page_once_and_may_free_it)
                                              RUN(free_slices_wait_and_are_purged))
