// SPDX-License-Identifier: MIT
// The process may have only so many addresses: allocation ends with NULL and ENOMEM, not with the
// process, and goes on once something has been freed. In a child, since a limit cannot be raised.
#define _GNU_SOURCE
#include "check.h"
#include "mimalloc.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCK  ((size_t)1 << 20)
#define BLOCKS 1000
#define LIMIT  ((rlim_t)500 << 20)

static char *blocks[BLOCKS];

static size_t take_all(void)
{
    size_t count = 0;
    errno = 0;
    while (count < BLOCKS && (blocks[count] = mi_malloc(BLOCK)) != NULL)
        memset(blocks[count++], 1, 100);
    return count;
}

// The number of what went wrong; 0: nothing.
static int use_up(void)
{
    struct rlimit limit = {LIMIT, LIMIT};
    mi_option_set(mi_option_show_errors, 0);
    if (setrlimit(RLIMIT_AS, &limit) != 0)
        return 1;
    size_t first = take_all();
    if (first < 100 || first == BLOCKS || errno != ENOMEM)
        return 2;
    for (size_t i = 0; i < first; i++)
        mi_free(blocks[i]);
    char *large = mi_malloc(100 * BLOCK);
    if (large == NULL)
        return 3;
    mi_free(large);
    mi_collect(true);
    size_t second = take_all();
    for (size_t i = 0; i < second; i++)
        mi_free(blocks[i]);
    return second < first - 1 ? 4 : 0;
}

TEST(addresses_that_end_are_survived)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(use_up());
    REQUIRE(child > 0);
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK_EQ(status, 0);
}

TEST_MAIN(RUN(addresses_that_end_are_survived))
