// SPDX-License-Identifier: MIT
// The allocator's DLL is loaded late, while 64 threads allocate, free, start and end.
#include "check.h"

#include <malloc.h>
#include <process.h>
#include <stdbool.h>
#include <stdlib.h>
#include <windows.h>

enum { THREADS = 64, KEPT = 50 };

static const char *allocator_name = "mimalloc.dll"; // or the first argument
static volatile LONG is_over;
static volatile LONG rounds;
static volatile LONG damage;

static unsigned __stdcall short_life(void *arg)
{
    char *block = malloc(200);
    memset(block, 9, 200);
    *(char **)arg = block;
    return 0;
}

static void work(char *kept[KEPT], unsigned seed)
{
    unsigned at = seed % KEPT;
    size_t size = 1 + seed % 3000;
    if (kept[at] != NULL && kept[at][0] != (char)at)
        InterlockedIncrement(&damage);
    if (seed % 3 == 0 && kept[at] != NULL) {
        kept[at] = realloc(kept[at], size);
    } else {
        free(kept[at]);
        kept[at] = seed % 2 == 0 ? malloc(size) : calloc(1, size);
    }
    kept[at][0] = (char)at;
}

static unsigned __stdcall long_life(void *arg)
{
    char *kept[KEPT] = {0};
    unsigned seed = (unsigned)(uintptr_t)arg * 7919u + 1;
    while (!is_over) {
        for (int i = 0; i < 500; i++) {
            seed = seed * 1664525u + 1013904223u;
            work(kept, seed >> 8);
        }
        char *block = NULL;
        HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, short_life, &block, 0, NULL);
        if (thread != NULL) {
            WaitForSingleObject(thread, INFINITE);
            CloseHandle(thread);
            free(block);
        }
        InterlockedIncrement(&rounds);
    }
    for (int i = 0; i < KEPT; i++)
        free(kept[i]);
    return 0;
}

static void wait_for_rounds(LONG count)
{
    LONG until = rounds + count;
    while (rounds - until < 0)
        Sleep(1);
}

TEST(threads_survive_a_late_redirect)
{
    HANDLE threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        threads[i] = (HANDLE)_beginthreadex(NULL, 0, long_life, (void *)i, 0, NULL);
    wait_for_rounds(100);
    HMODULE allocator = LoadLibraryA(allocator_name);
    REQUIRE(allocator != NULL);
    bool (*is_redirected)(void) =
        (bool (*)(void))(void *)GetProcAddress(allocator, "mi_is_redirected");
    bool (*is_ours)(const void *) =
        (bool (*)(const void *))(void *)GetProcAddress(allocator, "mi_is_in_heap_region");
    CHECK(is_redirected());
    wait_for_rounds(200);
    is_over = 1;
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQ(WaitForSingleObject(threads[i], 60000), WAIT_OBJECT_0);
        CloseHandle(threads[i]);
    }
    CHECK_EQ(damage, 0);
    void *block = malloc(100);
    CHECK(is_ours(block));
    free(block);
    // Pinned: code and import tables lead into it.
    FreeLibrary(allocator);
    CHECK(GetModuleHandleA(allocator_name) != NULL);
    CHECK(GetModuleHandleA(MI_REDIRECT_DLL) != NULL);
    free(malloc(100));
}

int main(int argc, char **argv)
{
    if (argc > 1)
        allocator_name = argv[1];
    RUN(threads_survive_a_late_redirect)
    printf("%u passed, %u failed\n", check_state.passed, check_state.failed);
    return check_state.failed != 0;
}
