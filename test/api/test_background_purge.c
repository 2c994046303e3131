// SPDX-License-Identifier: MIT
// The background purge: with the option on, memory that was freed goes back to the system although
// the program makes no further call of any kind.
#if !defined(_WIN32)
#define _POSIX_C_SOURCE 200809L
#endif

#include "check.h"
#include "mimalloc.h"

#if defined(_WIN32)
#include <windows.h>
static void sleep_ms(unsigned ms)
{
    Sleep(ms);
}
#else
#include <time.h>
static void sleep_ms(unsigned ms)
{
    struct timespec time = {.tv_sec = 0, .tv_nsec = (long)ms * 1000000};
    nanosleep(&time, NULL);
}
#endif

enum { BLOCKS = 2048, BLOCK_SIZE = 32 * 1024, TRIES = 500 };

static void *blocks[BLOCKS];

static size_t resident(void)
{
    size_t rss = 0;
    mi_process_info(NULL, NULL, NULL, &rss, NULL, NULL, NULL, NULL);
    return rss;
}

static void fill_and_free(void)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = mi_malloc(BLOCK_SIZE);
        REQUIRE(blocks[i] != NULL);
        memset(blocks[i], 1, BLOCK_SIZE);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        mi_free(blocks[i]);
}

TEST(idle_memory_goes_back_without_a_further_call)
{
    mi_option_set(mi_option_background_purge, 1);
    size_t start = resident();
    fill_and_free();
    size_t most = start + (size_t)8 * 1024 * 1024;
    // However slow the machine is, at some point it is back.
    for (int i = 0; i < TRIES && resident() > most; i++)
        sleep_ms(20);
    CHECK(resident() <= most);
}

TEST(blocks_stay_whole_while_the_purge_runs)
{
    mi_option_set(mi_option_background_purge, 1);
    for (int round = 0; round < 20; round++) {
        fill_and_free();
        unsigned char *block = mi_calloc(1, 4 * BLOCK_SIZE);
        REQUIRE(block != NULL);
        sleep_ms(15);
        CHECK_EQ(block[0], 0);
        CHECK_EQ(block[4 * BLOCK_SIZE - 1], 0);
        mi_free(block);
    }
}

TEST_MAIN(RUN(idle_memory_goes_back_without_a_further_call)
              RUN(blocks_stay_whole_while_the_purge_runs))
