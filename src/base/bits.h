// SPDX-License-Identifier: MIT
// Arithmetic on sizes and bits that cannot overflow unnoticed. Pure; needs nothing but the compiler.
#pragma once

#include "base/config.h"

#define mi_likely(x)   __builtin_expect(!!(x), 1)
#define mi_unlikely(x) __builtin_expect(!!(x), 0)
#define mi_noinline    __attribute__((noinline))
#define mi_cold        __attribute__((noinline, cold))
#define mi_inline      static inline __attribute__((always_inline))
// GCC for Windows checks against Microsoft's printf unless told otherwise; clang has only one.
#if defined(__clang__)
#define mi_attr_format(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define mi_attr_format(fmt, args) __attribute__((format(gnu_printf, fmt, args)))
#endif

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

// Index of the highest set bit; x is not 0.
mi_inline unsigned mi_bit_high(size_t x)
{
    return (unsigned)(sizeof(unsigned long long) * CHAR_BIT - 1) ^
           (unsigned)__builtin_clzll((unsigned long long)x);
}

// Index of the lowest set bit; x is not 0.
mi_inline unsigned mi_bit_low(uint64_t x)
{
    return (unsigned)__builtin_ctzll(x);
}

// False and *total undefined when count * size does not fit a size_t.
mi_inline bool mi_mul_size(size_t count, size_t size, size_t *total)
{
    return !__builtin_mul_overflow(count, size, total);
}

mi_inline bool mi_add_size(size_t a, size_t b, size_t *total)
{
    return !__builtin_add_overflow(a, b, total);
}

mi_inline void *mi_offset(const void *p, size_t bytes)
{
    return (void *)((uintptr_t)p + bytes);
}
