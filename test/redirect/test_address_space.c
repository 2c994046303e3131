// SPDX-License-Identifier: MIT
// A process that runs out of addresses, as 32-bit ones do: every form says so with NULL and ENOMEM,
// nobody crashes, and what is freed can be had again. Of each block only the first word is written.
// Built twice: for 2 GiB, and marked for addresses above, of which a 64-bit system gives 4 GiB.
#include "check.h"
#include "mimalloc.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <windows.h>

int _set_new_mode(int mode);
int _callnewh(size_t size);
int(__cdecl *_set_new_handler(int(__cdecl *handler)(size_t size)))(size_t size);

#define MIB ((size_t)1 << 20)

static size_t address_space; // bytes; set by the first test

typedef struct block {
    struct block *next;
} block_t;

static block_t *blocks;
static uintptr_t highest;

static void keep(block_t *block)
{
    block->next = blocks;
    blocks = block;
    highest = (uintptr_t)block > highest ? (uintptr_t)block : highest;
}

static size_t fill_with(size_t size)
{
    size_t total = 0;
    for (block_t *block = malloc(size); block != NULL; block = malloc(size)) {
        keep(block);
        total += size;
    }
    return total;
}

// Down to the smallest, until nothing of any size is found: what one size leaves unused may serve
// another later.
static size_t fill(void)
{
    static const size_t sizes[] = {64 * MIB, 8 * MIB, MIB, 100000, 5000, 600, 16};
    size_t total = 0;
    size_t before;
    do {
        before = total;
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
            total += fill_with(sizes[i]);
    } while (total != before);
    return total;
}

static void free_all(void)
{
    while (blocks != NULL) {
        block_t *next = blocks->next;
        free(blocks);
        blocks = next;
    }
}

static void free_one_large(void)
{
    // The first ones of fill() are at the end of the list.
    for (block_t **at = &blocks; *at != NULL; at = &(*at)->next) {
        if (_msize(*at) < 8 * MIB)
            continue;
        block_t *block = *at;
        *at = block->next;
        free(block);
        return;
    }
}

static void check_works(void)
{
    char *block = malloc(200 * MIB);
    CHECK(block != NULL);
    CHECK(mi_is_in_heap_region(block));
    if (block != NULL)
        block[200 * MIB - 1] = 1;
    free(block);
    size_t total = 0;
    for (int i = 0; i < 20000 && total < 300 * MIB; i++) {
        block_t *small = malloc(16 + (size_t)i * 7 % 40000);
        REQUIRE(small != NULL);
        keep(small);
        total += 16 + (size_t)i * 7 % 40000;
    }
    free_all();
}

TEST(nearly_all_addresses_can_be_had)
{
    REQUIRE(mi_is_redirected());
    size_t total = fill();
    free_all();
    CHECK(total > address_space / 4 * 3);
    CHECK(total < address_space || LARGE_ADDRESSES); // Wine tells of less than it gives
    // Above 2 GiB addresses are negative as signed numbers.
    CHECK_EQ(highest > (uintptr_t)INTPTR_MAX, LARGE_ADDRESSES);
    check_works();
}

TEST(every_form_says_that_nothing_is_left)
{
    char *kept = malloc(100);
    strcpy(kept, "kept");
    (void)fill();
    errno = 0;
    CHECK_EQ(malloc(50000), NULL);
    CHECK_EQ(errno, ENOMEM);
    errno = 0;
    CHECK_EQ(calloc(100, 500), NULL);
    CHECK_EQ(errno, ENOMEM);
    errno = 0;
    REQUIRE(realloc(kept, 50000) == NULL);
    CHECK_EQ(errno, ENOMEM);
    CHECK_STR_EQ(kept, "kept");
    errno = 0;
    CHECK_EQ(_aligned_malloc(50000, 4096), NULL);
    CHECK_EQ(errno, ENOMEM);
    CHECK_EQ(_recalloc(NULL, 5, 10000), NULL);
    CHECK_EQ(mi_malloc(50000), NULL);
    free(kept);
    free_all();
    check_works();
}

TEST(one_large_block_freed_serves_small_ones)
{
    (void)fill();
    free_one_large();
    size_t total = fill_with(1000);
    free_all();
    CHECK(total > 6 * MIB);
    check_works();
}

// ---- threads ----

static HANDLE go;
static volatile LONG failures;

// The runtime may have given it something before its main function; what that left goes first.
static DWORD WINAPI allocate_to_the_end(void *arg)
{
    block_t *own = NULL;
    (void)arg;
    WaitForSingleObject(go, INFINITE);
    for (int i = 0; i < 10000; i++) {
        block_t *block = malloc(40000);
        if (block == NULL) {
            InterlockedIncrement(&failures);
            break;
        }
        block->next = own;
        own = block;
    }
    while (own != NULL) {
        block_t *next = own->next;
        free(own);
        own = next;
    }
    return 0;
}

TEST(threads_that_begin_without_memory_go_on)
{
    HANDLE threads[4];
    go = CreateEventW(NULL, TRUE, FALSE, NULL);
    for (int i = 0; i < 4; i++)
        threads[i] = CreateThread(NULL, 0, allocate_to_the_end, NULL, 0, NULL);
    (void)fill();
    SetEvent(go);
    for (int i = 0; i < 4; i++) {
        WaitForSingleObject(threads[i], INFINITE);
        CloseHandle(threads[i]);
    }
    free_all();
    CloseHandle(go);
    CHECK_EQ(failures, 4);
    check_works();
}

// ---- the new handler ----

static int handler_calls;

static int __cdecl free_some(size_t size)
{
    (void)size;
    handler_calls++;
    free_one_large();
    return handler_calls < 100;
}

TEST(a_new_handler_that_frees_memory_helps)
{
    _set_new_handler(free_some);
    (void)_callnewh(1);
    int is_ever_asked = handler_calls != 0; // not in Wine's own runtime
    (void)fill();
    handler_calls = 0;
    _set_new_mode(1);
    void *block = malloc(5 * MIB);
    _set_new_mode(0);
    _set_new_handler(NULL);
    free_all();
    CHECK_EQ(handler_calls, is_ever_asked);
    CHECK_EQ(block != NULL, is_ever_asked);
    free(block);
    check_works();
}

TEST(the_process_has_the_addresses_that_it_is_marked_for)
{
    SYSTEM_INFO system;
    GetSystemInfo(&system);
    address_space = (size_t)(uintptr_t)system.lpMaximumApplicationAddress;
    CHECK_EQ(address_space > (size_t)INTPTR_MAX, LARGE_ADDRESSES);
}

TEST_MAIN(RUN(the_process_has_the_addresses_that_it_is_marked_for)
              RUN(nearly_all_addresses_can_be_had) RUN(every_form_says_that_nothing_is_left)
                  RUN(one_large_block_freed_serves_small_ones)
                      RUN(threads_that_begin_without_memory_go_on)
                          RUN(a_new_handler_that_frees_memory_helps))
