// SPDX-License-Identifier: MIT
// The stock contract's switches, and what the allocator is told of threads.
#include "check.h"
#include "mimalloc/redirect.h"
#include "stock_allocator.h"

#include <malloc.h>
#include <process.h>
#include <stdlib.h>
#include <windows.h>

bool mi_redirect_disable(void);
bool mi_redirect_enable(void);
bool mi_redirect_enable_term(void);
bool mi_allocator_init(const char **message);

static bool malloc_is_ours(void)
{
    void *block = malloc(100);
    bool is_ours = mi_is_in_heap_region(block);
    free(block);
    return is_ours;
}

TEST(can_be_turned_off_and_on)
{
    CHECK(malloc_is_ours());
    CHECK(mi_redirect_disable());
    CHECK(!malloc_is_ours());
    CHECK(!mi_allocator_init(NULL));
    CHECK(mi_redirect_enable());
    CHECK(malloc_is_ours());
    CHECK(mi_allocator_init(NULL));
}

TEST(turning_off_restores_the_bytes)
{
    mi_redirect_function_t function = {.size = sizeof function};
    CHECK(mi_redirect_disable());
    for (size_t i = 0; mi_redirect_get_function(0, i, &function); i++)
        CHECK_EQ(memcmp(function.address, function.bytes_before, function.byte_count), 0);
    CHECK(mi_redirect_enable());
    for (size_t i = 0; mi_redirect_get_function(0, i, &function); i++)
        CHECK_EQ(memcmp(function.address, function.bytes_after, function.byte_count), 0);
}

TEST(blocks_cross_the_switch)
{
    char *ours = malloc(100);
    CHECK(mi_redirect_disable());
    // The runtime's own free gives it to the heap, where the guard takes it back.
    size_t frees = stock_counts()->frees;
    free(ours);
    CHECK_EQ(stock_counts()->frees, frees + 1);
    char *theirs = malloc(100);
    CHECK(mi_redirect_enable());
    theirs = realloc(theirs, 1000);
    CHECK(theirs != NULL && !mi_is_in_heap_region(theirs));
    free(theirs);
}

static void write_byte(const void *address, uint8_t byte)
{
    DWORD old;
    void *place = (void *)(uintptr_t)address;
    REQUIRE(VirtualProtect(place, 1, PAGE_EXECUTE_READWRITE, &old));
    *(uint8_t *)place = byte;
    REQUIRE(VirtualProtect(place, 1, old, &old));
}

// A function that another product has replaced after us, with a jump of its own over ours.
TEST(over_somebody_elses_change_nothing_is_turned_off)
{
    mi_redirect_function_t function = {.size = sizeof function};
    mi_redirect_function_t expand = {.size = sizeof expand};
    for (size_t i = 0; mi_redirect_get_function(0, i, &function); i++)
        if (strcmp(function.name, "_expand") == 0)
            expand = function;
    if (expand.byte_count == 0) { // by import tables: each entry that is another's stays so
        CHECK_EQ(expand.engine, MI_REDIRECT_ENGINE_IMPORTS);
        return;
    }
    uint8_t last = expand.bytes_after[expand.byte_count - 1];
    const uint8_t *place = (const uint8_t *)expand.address + expand.byte_count - 1;
    write_byte(place, last ^ 0x20);
    CHECK(!mi_redirect_disable());
    CHECK_EQ(*place, last ^ 0x20);
    CHECK(malloc_is_ours());
    CHECK(mi_allocator_init(NULL));
    write_byte(place, last);
    CHECK(mi_redirect_disable());
    CHECK(!malloc_is_ours());
    CHECK(mi_redirect_enable());
    CHECK(malloc_is_ours());
}

TEST(the_terminating_form_is_on_too)
{
    CHECK(mi_redirect_enable_term());
    CHECK(malloc_is_ours());
    CHECK(mi_redirect_disable());
    CHECK(mi_redirect_enable_term());
    CHECK(malloc_is_ours());
}

static unsigned __stdcall thread_body(void *arg)
{
    (void)arg;
    free(malloc(100));
    return 0;
}

TEST(threads_are_announced)
{
    long attaches = stock_counts()->thread_attaches;
    long detaches = stock_counts()->thread_detaches;
    for (int i = 0; i < 10; i++) {
        HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, thread_body, NULL, 0, NULL);
        REQUIRE(thread != NULL);
        WaitForSingleObject(thread, INFINITE);
        CloseHandle(thread);
    }
    CHECK_EQ(stock_counts()->thread_attaches, attaches + 10);
    CHECK_EQ(stock_counts()->thread_detaches, detaches + 10);
}

static HANDLE is_started;
static HANDLE may_go;
static volatile LONG is_set;

static unsigned __stdcall set_a_variable(void *arg)
{
    (void)arg;
    SetEvent(is_started);
    WaitForSingleObject(may_go, INFINITE);
    SetEvent(is_started);
    SetEnvironmentVariableA("MI_TEST_LOCKED", "1");
    is_set = 1;
    return 0;
}

// The redirect relies on it: it may read the environment while the program changes it.
TEST(the_environment_is_changed_under_the_processs_lock)
{
    HMODULE ntdll = GetModuleHandleA("ntdll.dll");
    void(NTAPI * acquire)(void) =
        (void(NTAPI *)(void))(void *)GetProcAddress(ntdll, "RtlAcquirePebLock");
    void(NTAPI * release)(void) =
        (void(NTAPI *)(void))(void *)GetProcAddress(ntdll, "RtlReleasePebLock");
    is_started = CreateEventA(NULL, FALSE, FALSE, NULL);
    may_go = CreateEventA(NULL, FALSE, FALSE, NULL);
    HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, set_a_variable, NULL, 0, NULL);
    WaitForSingleObject(is_started, INFINITE);
    acquire();
    SetEvent(may_go);
    WaitForSingleObject(is_started, INFINITE);
    for (int i = 0; i < 20; i++)
        Sleep(1);
    CHECK(!is_set);
    release();
    WaitForSingleObject(thread, INFINITE);
    CHECK(is_set);
    CloseHandle(thread);
    CloseHandle(is_started);
    CloseHandle(may_go);
}

TEST_MAIN(RUN(can_be_turned_off_and_on) RUN(turning_off_restores_the_bytes)
              RUN(blocks_cross_the_switch) RUN(over_somebody_elses_change_nothing_is_turned_off)
                  RUN(the_terminating_form_is_on_too) RUN(threads_are_announced)
                      RUN(the_environment_is_changed_under_the_processs_lock))
