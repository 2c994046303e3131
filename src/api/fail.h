// SPDX-License-Identifier: MIT
// What a public function does when it cannot allocate: errno, a report, NULL.
#pragma once

#include "base/bits.h"

// Sets errno where a C runtime is there to hold it.
void mi_set_errno(int value);
// Out of memory for size bytes. NULL.
void *mi_fail_memory(size_t size);
// count * size does not fit. NULL.
void *mi_fail_overflow(size_t count, size_t size);

mi_inline void *mi_or_fail(void *block, size_t size)
{
    return mi_likely(block != NULL) ? block : mi_fail_memory(size);
}
