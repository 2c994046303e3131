// SPDX-License-Identifier: MIT
// The static library in the program and in a DLL of one process: each copy has its own blocks and
// hears of every thread's end.
#include "mimalloc-stats.h"
#include "mimalloc.h"

#include "check.h"
#include "second_copy.h"
#include "support/threads.h"

enum { ROUNDS = 40, BLOCKS = 100 };

static unsigned char *first[BLOCKS];
static unsigned char *second[BLOCKS];

static int64_t first_live_threads(void)
{
    mi_stats_t stats = {.size = sizeof stats, .version = MI_STAT_VERSION};
    return mi_stats_get(&stats) ? stats.threads.current : -1;
}

static void fill(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < BLOCKS; i++) {
        first[i] = mi_malloc(i * 50 + 1);
        second[i] = second_malloc(i * 50 + 1);
        memset(first[i], (int)i, i * 50 + 1);
        memset(second[i], (int)~i, i * 50 + 1);
    }
}

static void empty(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < BLOCKS; i++) {
        mi_free(first[i]);
        second_free(second[i]);
    }
}

// A thread's end may be told a moment after it was joined.
static bool becomes(int64_t (*live_threads)(void), int64_t count)
{
    for (int tries = 0; tries < 5000; tries++) {
        if (live_threads() == count)
            return true;
        thread_sleep_ms(1);
    }
    return false;
}

TEST(each_copy_has_its_own_blocks)
{
    fill(NULL);
    for (size_t i = 0; i < BLOCKS; i++) {
        CHECK(mi_is_in_heap_region(first[i]) && !second_owns(first[i]));
        CHECK(second_owns(second[i]) && !mi_is_in_heap_region(second[i]));
        CHECK_EQ(first[i][i * 50], i);
        CHECK_EQ(second[i][i * 50], (unsigned char)~i);
    }
    empty(NULL);
}

TEST(both_copies_hear_of_every_threads_end)
{
    fill(NULL); // so that both know this thread
    empty(NULL);
    int64_t before_first = first_live_threads();
    int64_t before_second = second_live_threads();
    CHECK(before_first >= 1);
    CHECK(before_second >= 1);
    for (int i = 0; i < ROUNDS; i++) {
        thread_run(fill, NULL);
        empty(NULL);
    }
    CHECK(becomes(first_live_threads, before_first));
    CHECK(becomes(second_live_threads, before_second));
}

TEST(blocks_of_both_copies_outlive_their_thread)
{
    int64_t before_first = first_live_threads();
    int64_t before_second = second_live_threads();
    thread_run(fill, NULL);
    REQUIRE(becomes(first_live_threads, before_first));
    REQUIRE(becomes(second_live_threads, before_second));
    for (size_t i = 0; i < BLOCKS; i++) {
        CHECK_EQ(first[i][i * 50], i);
        CHECK_EQ(second[i][i * 50], (unsigned char)~i);
    }
    thread_run(empty, NULL);
}

TEST_MAIN(RUN(each_copy_has_its_own_blocks) RUN(both_copies_hear_of_every_threads_end)
              RUN(blocks_of_both_copies_outlive_their_thread))
