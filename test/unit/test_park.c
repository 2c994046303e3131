// SPDX-License-Identifier: MIT
// Heaps that outlive their thread: who goes on with one, which are never parked, and that what nobody
// takes is handed over after some time.
#include "check.h"
#include "heap/heap.h"
#include "support/threads.h"

enum { LEFT = 100, SIZE = 500, LARGE_LEFT = 300, LARGE_SIZE = 8000 };

static void *left[LEFT];
static void *large_left[LARGE_LEFT];

static bool is_parked(const void *p)
{
    return mi_segment_map_owner(p) == MI_OWNER_PARKED;
}

static bool is_mine(const void *p)
{
    return mi_segment_map_owner(p) == mi_os_thread_key();
}

static void leave(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < LEFT; i++)
        left[i] = mi_malloc(SIZE);
}

static void free_left(size_t first)
{
    for (size_t i = first; i < LEFT; i++)
        mi_free(left[i]);
}

// What the next thread does first.
typedef struct {
    bool frees;     // or it allocates
    bool is_own;    // then, left[1] was its own
    bool was_taken; // the block that it got lies beside those that were left
} successor_t;

static void succeed(void *arg)
{
    successor_t *successor = arg;
    if (successor->frees)
        mi_free(left[0]);
    void *block = mi_malloc(SIZE);
    successor->is_own = is_mine(left[1]);
    successor->was_taken = mi_segment_of(block) == mi_segment_of(left[1]);
    mi_free(block);
}

TEST(a_thread_that_frees_first_goes_on_with_that_heap)
{
    successor_t successor = {.frees = true};
    thread_run(leave, NULL);
    CHECK(is_parked(left[0]) && is_parked(left[LEFT - 1]));
    thread_run(succeed, &successor);
    CHECK(successor.is_own && successor.was_taken);
    CHECK(is_parked(left[1]));
    free_left(1);
    mi_collect(true);
}

TEST(a_thread_that_allocates_first_goes_on_with_any)
{
    successor_t successor = {.frees = false};
    thread_run(leave, NULL);
    thread_run(succeed, &successor);
    CHECK(successor.is_own && successor.was_taken);
    free_left(0);
    mi_collect(true);
}

TEST(a_thread_with_a_heap_leaves_it_parked)
{
    (void)mi_heap_get_default();
    thread_run(leave, NULL);
    mi_free(left[0]);
    CHECK(is_parked(left[1]));
    free_left(1);
    mi_collect(true);
    CHECK(!is_parked(left[1]));
}

static void end_by_hand(void *arg)
{
    bool *is_apart = arg;
    leave(NULL);
    mi_thread_done();
    bool was_parked = is_parked(left[1]);
    void *block = mi_malloc(SIZE);
    *is_apart = was_parked && is_mine(block) && is_parked(left[1]);
    mi_free(block);
}

TEST(a_thread_does_not_go_on_after_its_end)
{
    bool is_apart = false;
    thread_run(end_by_hand, &is_apart);
    CHECK(is_apart);
    free_left(0);
    mi_collect(true);
    CHECK_EQ(mi_stat_process_current(MI_STAT_segments_abandoned), 0);
}

// ---- what is never parked ----

static void leave_much(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < LARGE_LEFT; i++)
        large_left[i] = mi_malloc(LARGE_SIZE);
}

TEST(a_large_heap_is_handed_over)
{
    thread_run(leave_much, NULL);
    CHECK_EQ(mi_segment_map_owner(large_left[0]), MI_OWNER_ABANDONED);
    for (size_t i = 0; i < LARGE_LEFT; i++)
        mi_free(large_left[i]);
}

static void leave_in_subproc(void *subproc)
{
    mi_subproc_add_current_thread(subproc);
    leave(NULL);
}

TEST(a_sub_processes_heap_is_handed_over)
{
    mi_subproc_id_t subproc = mi_subproc_new();
    thread_run(leave_in_subproc, subproc);
    CHECK_EQ(mi_segment_map_owner(left[0]), MI_OWNER_ABANDONED);
    free_left(0);
    mi_subproc_delete(subproc);
}

static void *from_subproc;

static void join_with_parked(void *subproc)
{
    successor_t successor = {.frees = true};
    succeed(&successor);
    mi_subproc_add_current_thread(subproc);
    from_subproc = mi_malloc(SIZE);
}

TEST(a_thread_with_a_parked_heap_can_join_a_sub_process)
{
    mi_subproc_id_t subproc = mi_subproc_new();
    thread_run(leave, NULL);
    thread_run(join_with_parked, subproc);
    CHECK(mi_segment_of(from_subproc) != mi_segment_of(left[1]));
    CHECK_EQ(mi_segment_of(from_subproc)->subproc, subproc);
    mi_free(from_subproc);
    free_left(1);
    mi_subproc_delete(subproc);
    mi_collect(true);
}

static bool is_handed_over_with(mi_option_t option, long value)
{
    long before = mi_option_get(option);
    mi_option_set(option, value);
    thread_run(leave, NULL);
    bool is_handed_over = mi_segment_map_owner(left[0]) == MI_OWNER_ABANDONED;
    free_left(0);
    mi_option_set(option, before);
    return is_handed_over;
}

TEST(options_that_want_memory_back_at_once_are_heard)
{
    CHECK(is_handed_over_with(mi_option_purge_delay, 0));
    CHECK(is_handed_over_with(mi_option_abandoned_page_purge, 1));
    CHECK(is_handed_over_with(mi_option_abandoned_reclaim_on_free, 1));
    CHECK(!is_handed_over_with(mi_option_purge_delay, -1));
    mi_collect(true);
}

// ---- what nobody takes ----

// Allocates until that has come by the slow path.
static void *allocate_much(void)
{
    static void *blocks[2000];
    for (size_t i = 0; i < 2000; i++)
        blocks[i] = mi_malloc(3000);
    for (size_t i = 0; i < 2000; i++)
        mi_free(blocks[i]);
    return blocks;
}

TEST(what_nobody_takes_is_handed_over)
{
    long delay = mi_option_get(mi_option_purge_delay);
    mi_option_set(mi_option_purge_delay, 1);
    thread_run(leave, NULL);
    CHECK(is_parked(left[0]));
    thread_sleep_ms(100);
    CHECK(allocate_much() != NULL);
    CHECK(!is_parked(left[0]));
    free_left(0);
    mi_option_set(mi_option_purge_delay, delay);
    mi_collect(true);
}

TEST(the_next_call_after_a_free_hands_it_over)
{
    long delay = mi_option_get(mi_option_purge_delay);
    mi_option_set(mi_option_purge_delay, 1);
    thread_run(leave, NULL);
    mi_free(left[0]);
    thread_sleep_ms(100);
    mi_free(mi_malloc(1));
    CHECK(!is_parked(left[1]));
    free_left(1);
    mi_option_set(mi_option_purge_delay, delay);
    mi_collect(true);
}

TEST_MAIN(RUN(a_thread_that_frees_first_goes_on_with_that_heap)
              RUN(a_thread_that_allocates_first_goes_on_with_any)
                  RUN(a_thread_with_a_heap_leaves_it_parked)
                      RUN(a_thread_does_not_go_on_after_its_end) RUN(a_large_heap_is_handed_over)
                          RUN(a_sub_processes_heap_is_handed_over)
                              RUN(a_thread_with_a_parked_heap_can_join_a_sub_process)
                                  RUN(options_that_want_memory_back_at_once_are_heard)
                                      RUN(what_nobody_takes_is_handed_over)
                                          RUN(the_next_call_after_a_free_hands_it_over))
