// SPDX-License-Identifier: MIT
// What a DLL got from the runtime before the runtime's own start-up.
#pragma once

#include <stddef.h>

typedef struct early_blocks {
    int is_done;
    void *heap; // the runtime's heap then: none
    char *of_malloc;
    char *of_calloc;
    char *of_realloc;
    char *of_aligned;
    char *of_too_large;      // NULL
    size_t allocation_count; // of the allocator, after that
} early_blocks_t;

const early_blocks_t *early_caller_blocks(void);
