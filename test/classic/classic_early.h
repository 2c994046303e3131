// SPDX-License-Identifier: MIT
// A DLL that takes blocks from the C runtime in its DllMain, before the allocator is in the process.
#pragma once

#include <stddef.h>

#define EARLY_TEXT "written before the patch"

typedef struct early_blocks {
    char *of_malloc;  // 64 bytes, begins with EARLY_TEXT
    char *of_calloc;  // 100 bytes, zero
    char *of_realloc; // 3000 bytes, begins with EARLY_TEXT
    char *of_strdup;  // EARLY_TEXT
    char *of_aligned; // 500 bytes at a multiple of 128, begins with EARLY_TEXT
    char *of_large;   // 2 MiB, the last byte is 'z'
} early_blocks_t;

#define EARLY_LARGE_SIZE ((size_t)2 << 20)

// The blocks belong to the caller: each may be freed once. Any thread.
#if EARLY_BUILD
__declspec(dllexport)
#else
__declspec(dllimport)
#endif
early_blocks_t *
early_get_blocks(void);
