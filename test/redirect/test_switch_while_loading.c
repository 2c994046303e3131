// SPDX-License-Identifier: MIT
// One thread turns the redirect off and on while others load and unload DLLs whose import tables it has
// to change, and others allocate.
#include "check.h"
#include "mimalloc/redirect.h"
#include "stock_allocator.h"

#include <process.h>
#include <stdlib.h>
#include <windows.h>

bool mi_redirect_disable(void);
bool mi_redirect_enable(void);

enum { SWITCHES = 60, LOADERS = 2, WORKERS = 2 };

static volatile LONG is_over;
static volatile LONG loads;
static volatile LONG wrong;

// The DLL allocates when it is started, and keeps that.
static unsigned __stdcall load_for_ever(void *name)
{
    while (!is_over) {
        HMODULE module = LoadLibraryA(name);
        if (module == NULL)
            InterlockedIncrement(&wrong);
        else
            FreeLibrary(module);
        InterlockedIncrement(&loads);
    }
    return 0;
}

static unsigned __stdcall allocate_for_ever(void *arg)
{
    char *kept = malloc(100);
    (void)arg;
    kept[0] = 'k';
    while (!is_over) {
        free(malloc(300));
        kept = realloc(kept, kept[0] == 'k' ? 3000 : 100);
        if (kept == NULL || (kept[0] != 'k' && kept[0] != 'g'))
            InterlockedIncrement(&wrong);
        else
            kept[0] = kept[0] == 'k' ? 'g' : 'k';
    }
    free(kept);
    return 0;
}

static void switch_and_check(void)
{
    CHECK(mi_redirect_disable());
    void *block = malloc(100);
    CHECK(!mi_is_in_heap_region(block));
    CHECK(mi_redirect_enable());
    void *other = malloc(100);
    CHECK(mi_is_in_heap_region(other));
    free(block);
    free(other);
}

TEST(switches_work_while_dlls_come_and_go)
{
    HANDLE threads[LOADERS + WORKERS];
    static char names[LOADERS][16] = {"keeper.dll", "msvcr100.dll"};
    for (int i = 0; i < LOADERS; i++)
        threads[i] = (HANDLE)_beginthreadex(NULL, 0, load_for_ever, names[i], 0, NULL);
    for (int i = LOADERS; i < LOADERS + WORKERS; i++)
        threads[i] = (HANDLE)_beginthreadex(NULL, 0, allocate_for_ever, NULL, 0, NULL);
    for (int i = 0; i < SWITCHES; i++) {
        LONG before = loads;
        switch_and_check();
        while (i % 10 == 0 && loads == before)
            Sleep(0);
    }
    is_over = 1;
    for (int i = 0; i < LOADERS + WORKERS; i++) {
        CHECK_EQ(WaitForSingleObject(threads[i], 60000), WAIT_OBJECT_0);
        CloseHandle(threads[i]);
    }
    printf("     %ld loads\n", loads);
    CHECK_EQ(wrong, 0);
}

TEST_MAIN(RUN(switches_work_while_dlls_come_and_go))
