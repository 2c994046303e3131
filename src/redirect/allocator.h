// SPDX-License-Identifier: MIT
// The allocator's DLL: found by its exports, whatever its file is called.
#pragma once

#include "redirect/ntapi.h"
#include "redirect/status.h"
#include "redirect/targets.h"

typedef struct rd_allocator { // const after rd_allocator_find
    void *base;               // NULL: not found yet
    size_t image_size;
    char name[64];
    void (*entry)(DWORD reason);

    bool (*is_in_heap_region)(const void *block);
    void *(*malloc)(size_t size);
    void *(*calloc)(size_t count, size_t size);
    void *(*realloc)(void *block, size_t size);
    void (*free)(void *block);
    size_t (*usable_size)(const void *block);
    void *(*malloc_aligned_at)(size_t size, size_t alignment, size_t offset);
    void *(*realloc_aligned_at)(void *block, size_t size, size_t alignment, size_t offset);

    // The extension of include/mimalloc/redirect.h; all NULL for a stock allocator.
    mi_redirect_register_fun *enlist;
    void *crt[RD_CRT_FUNCTION_COUNT];
} rd_allocator_t;

extern rd_allocator_t rd_allocator;

// Looks through the loaded modules, or at one that just arrived.
rd_status_t rd_allocator_find(void);
rd_status_t rd_allocator_from(const rd_ldr_entry_t *entry);

// A line in the log when the module is one more allocator: only one can be served.
void rd_allocator_report_other(const rd_ldr_entry_t *entry);
