// SPDX-License-Identifier: MIT
// Memory inside of partly used pages: what is given back, what is kept, and how it comes back.
#include "check.h"
#include "heap/heap.h"
#include "mimalloc.h"
#include "page/holes.h"

enum { BLOCKS = 40000, SIZE = 1024, KEEP_ONE_IN = 40 };

static unsigned char *blocks[BLOCKS];
static mi_heap_t *heap;

static mi_page_t *page_of(void *p)
{
    return mi_segment_page_at(mi_segment_of(p), p);
}

static bool is_kept(size_t i)
{
    return i % KEEP_ONE_IN == 0;
}

// A heap of its own with many pages, each of which has a few blocks in use, with known contents.
static void thin_out(void)
{
    heap = mi_heap_new();
    REQUIRE(heap != NULL);
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = mi_heap_malloc(heap, SIZE);
        REQUIRE(blocks[i] != NULL);
        memset(blocks[i], (int)(i & 0xff), SIZE);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        if (!is_kept(i))
            mi_free(blocks[i]);
    }
}

static bool kept_are_intact(void)
{
    for (size_t i = 0; i < BLOCKS; i += KEEP_ONE_IN) {
        for (size_t k = 0; k < SIZE; k++) {
            if (blocks[i][k] != (unsigned char)(i & 0xff))
                return false;
        }
    }
    return true;
}

static bool pages_are_valid(void)
{
    for (size_t i = 0; i < BLOCKS; i += KEEP_ONE_IN) {
        if (!mi_page_is_valid(page_of(blocks[i])))
            return false;
    }
    return true;
}

#if !MI_PADDING
static size_t rss(void)
{
    mi_os_process_info_t info = {0};
    mi_os_process_info(&info);
    return info.current_rss;
}

TEST(memory_inside_of_pages_is_given_back_and_blocks_in_use_are_not_touched)
{
    thin_out();
    size_t before = rss();
    mi_heap_punch(heap);
    CHECK(heap->hole_bytes > (size_t)BLOCKS * SIZE / 2);
    // What it counts has really gone; another thread of the test's runtime may take some meanwhile.
    CHECK(rss() + heap->hole_bytes / 2 < before);
    CHECK(kept_are_intact());
    CHECK(pages_are_valid());
    mi_heap_destroy(heap);
}

TEST(holes_are_filled_before_fresh_memory_is_taken)
{
    thin_out();
    mi_heap_punch(heap);
    size_t pages = heap->page_count;
    size_t holes = heap->hole_bytes;
    for (size_t i = 0; i < BLOCKS; i++) {
        if (is_kept(i))
            continue;
        blocks[i] = mi_heap_malloc(heap, SIZE);
        REQUIRE(blocks[i] != NULL);
        memset(blocks[i], (int)(i & 0xff), SIZE);
    }
    CHECK(holes > 0);
    CHECK_EQ(heap->hole_bytes, 0);
    CHECK(heap->page_count <= pages + 1);
    CHECK(kept_are_intact());
    CHECK(pages_are_valid());
    // No block was given out twice.
    for (size_t i = 0; i < BLOCKS; i++)
        REQUIRE(blocks[i][0] == (i & 0xff) && blocks[i][SIZE - 1] == (i & 0xff));
    for (size_t i = 0; i < BLOCKS; i++)
        mi_free(blocks[i]);
    mi_heap_delete(heap);
}

TEST(zeroed_blocks_from_holes_are_zero)
{
    thin_out();
    mi_heap_punch(heap);
    for (size_t i = 0; i < BLOCKS / 2; i++) {
        if (is_kept(i))
            continue;
        unsigned char *p = mi_heap_calloc(heap, 1, SIZE);
        REQUIRE(p != NULL);
        for (size_t k = 0; k < SIZE; k++)
            REQUIRE(p[k] == 0);
        memset(p, 0xff, SIZE);
    }
    mi_heap_destroy(heap);
}

TEST(a_page_with_holes_empties_as_any_other)
{
    thin_out();
    mi_heap_punch(heap);
    for (size_t i = 0; i < BLOCKS; i += KEEP_ONE_IN)
        mi_free(blocks[i]);
    mi_heap_collect(heap, true);
    CHECK_EQ(heap->page_count, 0);
    CHECK_EQ(heap->hole_bytes, 0);
    CHECK_EQ(heap->retained_slices, 0);
    mi_heap_delete(heap);
}

TEST(another_heap_takes_pages_with_holes_over)
{
    thin_out();
    mi_heap_punch(heap);
    size_t holes = heap->hole_bytes;
    mi_heap_t *backing = mi_heap_get_backing();
    size_t before = backing->hole_bytes;
    mi_heap_delete(heap);
    CHECK_EQ(backing->hole_bytes, before + holes);
    CHECK(kept_are_intact());
    CHECK(pages_are_valid());
    for (size_t i = 0; i < BLOCKS; i += KEEP_ONE_IN)
        mi_free(blocks[i]);
}

static bool sees_block(const mi_heap_t *owner, const mi_heap_area_t *area, void *block, size_t size,
                       void *arg)
{
    (void)owner;
    (void)area;
    (void)size;
    *(size_t *)arg += block != NULL;
    return true;
}

TEST(a_visit_shows_the_blocks_in_use_alone)
{
    thin_out();
    mi_heap_punch(heap);
    size_t seen = 0;
    CHECK(mi_heap_visit_blocks(heap, true, sees_block, &seen));
    CHECK_EQ(seen, BLOCKS / KEEP_ONE_IN);
    mi_heap_destroy(heap);
}

TEST(a_growing_heap_punches_by_itself)
{
    enum { LARGER = 3000 };
    thin_out();
    size_t held = heap->slice_count * MI_SLICE_SIZE;
    REQUIRE(held > (size_t)BLOCKS * SIZE / 2);
    for (size_t i = 0; i < 2 * held / LARGER && heap->hole_bytes == 0; i++)
        REQUIRE(mi_heap_malloc(heap, LARGER) != NULL);
    CHECK(heap->hole_bytes > 0);
    CHECK(kept_are_intact());
    mi_heap_destroy(heap);
}

TEST(nothing_is_given_back_when_purging_is_off)
{
    long delay = mi_option_get(mi_option_purge_delay);
    mi_option_set(mi_option_purge_delay, -1);
    thin_out();
    mi_heap_punch(heap);
    CHECK_EQ(heap->hole_bytes, 0);
    mi_option_set(mi_option_purge_delay, delay);
    mi_heap_destroy(heap);
}
#else
TEST(pages_with_padding_keep_their_memory)
{
    thin_out();
    mi_heap_punch(heap);
    CHECK_EQ(heap->hole_bytes, 0);
    CHECK(kept_are_intact());
    CHECK(pages_are_valid());
    mi_heap_destroy(heap);
}
#endif

#if MI_PADDING
TEST_MAIN(RUN(pages_with_padding_keep_their_memory))
#else
TEST_MAIN(RUN(memory_inside_of_pages_is_given_back_and_blocks_in_use_are_not_touched)
              RUN(holes_are_filled_before_fresh_memory_is_taken)
                  RUN(zeroed_blocks_from_holes_are_zero) RUN(a_page_with_holes_empties_as_any_other)
                      RUN(another_heap_takes_pages_with_holes_over)
                          RUN(a_visit_shows_the_blocks_in_use_alone)
                              RUN(a_growing_heap_punches_by_itself)
                                  RUN(nothing_is_given_back_when_purging_is_off))
#endif
