// SPDX-License-Identifier: MIT
// Whose memory may go to whom: sub-processes keep to themselves, an exclusive arena serves only the
// heaps that name it, whatever becomes of their pages; what an ended thread left goes to the thread
// that frees there, and to others only when most of it is free.
#include "check.h"
#include "heap/heap.h"
#include "heap/park.h"
#include "support/threads.h"

#define ARENA  (64 * MI_MIB)
#define BLOCKS 20000
#define SIZE   48

static void *made[2];
static void *served[BLOCKS];

static bool is_abandoned(const void *p)
{
    return mi_segment_map_owner(p) == MI_OWNER_ABANDONED;
}

static void make_two(void *subproc)
{
    if (subproc != NULL)
        mi_subproc_add_current_thread(subproc);
    for (size_t i = 0; i < 2; i++)
        made[i] = mi_malloc(SIZE);
}

static bool adopts_on_free(void *subproc)
{
    mi_option_enable(mi_option_abandoned_reclaim_on_free);
    thread_run(make_two, subproc);
    bool was_abandoned = is_abandoned(made[1]);
    mi_free(made[0]);
    bool is_adopted = !is_abandoned(made[1]);
    mi_free(made[1]);
    mi_option_disable(mi_option_abandoned_reclaim_on_free);
    return was_abandoned && is_adopted;
}

TEST(a_free_adopts_the_segment_when_the_option_says_so)
{
    CHECK(adopts_on_free(NULL));
}

TEST(a_free_does_not_adopt_from_another_sub_process)
{
    mi_subproc_id_t subproc = mi_subproc_new();
    CHECK(!adopts_on_free(subproc));
    CHECK_EQ(mi_stat_process_current(MI_STAT_segments_abandoned), 0);
    mi_subproc_delete(subproc);
}

// ---- whom a segment with many blocks in use goes to ----

enum { LEFT = 300, LEFT_SIZE = 4000, MANY = 70 };

static void *left_by[MANY][LEFT];

static void leave_blocks(void *arg)
{
    void **blocks = arg;
    for (size_t i = 0; i < LEFT; i++)
        blocks[i] = mi_malloc(LEFT_SIZE);
}

static void free_blocks(void **blocks, size_t first)
{
    for (size_t i = first; i < LEFT; i++)
        mi_free(blocks[i]);
}

static bool is_mine(const void *p)
{
    return mi_segment_map_owner(p) == mi_os_thread_key();
}

// Frees the first block of `freed`, if any, needs a page, and says whose the segments of `first` and
// `second` are then.
typedef struct {
    void **freed, **first, **second;
    bool has_first, has_second;
} needy_t;

static void need_a_page(void *arg)
{
    needy_t *needy = arg;
    if (needy->freed != NULL)
        mi_free(needy->freed[0]);
    void *block = mi_malloc(SIZE);
    needy->has_first = is_mine(needy->first[1]);
    needy->has_second = is_mine(needy->second[1]);
    mi_free(block);
}

TEST(a_thread_that_needs_a_page_takes_over_where_it_freed)
{
    thread_run(leave_blocks, left_by[0]);
    thread_run(leave_blocks, left_by[1]);
    REQUIRE(mi_segment_of(left_by[0][0]) != mi_segment_of(left_by[1][0]));
    needy_t needy = {.freed = left_by[1], .first = left_by[0], .second = left_by[1]};
    thread_run(need_a_page, &needy);
    CHECK(!needy.has_first);
    CHECK(needy.has_second);
    free_blocks(left_by[0], 0);
    free_blocks(left_by[1], 1);
    CHECK_EQ(mi_stat_process_current(MI_STAT_segments_abandoned), 0);
}

TEST(others_take_a_segment_over_when_most_of_it_is_free)
{
    thread_run(leave_blocks, left_by[0]);
    needy_t needy = {.first = left_by[0], .second = left_by[0]};
    thread_run(need_a_page, &needy);
    CHECK(!needy.has_first);
    mi_park_end_all(); // its heap has an empty page, which the next thread would go on with
    free_blocks(left_by[0], LEFT / 3);
    thread_run(need_a_page, &needy);
    CHECK(needy.has_first);
    for (size_t i = 0; i < LEFT / 3; i++)
        mi_free(left_by[0][i]);
    CHECK_EQ(mi_stat_process_current(MI_STAT_segments_abandoned), 0);
}

TEST(of_many_segments_others_take_any)
{
    for (size_t i = 0; i < MANY; i++)
        thread_run(leave_blocks, left_by[i]);
    size_t before = (size_t)mi_stat_process_current(MI_STAT_segments_abandoned);
    CHECK(before < MANY);
    for (size_t i = 0; i < MANY; i++)
        free_blocks(left_by[i], 0);
    CHECK_EQ(mi_stat_process_current(MI_STAT_segments_abandoned), 0);
}

// ---- exclusive arenas ----

static mi_arena_id_t arena;

static bool is_in_arena(const void *p)
{
    size_t size;
    const char *start = mi_arena_area(arena, &size);
    return (const char *)p >= start && (const char *)p < start + size;
}

static bool is_arena_free(void)
{
    mi_arena_t *record = mi_arena_of_id(arena);
    for (size_t part = 0; part < record->part_count; part++)
        if (mi_bitmap_is_set(record->in_use, part))
            return false;
    return true;
}

// How many of many blocks of the default heap lie in the arena.
static size_t served_from_arena(void)
{
    size_t count = 0;
    for (size_t i = 0; i < BLOCKS; i++) {
        served[i] = mi_malloc(SIZE);
        count += is_in_arena(served[i]);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        mi_free(served[i]);
    return count;
}

static void make_two_in_arena(void *arg)
{
    (void)arg;
    mi_heap_t *heap = mi_heap_new_in_arena(arena);
    for (size_t i = 0; i < 2; i++)
        made[i] = mi_heap_malloc(heap, SIZE);
}

static void free_two(void)
{
    for (size_t i = 0; i < 2; i++)
        mi_free(made[i]);
    mi_collect(true);
}

TEST(a_deleted_heaps_arena_does_not_serve_others)
{
    REQUIRE(mi_reserve_os_memory_ex(ARENA, true, false, true, &arena) == 0);
    mi_heap_t *heap = mi_heap_new_in_arena(arena);
    for (size_t i = 0; i < 2; i++)
        made[i] = mi_heap_malloc(heap, SIZE);
    REQUIRE(is_in_arena(made[0]) && is_in_arena(made[1]));
    mi_heap_delete(heap);
    CHECK_EQ(served_from_arena(), 0);
    free_two();
    CHECK(is_arena_free());
}

TEST(an_ended_threads_arena_goes_to_a_heap_of_that_arena)
{
    thread_run(make_two_in_arena, NULL);
    REQUIRE(is_in_arena(made[0]) && is_abandoned(made[0]));
    mi_heap_t *heap = mi_heap_new_in_arena(arena);
    void *block = mi_heap_malloc(heap, SIZE);
    CHECK(!is_abandoned(made[0]));
    CHECK_EQ(mi_segment_of(block), mi_segment_of(made[0]));
    CHECK(mi_heap_contains_block(heap, made[0]));
    CHECK_EQ(served_from_arena(), 0);
    mi_free(block);
    mi_heap_delete(heap);
    free_two();
    CHECK(is_arena_free());
}

TEST(a_deleted_heaps_pages_serve_the_next_heap_of_the_arena)
{
    thread_run(make_two_in_arena, NULL);
    mi_heap_delete(mi_heap_new_in_arena(arena));
    mi_heap_t *heap = mi_heap_new_in_arena(arena);
    for (size_t i = 0; i < BLOCKS; i++) {
        served[i] = mi_heap_malloc(heap, SIZE);
        REQUIRE(is_in_arena(served[i]));
    }
    for (size_t i = 0; i < BLOCKS; i++)
        mi_free(served[i]);
    mi_heap_delete(heap);
    free_two();
    CHECK(is_arena_free());
}

TEST(a_free_does_not_adopt_from_an_exclusive_arena)
{
    mi_option_enable(mi_option_abandoned_reclaim_on_free);
    thread_run(make_two_in_arena, NULL);
    mi_free(made[0]);
    CHECK_EQ(served_from_arena(), 0);
    CHECK(is_abandoned(made[1]));
    mi_free(made[1]);
    mi_option_disable(mi_option_abandoned_reclaim_on_free);
    mi_collect(true);
    CHECK(is_arena_free());
}

TEST_MAIN(RUN(a_free_adopts_the_segment_when_the_option_says_so)
              RUN(a_free_does_not_adopt_from_another_sub_process)
                  RUN(a_thread_that_needs_a_page_takes_over_where_it_freed)
                      RUN(others_take_a_segment_over_when_most_of_it_is_free)
                          RUN(of_many_segments_others_take_any)
                              RUN(a_deleted_heaps_arena_does_not_serve_others)
                                  RUN(an_ended_threads_arena_goes_to_a_heap_of_that_arena)
                                      RUN(a_deleted_heaps_pages_serve_the_next_heap_of_the_arena)
                                          RUN(a_free_does_not_adopt_from_an_exclusive_arena))
