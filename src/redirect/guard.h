// SPDX-License-Identifier: MIT
// The runtime's semantics on top of any allocator that speaks the stock contract: each function
// asks whether a block is the allocator's, sends others back to the runtime, and keeps the runtime's
// rules for errors. Used where the entries do not jump straight into the allocator: with a stock
// allocator, and for every runtime but the primary one.
#pragma once

#include "redirect/runtime.h"

// The function to patch into the runtime in that slot.
void *rd_slot_function(unsigned slot, rd_function_t function);

// True when the block lies in the allocator's memory.
bool rd_is_ours(const void *block);

void *rd_guard_malloc(const rd_runtime_t *runtime, size_t size);
void *rd_guard_calloc(const rd_runtime_t *runtime, size_t count, size_t size);
void *rd_guard_realloc(const rd_runtime_t *runtime, void *block, size_t size);
void rd_guard_free(const rd_runtime_t *runtime, void *block);
size_t rd_guard_msize(const rd_runtime_t *runtime, void *block);
void *rd_guard_expand(const rd_runtime_t *runtime, void *block, size_t size);
void *rd_guard_recalloc(const rd_runtime_t *runtime, void *block, size_t count, size_t size);
void *rd_guard_aligned_malloc(const rd_runtime_t *runtime, size_t size, size_t alignment,
                              size_t offset);
void *rd_guard_aligned_realloc(const rd_runtime_t *runtime, void *block, size_t size,
                               size_t alignment, size_t offset);
void *rd_guard_aligned_recalloc(const rd_runtime_t *runtime, void *block, size_t count, size_t size,
                                size_t alignment, size_t offset);
void rd_guard_aligned_free(const rd_runtime_t *runtime, void *block);
size_t rd_guard_aligned_msize(const rd_runtime_t *runtime, void *block, size_t alignment,
                              size_t offset);
void *rd_guard_new(const rd_runtime_t *runtime, size_t size);
