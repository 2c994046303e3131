// SPDX-License-Identifier: MIT
// Two allocators of the contract in one process: a stock mimalloc.dll, which the program is linked to
// and which comes first, and ours, of a plugin perhaps. The runtimes use one of them, both serve those
// who call them by name, and each frees its own.
#include "check.h"
#include "mimalloc/redirect.h"
#include "stock_allocator.h"

#include <stdlib.h>
#include <windows.h>

typedef struct other {
    void *(*malloc)(size_t size);
    void (*free)(void *block);
    bool (*is_ours)(const void *block);
    bool (*is_redirected)(void);
} other_t;

static other_t other;

static void *from(HMODULE module, const char *name)
{
    return (void *)GetProcAddress(module, name);
}

TEST(the_first_one_is_the_runtimes)
{
    mi_redirect_status_t status = {.size = sizeof status};
    CHECK(mi_is_redirected());
    REQUIRE(mi_redirect_get_status(&status));
    CHECK_STR_EQ(status.allocator, "mimalloc.dll");
    CHECK_EQ(stock_counts()->process_attaches, 1);
}

TEST(a_second_one_does_not_think_that_it_is)
{
    HMODULE module = LoadLibraryA("mimalloc-override.dll");
    REQUIRE(module != NULL);
    other.malloc = (void *(*)(size_t))from(module, "mi_malloc");
    other.free = (void (*)(void *))from(module, "mi_free");
    other.is_ours = (bool (*)(const void *))from(module, "mi_is_in_heap_region");
    other.is_redirected = (bool (*)(void))from(module, "mi_is_redirected");
    REQUIRE(other.malloc && other.free && other.is_ours && other.is_redirected);
    CHECK(!other.is_redirected());
    CHECK(mi_is_redirected());
}

static DWORD WINAPI use_both(void *arg)
{
    (void)arg;
    for (size_t size = 1; size < 20000; size += 111) {
        char *mine = malloc(size);
        char *theirs = other.malloc(size);
        if (!mi_is_in_heap_region(mine) || !other.is_ours(theirs) || mi_is_in_heap_region(theirs) ||
            other.is_ours(mine))
            return 1;
        mine[size - 1] = theirs[size - 1] = 1;
        other.free(theirs);
        free(mine);
    }
    return 0;
}

TEST(both_serve_their_own)
{
    DWORD result = 1;
    CHECK_EQ(use_both(NULL), 0);
    HANDLE thread = CreateThread(NULL, 0, use_both, NULL, 0, NULL);
    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(thread, 60000), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(thread, &result));
    CHECK_EQ(result, 0);
    CloseHandle(thread);
}

TEST_MAIN(RUN(the_first_one_is_the_runtimes) RUN(a_second_one_does_not_think_that_it_is)
              RUN(both_serve_their_own))
