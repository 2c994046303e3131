// SPDX-License-Identifier: MIT
// Threads that end the hard way, fibers, and callbacks of fiber-local storage, all with the
// runtime's malloc and free redirected.
#include "check.h"
#include "halt.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <windows.h>

bool mi_is_redirected(void);
bool mi_is_in_heap_region(const void *block);

enum { ROUNDS = 25, VICTIMS = 4, SLOTS = 200, LARGEST = 3000, FIBERS = 20 };

// ---- threads that are killed ----

// A block that is on offer was written whole: its size in front, the size's low byte at the end.
static void *volatile slots[SLOTS];
static volatile LONG damage;
static volatile LONG running;

static unsigned next_seed(unsigned seed)
{
    return seed * 1664525u + 1013904223u;
}

static void *new_block(unsigned seed)
{
    size_t size = sizeof size + 1 + seed % LARGEST;
    unsigned char *block = malloc(size);
    if (block == NULL)
        return NULL;
    memcpy(block, &size, sizeof size);
    block[size - 1] = (unsigned char)size;
    return block;
}

static void check_and_free(unsigned char *block)
{
    size_t size = 0;
    if (block == NULL)
        return;
    memcpy(&size, block, sizeof size);
    if (size > sizeof size + LARGEST || block[size - 1] != (unsigned char)size)
        InterlockedIncrement(&damage);
    free(block);
}

// Frees what others made, so that every list is in use when the thread is killed.
static void exchange(unsigned seed)
{
    check_and_free(InterlockedExchangePointer(&slots[seed % SLOTS], new_block(seed >> 8)));
}

static DWORD WINAPI exchange_until_killed(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    halt_enroll(seed % VICTIMS);
    exchange(seed >> 8);
    InterlockedIncrement(&running);
    for (;; seed = next_seed(seed))
        exchange(seed >> 4);
}

static DWORD WINAPI exchange_and_end(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    for (int i = 0; i < 2000; i++, seed = next_seed(seed))
        exchange(seed >> 4);
    return 0;
}

static HANDLE start(LPTHREAD_START_ROUTINE run, unsigned arg)
{
    HANDLE thread = CreateThread(NULL, 0, run, (void *)(uintptr_t)arg, 0, NULL);
    REQUIRE(thread != NULL);
    return thread;
}

// A thread that has not come to its function may be inside of the loader.
static void wait_until_all_run(void)
{
    while (running < VICTIMS)
        Sleep(1);
    running = 0;
}

static void kill_some(unsigned round)
{
    HANDLE victims[VICTIMS];
    for (unsigned i = 0; i < VICTIMS; i++)
        victims[i] = start(exchange_until_killed, round * VICTIMS + i);
    wait_until_all_run();
    halt_all(victims, VICTIMS, round);
    for (unsigned i = 0; i < VICTIMS; i++) {
        CHECK(TerminateThread(victims[i], 7));
        CHECK_EQ(WaitForSingleObject(victims[i], 60000), WAIT_OBJECT_0);
        CloseHandle(victims[i]);
    }
    halt_end();
}

TEST(killed_threads_harm_nobody)
{
    static const char *const entries[] = {"mi_malloc", "mi_crt_malloc", "mi_free", "mi_crt_free",
                                          NULL};
    REQUIRE(halt_prepare("mimalloc-override.dll", entries));
    for (unsigned round = 0; round < ROUNDS; round++) {
        kill_some(round);
        // Others go on, and may have the thread ids of the dead.
        HANDLE heir = start(exchange_and_end, round);
        CHECK_EQ(WaitForSingleObject(heir, 60000), WAIT_OBJECT_0);
        CloseHandle(heir);
    }
    for (unsigned i = 0; i < SLOTS; i++)
        check_and_free(InterlockedExchangePointer(&slots[i], NULL));
    CHECK_EQ(damage, 0);
    void *block = malloc(100);
    CHECK(mi_is_in_heap_region(block));
    free(block);
}

// ---- fibers ----

static void *main_fiber;
static unsigned char *given[FIBERS];
static DWORD fls_index;
static volatile LONG freed_by_callback;

static void WINAPI free_fls(void *block)
{
    if (!mi_is_in_heap_region(block))
        InterlockedIncrement(&damage);
    free(block);
    free(malloc(50));
    InterlockedIncrement(&freed_by_callback);
}

static void WINAPI fiber_main(void *arg)
{
    uintptr_t index = (uintptr_t)arg;
    FlsSetValue(fls_index, malloc(index * 100 + 1));
    for (;;) {
        free(given[index]);
        given[index] = malloc(index * 60 + 1);
        given[index][index * 60] = (unsigned char)index;
        SwitchToFiber(main_fiber);
    }
}

static void use_fibers(void)
{
    void *fibers[FIBERS];
    main_fiber = ConvertThreadToFiber(NULL);
    for (uintptr_t i = 0; i < FIBERS; i++)
        fibers[i] = CreateFiber(0, fiber_main, (void *)i);
    for (int round = 0; round < 5; round++)
        for (size_t i = 0; i < FIBERS; i++)
            SwitchToFiber(fibers[i]);
    for (size_t i = 0; i < FIBERS; i++)
        DeleteFiber(fibers[i]);
    FlsSetValue(fls_index, malloc(77)); // for the callback at the thread's end
    ConvertFiberToThread();
}

static DWORD WINAPI thread_with_fibers(void *arg)
{
    (void)arg;
    use_fibers();
    return 0;
}

TEST(fibers_share_their_threads_heap)
{
    damage = 0;
    freed_by_callback = 0;
    fls_index = FlsAlloc(free_fls);
    REQUIRE(fls_index != FLS_OUT_OF_INDEXES);
    HANDLE thread = CreateThread(NULL, 0, thread_with_fibers, NULL, 0, NULL);
    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(thread, 60000), WAIT_OBJECT_0);
    CloseHandle(thread);
    // One callback for each deleted fiber and one for the thread, whose blocks others free.
    CHECK_EQ(freed_by_callback, FIBERS + 1);
    for (size_t i = 0; i < FIBERS; i++) {
        CHECK_EQ(given[i][i * 60], i);
        free(given[i]);
    }
    FlsSetValue(fls_index, malloc(200));
    CHECK(FlsFree(fls_index));
    CHECK_EQ(freed_by_callback, FIBERS + 2);
    CHECK_EQ(damage, 0);
}

// A fiber that was begun on one thread is gone on with on another.
static void *volatile return_to;
static unsigned char *travelling[2];

static void WINAPI traveller(void *arg)
{
    (void)arg;
    for (int i = 0;; i = 1 - i) {
        free(travelling[1 - i]);
        travelling[1 - i] = NULL;
        travelling[i] = malloc(500);
        memset(travelling[i], 5 + i, 500);
        SwitchToFiber(return_to);
    }
}

static DWORD WINAPI go_on_with(void *fiber)
{
    return_to = ConvertThreadToFiber(NULL);
    SwitchToFiber(fiber);
    ConvertFiberToThread();
    return 0;
}

TEST(a_fiber_may_change_threads)
{
    void *fiber = CreateFiber(0, traveller, NULL);
    REQUIRE(fiber != NULL);
    for (int i = 0; i < 20; i++) {
        HANDLE thread = CreateThread(NULL, 0, go_on_with, fiber, 0, NULL);
        REQUIRE(thread != NULL);
        CHECK_EQ(WaitForSingleObject(thread, 60000), WAIT_OBJECT_0);
        CloseHandle(thread);
        REQUIRE(travelling[i % 2] != NULL);
        CHECK_EQ(travelling[i % 2][499], 5 + i % 2);
        CHECK_EQ(travelling[1 - i % 2], NULL);
    }
    DeleteFiber(fiber);
    free(travelling[1]);
}

TEST(malloc_is_redirected)
{
    CHECK(mi_is_redirected());
}

TEST_MAIN(RUN(malloc_is_redirected) RUN(killed_threads_harm_nobody)
              RUN(fibers_share_their_threads_heap) RUN(a_fiber_may_change_threads))
