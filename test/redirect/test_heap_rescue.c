// SPDX-License-Identifier: MIT
// Blocks of malloc that a program or a system DLL gives to the heap functions, as works on Windows
// because Microsoft's runtime keeps its blocks in the process heap.
#include "check.h"
#include "mimalloc/redirect.h"
#include "stock_allocator.h"

#include <malloc.h>
#include <stdlib.h>
#include <windows.h>

BOOLEAN NTAPI RtlFreeHeap(HANDLE heap, ULONG flags, void *block);
SIZE_T NTAPI RtlSizeHeap(HANDLE heap, ULONG flags, const void *block);

static uint64_t rescues(void)
{
    mi_redirect_status_t status = {.size = sizeof status};
    return mi_redirect_get_status(&status) ? status.heap_rescue_count : UINT64_MAX;
}

TEST(heap_free_of_a_malloc_block)
{
    uint64_t before = rescues();
    size_t frees = stock_counts()->frees;
    CHECK(HeapFree(GetProcessHeap(), 0, malloc(100)));
    CHECK_EQ(stock_counts()->frees, frees + 1);
    CHECK_EQ(rescues(), before + 1);
}

TEST(heap_size_of_a_malloc_block)
{
    void *block = malloc(100);
    SIZE_T size = HeapSize(GetProcessHeap(), 0, block);
    CHECK(size >= 100 && size != (SIZE_T)-1);
    CHECK(HeapValidate(GetProcessHeap(), 0, block));
    free(block);
}

TEST(heap_realloc_of_a_malloc_block)
{
    char *block = malloc(100);
    memset(block, 7, 100);
    block = HeapReAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, block, 50000);
    REQUIRE(block != NULL);
    CHECK(mi_is_in_heap_region(block));
    CHECK_EQ(block[99], 7);
    CHECK_EQ(block[49999], 0);
    CHECK_EQ(HeapReAlloc(GetProcessHeap(), HEAP_REALLOC_IN_PLACE_ONLY, block, 400), block);
    free(block);
}

TEST(native_functions_too)
{
    void *block = malloc(100);
    CHECK(RtlSizeHeap(GetProcessHeap(), 0, block) >= 100);
    CHECK(RtlFreeHeap(GetProcessHeap(), 0, block));
}

// Blocks of these two, if they are fixed ones, are the process heap's.
TEST(local_and_global_free_of_a_malloc_block)
{
    uint64_t before = rescues();
    size_t frees = stock_counts()->frees;
    CHECK_EQ(LocalFree(malloc(100)), NULL);
    CHECK_EQ(GlobalFree(malloc(100)), NULL);
    CHECK_EQ(stock_counts()->frees, frees + 2);
    CHECK_EQ(rescues(), before + 2);
}

TEST(local_and_global_blocks_stay_the_systems)
{
    uint64_t before = rescues();
    CHECK_EQ(LocalFree(LocalAlloc(LMEM_FIXED, 100)), NULL);
    CHECK_EQ(LocalFree(LocalAlloc(LMEM_MOVEABLE, 100)), NULL);
    CHECK_EQ(GlobalFree(GlobalAlloc(GMEM_FIXED, 100)), NULL);
    CHECK_EQ(LocalFree(NULL), NULL);
    CHECK_EQ(rescues(), before);
}

// A DLL of the system, which comes later and has nothing of ours in its imports.
TEST(com_free_of_a_malloc_block)
{
    HMODULE ole = LoadLibraryA("ole32.dll");
    REQUIRE(ole != NULL);
    void *(WINAPI * get)(SIZE_T) =
        (void *(WINAPI *)(SIZE_T))(void *)GetProcAddress(ole, "CoTaskMemAlloc");
    void *(WINAPI * grow)(void *, SIZE_T) =
        (void *(WINAPI *)(void *, SIZE_T))(void *)GetProcAddress(ole, "CoTaskMemRealloc");
    void(WINAPI * give)(void *) =
        (void(WINAPI *)(void *))(void *)GetProcAddress(ole, "CoTaskMemFree");
    REQUIRE(get != NULL && grow != NULL && give != NULL);
    size_t frees = stock_counts()->frees;
    give(malloc(100));
    CHECK_EQ(stock_counts()->frees, frees + 1);
    char *block = malloc(100);
    memset(block, 8, 100);
    block = grow(block, 20000);
    CHECK(block != NULL && block[99] == 8);
    give(block);
    void *own = get(100);
    CHECK(!mi_is_in_heap_region(own));
    give(own);
}

TEST(blocks_of_the_heap_stay_there)
{
    uint64_t before = rescues();
    char *block = HeapAlloc(GetProcessHeap(), 0, 100);
    CHECK(!mi_is_in_heap_region(block));
    CHECK_EQ(HeapSize(GetProcessHeap(), 0, block), 100);
    block = HeapReAlloc(GetProcessHeap(), 0, block, 1000);
    CHECK(!mi_is_in_heap_region(block));
    CHECK(HeapFree(GetProcessHeap(), 0, block));
    CHECK(HeapFree(GetProcessHeap(), 0, NULL));
    CHECK_EQ(rescues(), before);
}

TEST(a_refused_free_still_says_why)
{
    // An address in the program itself is in no heap.
    static char not_a_block[64];
    SetLastError(0);
    BOOL is_freed = HeapFree(GetProcessHeap(), 0, not_a_block + 32);
    CHECK(!is_freed);
    CHECK(GetLastError() != 0);
}

// Calls of the system's own that do not come back under the emulated Wine for ARM64.
#if defined(__aarch64__)
#define RUN_NATIVE(test) (void)(test);
#else
#define RUN_NATIVE(test) RUN(test)
#endif

TEST_MAIN(RUN(heap_free_of_a_malloc_block) RUN(heap_size_of_a_malloc_block)
              RUN(heap_realloc_of_a_malloc_block) RUN(native_functions_too)
                  RUN(local_and_global_free_of_a_malloc_block)
                      RUN_NATIVE(local_and_global_blocks_stay_the_systems)
                          RUN(com_free_of_a_malloc_block) RUN(blocks_of_the_heap_stay_there)
                              RUN(a_refused_free_still_says_why))
