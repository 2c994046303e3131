// SPDX-License-Identifier: MIT
// Watches what the C runtime hands to the heap below it. On Windows a block of the allocator there
// ends the process, under Wine the call only fails: so the tests count instead of waiting.
#pragma once

#include <stddef.h>

typedef struct watch_counts {
    long calls;    // of HeapFree, HeapReAlloc and HeapSize by the runtime
    long failures; // of these, refused by the heap
    long aliens;   // of these, with a block of the allocator: the sum of the next three
    long alien_frees;
    long alien_reallocs;
    long alien_sizes;
} watch_counts_t;

// Puts itself before whatever the runtime module has in its import table. False: no such imports.
int watch_start(void *runtime, int (*is_ours)(const void *block));

watch_counts_t watch_counts(void);

// An import table entry of a module by the function's name; NULL when it does not import it.
void **watch_import_slot(void *module, const char *function);
