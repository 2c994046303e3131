// SPDX-License-Identifier: MIT
// Blocks that a runtime made itself, before its entries were taken over or behind our back.
// They go back to the heap of the runtime through whose entry they came.
#pragma once

#include "compiler/atomics.h"
#include "redirect/runtime.h"

// Counted for the status; any thread.
extern _Atomic(uint64_t) rd_foreign_free_count;
extern _Atomic(uint64_t) rd_foreign_realloc_count;
extern _Atomic(uint64_t) rd_foreign_size_count;

void rd_foreign_free(const rd_runtime_t *runtime, void *block);
void *rd_foreign_realloc(const rd_runtime_t *runtime, void *block, size_t size);
void *rd_foreign_expand(const rd_runtime_t *runtime, void *block, size_t size);
size_t rd_foreign_msize(const rd_runtime_t *runtime, void *block);
void rd_foreign_aligned_free(const rd_runtime_t *runtime, void *block);
size_t rd_foreign_aligned_msize(const rd_runtime_t *runtime, void *block, size_t alignment,
                                size_t offset);

// Watches the runtime make aligned blocks, while its functions are still its own. Needs a runtime
// that is up; before that there are no blocks of its own.
void rd_foreign_learn_layout(rd_runtime_t *runtime);

// The failure rules of a runtime.
void rd_set_errno(const rd_runtime_t *runtime, int value);
bool rd_call_new_handler(const rd_runtime_t *runtime, size_t size);
void rd_invalid_parameter(const rd_runtime_t *runtime, int errno_value);

// The table for the allocator: the above for the primary runtime.
extern const mi_redirect_host_t rd_host;
