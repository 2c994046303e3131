// SPDX-License-Identifier: MIT
// Arithmetic on sizes and addresses. Pure. Bits, and sums and products that cannot overflow unnoticed,
// are in compiler/intrinsics.h, which comes with it.
#pragma once

#include "base/config.h"
#include "compiler/intrinsics.h"

mi_inline bool mi_is_power_of_two(size_t x)
{
    return x != 0 && (x & (x - 1)) == 0;
}

// alignment is a power of two; the caller knows that x + alignment does not wrap.
mi_inline size_t mi_align_up(size_t x, size_t alignment)
{
    return (x + alignment - 1) & ~(alignment - 1);
}

mi_inline size_t mi_align_down(size_t x, size_t alignment)
{
    return x & ~(alignment - 1);
}

mi_inline bool mi_is_aligned(const void *p, size_t alignment)
{
    return ((uintptr_t)p & (alignment - 1)) == 0;
}

mi_inline size_t mi_div_up(size_t x, size_t divisor)
{
    return x / divisor + (x % divisor != 0);
}

mi_inline size_t mi_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

mi_inline size_t mi_max(size_t a, size_t b)
{
    return a > b ? a : b;
}

mi_inline void *mi_offset(const void *p, size_t bytes)
{
    return (void *)((uintptr_t)p + bytes);
}
