// SPDX-License-Identifier: MIT
// A DLL without a runtime that is started after the redirect and before the runtime, and calls the
// runtime's functions then, which without us would need its start-up.
#include "early_caller.h"
#include "stock_allocator.h"

#include <windows.h>

BOOL WINAPI early_caller_main(HINSTANCE instance, DWORD reason, void *reserved);

static early_blocks_t blocks;

const early_blocks_t *early_caller_blocks(void)
{
    return &blocks;
}

static void *from(HMODULE runtime, const char *name)
{
    return (void *)GetProcAddress(runtime, name);
}

static void call_all(HMODULE runtime)
{
    void *(*alloc)(size_t) = (void *(*)(size_t))from(runtime, "malloc");
    void *(*zalloc)(size_t, size_t) = (void *(*)(size_t, size_t))from(runtime, "calloc");
    void *(*resize)(void *, size_t) = (void *(*)(void *, size_t))from(runtime, "realloc");
    void (*release)(void *) = (void (*)(void *))from(runtime, "free");
    void *(*aligned)(size_t, size_t) = (void *(*)(size_t, size_t))from(runtime, "_aligned_malloc");
    HANDLE (*heap)(void) = (HANDLE(*)(void))from(runtime, "_get_heap_handle");
    blocks.heap = heap();
    blocks.of_malloc = alloc(100);
    blocks.of_calloc = zalloc(10, 100);
    blocks.of_realloc = resize(alloc(10), 5000);
    blocks.of_aligned = aligned(100, 256);
    release(alloc(1000));
    // A failure has no errno to set yet.
    blocks.of_too_large = alloc((size_t)-64);
    const stock_counts_t *(*counts)(void) =
        (const stock_counts_t *(*)(void))from(GetModuleHandleA("mimalloc.dll"), "stock_counts");
    blocks.allocation_count = counts()->allocations;
    blocks.is_done = 1;
}

BOOL WINAPI early_caller_main(HINSTANCE instance, DWORD reason, void *reserved)
{
    (void)instance;
    (void)reserved;
    HMODULE runtime = GetModuleHandleA("ucrtbase.dll");
    if (reason == DLL_PROCESS_ATTACH && runtime != NULL)
        call_all(runtime);
    return TRUE;
}
