// SPDX-License-Identifier: MIT
// What a public function does when it cannot do what was asked for: errno, a report, NULL.
#pragma once

#include "api/runtime.h"

// Out of memory for size bytes. NULL.
void *mi_fail_memory(size_t size);
// count * size does not fit. NULL.
void *mi_fail_overflow(size_t count, size_t size);
// alignment is not a power of two, or too large: errno EINVAL. NULL.
void *mi_fail_alignment(size_t alignment);
// p, given to mi_<what>, is not ours and nobody's who is known. Reported; errno stays.
void mi_fail_pointer(const char *what, const void *p);

mi_inline void *mi_or_fail(void *block, size_t size)
{
    return mi_likely(block != NULL) ? block : mi_fail_memory(size);
}
