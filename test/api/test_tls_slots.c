// SPDX-License-Identifier: MIT
// The program has taken all thread-local slots that lie in the thread block itself, before the
// allocator's DLL is loaded: its own slot is an expansion slot, which no fast path can read.
#include "mimalloc-stats.h"
#include "mimalloc.h"

#include "check.h"

#include <windows.h>

#include "support/threads.h"

#define SLOTS_IN_BLOCK 64
#define THREADS        100
#define BLOCKS         300

static void *(mi_cdecl *get)(size_t size);
static void(mi_cdecl *give_back)(void *p);
static void(mi_cdecl *collect)(bool force);
static bool(mi_cdecl *stats_get)(mi_stats_t *stats);
static char *blocks[BLOCKS];

static void take_slots(void)
{
    while (TlsAlloc() < SLOTS_IN_BLOCK) {
    }
}

static FARPROC function(HMODULE module, const char *name)
{
    FARPROC found = GetProcAddress(module, name);
    if (found == NULL)
        printf("    no %s\n", name);
    return found;
}

static bool load(void)
{
    HMODULE module = LoadLibraryA("mimalloc-override.dll");
    if (module == NULL)
        return false;
    get = (void *(mi_cdecl *)(size_t))(void (*)(void))function(module, "mi_malloc");
    give_back = (void(mi_cdecl *)(void *))(void (*)(void))function(module, "mi_free");
    collect = (void(mi_cdecl *)(bool))(void (*)(void))function(module, "mi_collect");
    stats_get = (bool(mi_cdecl *)(mi_stats_t *))(void (*)(void))function(module, "mi_stats_get");
    return get != NULL && give_back != NULL && collect != NULL && stats_get != NULL;
}

static void fill(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t size = 1 + i * i % 5000;
        blocks[i] = get(size);
        memset(blocks[i], (int)i, size);
    }
    for (size_t i = 0; i < BLOCKS; i += 2)
        give_back(blocks[i]);
}

static size_t check_and_free_rest(void)
{
    size_t wrong = 0;
    for (size_t i = 1; i < BLOCKS; i += 2) {
        wrong += blocks[i][0] != (char)i || blocks[i][i * i % 5000] != (char)i;
        give_back(blocks[i]);
    }
    return wrong;
}

static int64_t thread_count(void)
{
    mi_stats_t stats = {.size = sizeof stats, .version = MI_STAT_VERSION};
    collect(false);
    return stats_get(&stats) ? stats.threads.current : -1;
}

TEST(the_allocator_serves_from_an_expansion_slot)
{
    take_slots();
    REQUIRE(load());
    CHECK(TlsAlloc() >= SLOTS_IN_BLOCK);
    fill(NULL);
    CHECK_EQ(check_and_free_rest(), 0);
}

TEST(threads_come_and_go_and_leave_their_blocks)
{
    REQUIRE(get != NULL);
    int64_t before = thread_count();
    CHECK(before > 0);
    for (int i = 0; i < THREADS; i++) {
        thread_run(fill, NULL);
        REQUIRE(check_and_free_rest() == 0);
    }
    CHECK_EQ(thread_count(), before);
}

TEST(the_last_error_stays_as_it_is)
{
    REQUIRE(get != NULL);
    SetLastError(4711);
    void *p = get(100);
    give_back(p);
    CHECK_EQ(GetLastError(), 4711);
}

TEST_MAIN(RUN(the_allocator_serves_from_an_expansion_slot)
              RUN(threads_come_and_go_and_leave_their_blocks) RUN(the_last_error_stays_as_it_is))
