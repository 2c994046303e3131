// SPDX-License-Identifier: MIT
// What an allocation function does when it cannot give what was asked for: set errno where there is
// a C runtime to hold it, report, and return NULL.
#pragma once

#include "base/bits.h"

// No memory for size bytes, or size is beyond every limit: ENOMEM.
mi_cold void *mi_fail_no_memory(size_t size);
// count * size does not fit: errno ENOMEM, reported as EOVERFLOW.
mi_cold void *mi_fail_overflow(size_t count, size_t size);
// Not a power of two, or too large: EINVAL.
mi_cold void *mi_fail_alignment(size_t alignment);
// A pointer that is not a block of ours: reported as EINVAL, errno stays. what: "free", ...
mi_cold void mi_fail_pointer(const char *what, const void *p);
