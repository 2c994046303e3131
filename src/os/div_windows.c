// SPDX-License-Identifier: MIT
// What compilers refer to in a DLL that has no compiler runtime. Programs that link the static library
// have their compiler's.
// 64-bit division on 32-bit x86, called by this name. Rare (clocks, printing), so it is short rather
// than fast. Other processors divide 64 bits themselves.
// In Microsoft's mode, a symbol that every object with floating point refers to; nothing reads it.
#include "base/bits.h"

#if defined(_MSC_VER)
extern int _fltused;
int _fltused = 1;
#else
typedef int not_empty_t; // a translation unit may not be empty
#endif

#if defined(__i386__) && !defined(_MSC_VER)

uint64_t __udivdi3(uint64_t dividend, uint64_t divisor);

// The quotient must fit 32 bits: upper < divisor.
static uint32_t divide_step(uint32_t upper, uint32_t lower, uint32_t divisor, uint32_t *rest)
{
    uint32_t quotient;
    __asm__("divl %4" : "=a"(quotient), "=d"(*rest) : "a"(lower), "d"(upper), "rm"(divisor) : "cc");
    return quotient;
}

static uint64_t divide_by_32(uint64_t dividend, uint32_t divisor)
{
    uint32_t upper = (uint32_t)(dividend >> 32);
    uint32_t rest;
    uint64_t quotient = (uint64_t)(upper / divisor) << 32;
    return quotient | divide_step(upper % divisor, (uint32_t)dividend, divisor, &rest);
}

uint64_t __udivdi3(uint64_t dividend, uint64_t divisor)
{
    if (divisor <= UINT32_MAX)
        return divide_by_32(dividend, (uint32_t)divisor);
    // The quotient has at most as many bits as the divisor has leading zeros, and one more.
    unsigned shift = (unsigned)__builtin_clz((uint32_t)(divisor >> 32));
    uint64_t quotient = 0;
    for (uint64_t part = divisor << shift;; part >>= 1) {
        quotient <<= 1;
        if (dividend >= part) {
            dividend -= part;
            quotient |= 1;
        }
        if (part == divisor)
            return quotient;
    }
}

#endif
