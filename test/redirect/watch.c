// SPDX-License-Identifier: MIT
// The counting functions, and the walk over an import table.
#include "watch.h"

#include <windows.h>

typedef BOOL WINAPI heap_free_fun(HANDLE, DWORD, void *);
typedef void *WINAPI heap_realloc_fun(HANDLE, DWORD, void *, SIZE_T);
typedef SIZE_T WINAPI heap_size_fun(HANDLE, DWORD, const void *);

static heap_free_fun *next_free;
static heap_realloc_fun *next_realloc;
static heap_size_fun *next_size;
static int (*is_block_ours)(const void *);
static volatile LONG calls, failures, alien_frees, alien_reallocs, alien_sizes;

static void note(volatile LONG *aliens, const void *block, int is_refused)
{
    InterlockedIncrement(&calls);
    if (block != NULL && is_block_ours(block))
        InterlockedIncrement(aliens);
    if (is_refused)
        InterlockedIncrement(&failures);
}

static BOOL WINAPI watch_free(HANDLE heap, DWORD flags, void *block)
{
    BOOL is_done = next_free(heap, flags, block);
    note(&alien_frees, block, !is_done);
    return is_done;
}

static void *WINAPI watch_realloc(HANDLE heap, DWORD flags, void *block, SIZE_T size)
{
    void *moved = next_realloc(heap, flags, block, size);
    // In place it may well be impossible.
    note(&alien_reallocs, block, moved == NULL && (flags & HEAP_REALLOC_IN_PLACE_ONLY) == 0);
    return moved;
}

static SIZE_T WINAPI watch_size(HANDLE heap, DWORD flags, const void *block)
{
    SIZE_T size = next_size(heap, flags, block);
    note(&alien_sizes, block, size == (SIZE_T)-1);
    return size;
}

void **watch_import_slot(void *module, const char *function)
{
    char *base = module;
    IMAGE_NT_HEADERS *nt =
        (IMAGE_NT_HEADERS *)(void *)(base + ((IMAGE_DOS_HEADER *)module)->e_lfanew);
    IMAGE_DATA_DIRECTORY *directory =
        &nt->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT];
    if (directory->VirtualAddress == 0)
        return NULL;
    IMAGE_IMPORT_DESCRIPTOR *dll =
        (IMAGE_IMPORT_DESCRIPTOR *)(void *)(base + directory->VirtualAddress);
    for (; dll->Name != 0; dll++) {
        IMAGE_THUNK_DATA *name = (IMAGE_THUNK_DATA *)(void *)(base + dll->OriginalFirstThunk);
        void **slot = (void **)(void *)(base + dll->FirstThunk);
        for (; name->u1.AddressOfData != 0; name++, slot++) {
            if (IMAGE_SNAP_BY_ORDINAL(name->u1.Ordinal))
                continue;
            IMAGE_IMPORT_BY_NAME *by_name =
                (IMAGE_IMPORT_BY_NAME *)(void *)(base + name->u1.AddressOfData);
            if (lstrcmpA((char *)by_name->Name, function) == 0)
                return slot;
        }
    }
    return NULL;
}

static void *exchange(void *module, const char *function, void *with)
{
    void **slot = watch_import_slot(module, function);
    DWORD old;
    if (slot == NULL || !VirtualProtect(slot, sizeof *slot, PAGE_READWRITE, &old))
        return NULL;
    void *before = *slot;
    *slot = with;
    VirtualProtect(slot, sizeof *slot, old, &old);
    return before;
}

int watch_start(void *runtime, int (*is_ours)(const void *block))
{
    is_block_ours = is_ours;
    // The next function is known before the first call can arrive.
    void **slot = watch_import_slot(runtime, "HeapFree");
    if (slot == NULL || watch_import_slot(runtime, "HeapReAlloc") == NULL ||
        watch_import_slot(runtime, "HeapSize") == NULL)
        return 0;
    next_free = (heap_free_fun *)*slot;
    next_realloc = (heap_realloc_fun *)*watch_import_slot(runtime, "HeapReAlloc");
    next_size = (heap_size_fun *)*watch_import_slot(runtime, "HeapSize");
    return exchange(runtime, "HeapFree", (void *)watch_free) != NULL &&
           exchange(runtime, "HeapReAlloc", (void *)watch_realloc) != NULL &&
           exchange(runtime, "HeapSize", (void *)watch_size) != NULL;
}

watch_counts_t watch_counts(void)
{
    return (watch_counts_t){.calls = calls,
                            .failures = failures,
                            .aliens = alien_frees + alien_reallocs + alien_sizes,
                            .alien_frees = alien_frees,
                            .alien_reallocs = alien_reallocs,
                            .alien_sizes = alien_sizes};
}
