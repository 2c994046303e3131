// SPDX-License-Identifier: MIT
// A copy's first allocation is made by a thread while another one, within the loader, holds the loader
// lock and waits for that thread, or allocates at the same time. Neither may wait for ever.
#include "first_copy.h"

#include "check.h"

#include <windows.h>

#define LIMIT_MS 60000

typedef enum order { OTHER_FIRST, BOTH_AT_ONCE } order_t;

static order_t order;
static HANDLE is_ready;
static HANDLE is_in_loader;
static HANDLE has_allocated;
static first_copy_t copy;
static DWORD waited;
static void *block_of_loader;
static void *block_of_thread;

static DWORD WINAPI allocate(void *arg)
{
    (void)arg;
    SetEvent(is_ready); // past the start of threads, which needs the loader lock
    WaitForSingleObject(is_in_loader, INFINITE);
    block_of_thread = copy.malloc(100);
    SetEvent(has_allocated);
    return 0;
}

__declspec(dllexport) first_copy_fun called_by_loader;

void called_by_loader(const first_copy_t *given)
{
    copy = *given;
    SetEvent(is_in_loader);
    if (order == BOTH_AT_ONCE)
        block_of_loader = copy.malloc(200);
    waited = WaitForSingleObject(has_allocated, LIMIT_MS);
    if (order == OTHER_FIRST)
        block_of_loader = copy.malloc(200);
}

static void allocate_in(order_t wanted)
{
    order = wanted;
    waited = WAIT_FAILED;
    is_ready = CreateEventA(NULL, FALSE, FALSE, NULL);
    is_in_loader = CreateEventA(NULL, FALSE, FALSE, NULL);
    has_allocated = CreateEventA(NULL, FALSE, FALSE, NULL);
    HANDLE thread = CreateThread(NULL, 0, allocate, NULL, 0, NULL);
    REQUIRE(thread != NULL);
    WaitForSingleObject(is_ready, INFINITE);
    HMODULE dll = LoadLibraryA("first_copy.dll");
    REQUIRE(dll != NULL);
    CHECK_EQ(waited, WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObject(thread, LIMIT_MS), WAIT_OBJECT_0);
    CloseHandle(thread);
    CHECK(copy.owns(block_of_thread));
    CHECK(copy.owns(block_of_loader));
    copy.free(block_of_loader);
    copy.free(block_of_thread);
    // Needs a reservation of its own: the system's function for it is looked up now that it may be.
    void *large = copy.malloc((size_t)64 << 20);
    CHECK(copy.owns(large));
    copy.free(large);
    FreeLibrary(dll);
}

TEST(a_thread_allocates_first_while_the_loader_waits_for_it)
{
    allocate_in(OTHER_FIRST);
}

TEST(a_thread_and_the_loader_allocate_first_at_once)
{
    allocate_in(BOTH_AT_ONCE);
}

// Each loads the DLL anew.
TEST_MAIN(RUN(a_thread_allocates_first_while_the_loader_waits_for_it)
              RUN(a_thread_and_the_loader_allocate_first_at_once))
