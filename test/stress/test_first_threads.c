// SPDX-License-Identifier: MIT
// The first allocations of a process, made by many threads at once, some of which end before others
// have begun. It can happen once in a process: each attempt is a child.
#define _GNU_SOURCE
#include "check.h"
#include "mimalloc.h"
#include "support/stats.h"
#include "support/threads.h"

#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES 300
#define THREADS   16
#define SECONDS   20

static void first_block(void *arg)
{
    unsigned char **block = arg;
    *block = mi_zalloc(100);
}

static int start_all(void)
{
    thread_t threads[THREADS];
    unsigned char *blocks[THREADS];
    for (int i = 0; i < THREADS; i++)
        thread_start(&threads[i], first_block, &blocks[i]);
    for (int i = 0; i < THREADS; i++)
        thread_join(&threads[i]);
    for (int i = 0; i < THREADS; i++) {
        if (blocks[i] == NULL || blocks[i][0] != 0 || blocks[i][99] != 0)
            return 1;
        blocks[i][0] = blocks[i][99] = 1; // a block given out twice is not zero the second time
    }
    for (int i = 0; i < THREADS; i++)
        mi_free(blocks[i]);
    mi_collect(true);
    return mi_stat_process_current(MI_STAT_segments) == 0 ? 0 : 2;
}

TEST(threads_may_all_start_at_once)
{
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;
        pid_t child = fork();
        if (child == 0) {
            alarm(SECONDS);
            _exit(start_all());
        }
        REQUIRE(child > 0);
        REQUIRE(waitpid(child, &status, 0) == child);
        CHECK_EQ(status, 0);
    }
}

TEST_MAIN(RUN(threads_may_all_start_at_once))
