// SPDX-License-Identifier: MIT
// The guards. A block that is not ours goes on to the function that the module had imported, with
// the same arguments; so a heap that is not the process heap is none of our business either.
#include "redirect/heap_guard.h"
#include "redirect/allocator.h"
#include "redirect/export.h"
#include "redirect/foreign.h"
#include "redirect/guard.h"
#include "redirect/imports.h"
#include "redirect/log.h"

_Atomic(uint64_t) rd_heap_rescue_count;

typedef BOOL WINAPI heap_free_fun(HANDLE heap, DWORD flags, void *block);
typedef SIZE_T WINAPI heap_size_fun(HANDLE heap, DWORD flags, const void *block);
typedef void *WINAPI heap_realloc_fun(HANDLE heap, DWORD flags, void *block, SIZE_T size);
typedef BOOL WINAPI heap_validate_fun(HANDLE heap, DWORD flags, const void *block);
typedef HLOCAL WINAPI local_free_fun(HLOCAL block);

// const after rd_heap_guard_prepare
static heap_free_fun *win32_free;
static heap_size_fun *win32_size;
static heap_realloc_fun *win32_realloc;
static heap_validate_fun *win32_validate;
static local_free_fun *win32_local_free;
static local_free_fun *win32_global_free;

static bool is_rescue(const void *block)
{
    if (block == NULL || !rd_is_ours(block))
        return false;
    uint64_t before = atomic_fetch_add_explicit(&rd_heap_rescue_count, 1, memory_order_relaxed);
    if (before == 0)
        rd_log(2, "a block of the allocator was given to a heap function; it was taken back");
    return true;
}

static void *rescue_realloc(DWORD flags, void *block, SIZE_T size)
{
    if ((flags & HEAP_REALLOC_IN_PLACE_ONLY) != 0)
        return rd_guard_expand(rd_primary_runtime, block, size);
    if (size == 0)
        size = 1;
    if ((flags & HEAP_ZERO_MEMORY) != 0)
        return rd_guard_recalloc(rd_primary_runtime, block, 1, size);
    return rd_guard_realloc(rd_primary_runtime, block, size);
}

static BOOL WINAPI guard_heap_free(HANDLE heap, DWORD flags, void *block)
{
    if (!is_rescue(block))
        return win32_free(heap, flags, block);
    rd_allocator.free(block);
    return TRUE;
}

static SIZE_T WINAPI guard_heap_size(HANDLE heap, DWORD flags, const void *block)
{
    if (!is_rescue(block))
        return win32_size(heap, flags, block);
    return rd_guard_msize(rd_primary_runtime, (void *)(uintptr_t)block);
}

static void *WINAPI guard_heap_realloc(HANDLE heap, DWORD flags, void *block, SIZE_T size)
{
    if (!is_rescue(block))
        return win32_realloc(heap, flags, block, size);
    return rescue_realloc(flags, block, size);
}

static BOOL WINAPI guard_heap_validate(HANDLE heap, DWORD flags, const void *block)
{
    return is_rescue(block) ? TRUE : win32_validate(heap, flags, block);
}

// Fixed blocks of these two are blocks of the process heap: so they free those of malloc, too.
static HLOCAL WINAPI guard_local_free(HLOCAL block)
{
    if (!is_rescue(block))
        return win32_local_free(block);
    rd_allocator.free(block);
    return NULL;
}

static HGLOBAL WINAPI guard_global_free(HGLOBAL block)
{
    if (!is_rescue(block))
        return win32_global_free(block);
    rd_allocator.free(block);
    return NULL;
}

// The same for modules that import from ntdll.
static BOOLEAN NTAPI guard_rtl_free(HANDLE heap, ULONG flags, void *block)
{
    if (!is_rescue(block))
        return RtlFreeHeap(heap, flags, block);
    rd_allocator.free(block);
    return TRUE;
}

static SIZE_T NTAPI guard_rtl_size(HANDLE heap, ULONG flags, const void *block)
{
    if (!is_rescue(block))
        return RtlSizeHeap(heap, flags, block);
    return rd_guard_msize(rd_primary_runtime, (void *)(uintptr_t)block);
}

static void *NTAPI guard_rtl_realloc(HANDLE heap, ULONG flags, void *block, SIZE_T size)
{
    if (!is_rescue(block))
        return RtlReAllocateHeap(heap, flags, block, size);
    return rescue_realloc(flags, block, size);
}

// Where kernel32 implements the function itself (Wine) it sets the last error on failure, which
// ntdll's does not; where it forwards to ntdll (Windows) both names are one address.
static void *guard_win32(const char *name, void *guard, const void *rtl)
{
    static const char *const modules[] = {"kernel32.dll", "kernelbase.dll"};
    void *kept = NULL;
    for (unsigned i = 0; i < ARRAYSIZE(modules); i++) {
        void *address = rd_system_export(modules[i], name);
        if (address == NULL || address == rtl)
            continue;
        if (rd_import_redirect(address, guard, RD_IMPORT_GUARD) && kept == NULL)
            kept = address;
    }
    return kept;
}

void rd_heap_guard_prepare(void)
{
    (void)rd_import_redirect((const void *)RtlFreeHeap, (void *)guard_rtl_free, RD_IMPORT_GUARD);
    (void)rd_import_redirect((const void *)RtlSizeHeap, (void *)guard_rtl_size, RD_IMPORT_GUARD);
    (void)rd_import_redirect((const void *)RtlReAllocateHeap, (void *)guard_rtl_realloc,
                             RD_IMPORT_GUARD);
    win32_free = (heap_free_fun *)guard_win32("HeapFree", (void *)guard_heap_free,
                                              (const void *)RtlFreeHeap);
    win32_size = (heap_size_fun *)guard_win32("HeapSize", (void *)guard_heap_size,
                                              (const void *)RtlSizeHeap);
    win32_realloc = (heap_realloc_fun *)guard_win32("HeapReAlloc", (void *)guard_heap_realloc,
                                                    (const void *)RtlReAllocateHeap);
    win32_validate =
        (heap_validate_fun *)guard_win32("HeapValidate", (void *)guard_heap_validate, NULL);
    win32_local_free = (local_free_fun *)guard_win32("LocalFree", (void *)guard_local_free, NULL);
    win32_global_free =
        (local_free_fun *)guard_win32("GlobalFree", (void *)guard_global_free, NULL);
}
