// SPDX-License-Identifier: MIT
// A DLL with the static library in it comes and goes: it takes its thread-local slot and its reserved
// memory with it, but for what is still in use, and threads that knew it end in peace.
#include "check.h"

#include <stdbool.h>
#include <windows.h>

#include "support/threads.h"

#define ROUNDS  40
#define BLOCKS  200
#define MIB     ((size_t)1 << 20)
#define ALLOWED (64 * MIB) // records, and what the system keeps for itself

typedef void *second_malloc_t(size_t size);
typedef void second_free_t(void *block);

static second_malloc_t *get;
static second_free_t *give_back;
static HANDLE may_end;
static HANDLE has_allocated;
static char *kept;

static HMODULE load(void)
{
    HMODULE module = LoadLibraryA("second_copy.dll");
    if (module == NULL)
        return NULL;
    get = (second_malloc_t *)(void (*)(void))GetProcAddress(module, "second_malloc");
    give_back = (second_free_t *)(void (*)(void))GetProcAddress(module, "second_free");
    return module;
}

static size_t work(void)
{
    char *blocks[BLOCKS];
    size_t wrong = 0;
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = get(i * 997 + 1);
        memset(blocks[i], (int)i, i * 997 + 1);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        wrong += blocks[i][i * 997] != (char)i;
        give_back(blocks[i]);
    }
    return wrong;
}

static DWORD next_slot(void)
{
    DWORD slot = TlsAlloc();
    TlsFree(slot);
    return slot;
}

static size_t addresses_in_use(void)
{
    MEMORY_BASIC_INFORMATION info;
    size_t sum = 0;
    for (char *at = NULL; VirtualQuery(at, &info, sizeof info) == sizeof info;
         at = (char *)info.BaseAddress + info.RegionSize) {
        if (info.State != MEM_FREE)
            sum += info.RegionSize;
        if ((uintptr_t)info.BaseAddress + info.RegionSize < (uintptr_t)info.BaseAddress)
            break;
    }
    return sum;
}

TEST(nothing_stays_when_it_is_unloaded)
{
    REQUIRE(load() != NULL && work() == 0);
    FreeLibrary(GetModuleHandleA("second_copy.dll"));
    DWORD slot = next_slot();
    size_t before = addresses_in_use();
    for (int i = 0; i < ROUNDS; i++) {
        HMODULE module = load();
        REQUIRE(module != NULL && work() == 0);
        FreeLibrary(module);
    }
    CHECK_EQ(GetModuleHandleA("second_copy.dll"), NULL);
    CHECK_EQ(next_slot(), slot);
    size_t now = addresses_in_use();
    CHECK(now < before + ALLOWED);
    if (now >= before + ALLOWED)
        printf("    %zu MiB more\n", (now - before) / MIB);
}

static void keep_a_block(void *arg)
{
    (void)arg;
    kept = get(100);
    memset(kept, 7, 100);
    SetEvent(has_allocated);
    WaitForSingleObject(may_end, INFINITE);
}

TEST(what_is_in_use_stays_and_its_thread_ends_in_peace)
{
    thread_t thread;
    may_end = CreateEventA(NULL, TRUE, FALSE, NULL);
    has_allocated = CreateEventA(NULL, TRUE, FALSE, NULL);
    HMODULE module = load();
    REQUIRE(module != NULL);
    thread_start(&thread, keep_a_block, NULL);
    WaitForSingleObject(has_allocated, INFINITE);
    FreeLibrary(module);
    CHECK(kept[0] == 7 && kept[99] == 7);
    SetEvent(may_end);
    thread_join(&thread);
    CHECK(kept[0] == 7 && kept[99] == 7);
    CloseHandle(may_end);
    CloseHandle(has_allocated);
}

TEST_MAIN(RUN(nothing_stays_when_it_is_unloaded)
              RUN(what_is_in_use_stays_and_its_thread_ends_in_peace))
