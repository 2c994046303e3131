// SPDX-License-Identifier: MIT
// Thread ends: the hook is there in every kind of build, and what a thread leaves behind can be
// used and freed by others.
#include "mimalloc-stats.h"
#include "mimalloc.h"

#include "check.h"
#include "support/threads.h"

enum { ROUNDS = 50, BLOCKS = 100 };

static void *blocks[BLOCKS];

static int64_t live_threads(void)
{
    mi_stats_t stats = {.size = sizeof stats, .version = MI_STAT_VERSION};
    return mi_stats_get(&stats) ? stats.threads.current : -1;
}

static void fill_blocks(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = mi_malloc(i * 50 + 1);
        memset(blocks[i], (int)i, i * 50 + 1);
    }
}

static void free_blocks(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < BLOCKS; i++)
        mi_free(blocks[i]);
}

// A thread's end may be told a moment after it was joined.
static bool ends_with(int64_t count)
{
    for (int tries = 0; tries < 5000; tries++) {
        if (live_threads() == count)
            return true;
        thread_sleep_ms(1);
    }
    return false;
}

TEST(the_allocator_hears_of_every_threads_end)
{
    mi_free(mi_malloc(1));
    int64_t before = live_threads();
    CHECK(before >= 1);
    for (int i = 0; i < ROUNDS; i++) {
        thread_run(fill_blocks, NULL);
        free_blocks(NULL);
    }
    CHECK(ends_with(before));
}

TEST(blocks_outlive_their_thread)
{
    int64_t before = live_threads();
    thread_run(fill_blocks, NULL);
    REQUIRE(ends_with(before));
    for (size_t i = 0; i < BLOCKS; i++)
        CHECK_EQ(((unsigned char *)blocks[i])[i * 50], i);
    thread_run(free_blocks, NULL);
    CHECK(ends_with(before));
}

TEST(another_thread_may_free)
{
    fill_blocks(NULL);
    thread_run(free_blocks, NULL);
    void *p = mi_malloc(100);
    CHECK(p != NULL);
    mi_free(p);
}

TEST(ending_a_thread_by_hand_leaves_it_usable)
{
    void *p = mi_malloc(100);
    mi_thread_done();
    void *q = mi_malloc(100);
    CHECK(q != NULL);
    mi_free(p);
    mi_free(q);
}

TEST_MAIN(RUN(the_allocator_hears_of_every_threads_end) RUN(blocks_outlive_their_thread)
              RUN(another_thread_may_free) RUN(ending_a_thread_by_hand_leaves_it_usable))
