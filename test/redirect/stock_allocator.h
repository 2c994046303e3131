// SPDX-License-Identifier: MIT
// What the test allocator exports, and what it has counted.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct stock_counts {
    size_t allocations;
    size_t frees;
    size_t allocations_before_main; // served before the allocator's own DllMain
    unsigned process_attaches;      // calls of _mi_redirect_entry by reason
    unsigned process_detaches;
    unsigned attaches_before_main;
    long thread_attaches;
    long thread_detaches;
    bool init_result; // of mi_allocator_init
    const char *message;
} stock_counts_t;

const stock_counts_t *stock_counts(void);

bool mi_is_in_heap_region(const void *block);
void *mi_malloc(size_t size);
void *mi_calloc(size_t count, size_t size);
void *mi_realloc(void *block, size_t size);
void mi_free(void *block);
size_t mi_usable_size(const void *block);
void *mi_malloc_aligned_at(size_t size, size_t alignment, size_t offset);
void *mi_realloc_aligned_at(void *block, size_t size, size_t alignment, size_t offset);
bool mi_is_redirected(void);
int mi_version(void);
void _mi_redirect_entry(unsigned long reason);
