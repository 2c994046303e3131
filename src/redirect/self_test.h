// SPDX-License-Identifier: MIT
// The proof that a runtime is redirected: its own functions are called.
#pragma once

#include "redirect/runtime.h"

// A block from the runtime's entry lies in the allocator's memory, has its size and goes back.
rd_status_t rd_self_test(const rd_runtime_t *runtime);
