// SPDX-License-Identifier: MIT
// What compilers refer to in a DLL that has no compiler runtime. Programs that link the static library
// have their compiler's.
// 64-bit division on 32-bit x86, called by this name. Rare (clocks, printing), so it is short rather
// than fast. Other processors divide 64 bits themselves.
// In Microsoft's mode, a symbol that every object with floating point refers to; nothing reads it.
#include "base/bits.h"

#if MI_MICROSOFT_MODE
extern int _fltused;
int _fltused = 1;
#else
typedef int not_empty_t; // a translation unit may not be empty
#endif

#if MI_CPU_X86 && !MI_MICROSOFT_MODE

uint64_t __udivdi3(uint64_t dividend, uint64_t divisor);

static uint64_t divide_by_32(uint64_t dividend, uint32_t divisor)
{
    uint32_t upper = (uint32_t)(dividend >> 32);
    uint32_t rest;
    uint64_t quotient = (uint64_t)(upper / divisor) << 32;
    return quotient | mi_divide_64(upper % divisor, (uint32_t)dividend, divisor, &rest);
}

uint64_t __udivdi3(uint64_t dividend, uint64_t divisor)
{
    if (divisor <= UINT32_MAX)
        return divide_by_32(dividend, (uint32_t)divisor);
    // The quotient has at most as many bits as the divisor has leading zeros, and one more.
    unsigned shift = 31 - mi_bit_high((size_t)(divisor >> 32));
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
