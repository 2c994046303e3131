// SPDX-License-Identifier: MIT
// The code engine: plans, writes, verifies and undoes the jumps in one runtime.
#pragma once

#include "redirect/runtime.h"

// Takes over all functions of the runtime or none. Each entry's status tells why.
rd_status_t rd_code_apply(rd_runtime_t *runtime);

// Writes all the original bytes back, or none: RD_HOOKED where somebody else has written over a jump.
// The relay page stays: a thread may be in it.
rd_status_t rd_code_undo(rd_runtime_t *runtime);

// Writes the jumps again after an undo, all or none.
rd_status_t rd_code_redo(rd_runtime_t *runtime);

// operator new as it was before, or NULL; it throws, which the redirect cannot.
void *rd_original_new(const rd_runtime_t *runtime, size_t size);

// What a function of the runtime is replaced by.
void *rd_replacement_for(const rd_runtime_t *runtime, rd_function_t function);
