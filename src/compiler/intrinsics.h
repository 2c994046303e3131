// SPDX-License-Identifier: MIT
// Instructions that C has no words for, under one name each, for every compiler: bits, products that do
// not fit, short copies, the thread block, the processor's clock. Pure but for the last two.
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler/compiler.h"

#if MI_MSVC_LAYER
#include <intrin.h>
#include <string.h>
#endif

// ---- bits ----
// mi_bit_high(x)   index of the highest set bit of 64; x is not 0
// mi_bit_low(x)    index of the lowest set bit of 64; x is not 0
// mi_bit_count(x)  how many of 64 are set

#if MI_MSVC_LAYER

mi_inline unsigned mi_bit_high(uint64_t x)
{
    unsigned long index;
#if MI_CPU_X86
    if (_BitScanReverse(&index, (unsigned long)(x >> 32)))
        return (unsigned)index + 32;
    (void)_BitScanReverse(&index, (unsigned long)x);
#else
    (void)_BitScanReverse64(&index, x);
#endif
    return (unsigned)index;
}

mi_inline unsigned mi_bit_low(uint64_t x)
{
    unsigned long index;
#if MI_CPU_X86
    if (_BitScanForward(&index, (unsigned long)x))
        return (unsigned)index;
    (void)_BitScanForward(&index, (unsigned long)(x >> 32));
    return (unsigned)index + 32;
#else
    (void)_BitScanForward64(&index, x);
    return (unsigned)index;
#endif
}

#else

mi_inline unsigned mi_bit_high(uint64_t x)
{
    return (unsigned)(sizeof(unsigned long long) * CHAR_BIT - 1) ^
           (unsigned)__builtin_clzll((unsigned long long)x);
}

mi_inline unsigned mi_bit_low(uint64_t x)
{
    return (unsigned)__builtin_ctzll(x);
}

#endif

// Sums neighbours: not every x64 has the instruction, and GCC calls its own library for it.
mi_inline unsigned mi_bit_count(uint64_t x)
{
    x = x - ((x >> 1) & 0x5555555555555555u);
    x = (x & 0x3333333333333333u) + ((x >> 2) & 0x3333333333333333u);
    x = (x + (x >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
    return (unsigned)((x * 0x0101010101010101u) >> 56);
}

// ---- sums and products of sizes: false, and *total undefined, when they do not fit ----

#if MI_MSVC_LAYER

mi_inline bool mi_mul_size(size_t count, size_t size, size_t *total)
{
#if MI_CPU_X86
    uint64_t product = (uint64_t)count * size;
    *total = (size_t)product;
    return product >> 32 == 0;
#elif MI_CPU_X64
    uint64_t high;
    *total = _umul128(count, size, &high);
    return high == 0;
#else
    *total = count * size;
    return __umulh(count, size) == 0;
#endif
}

mi_inline bool mi_add_size(size_t a, size_t b, size_t *total)
{
    *total = a + b;
    return *total >= a;
}

#else

mi_inline bool mi_mul_size(size_t count, size_t size, size_t *total)
{
    return !__builtin_mul_overflow(count, size, total);
}

mi_inline bool mi_add_size(size_t a, size_t b, size_t *total)
{
    return !__builtin_add_overflow(a, b, total);
}

#endif

// ---- order ----

// The compiler moves no access to memory across this; the processor may.
mi_inline void mi_compiler_barrier(void)
{
#if MI_MSVC_LAYER
#pragma warning(push)
#pragma warning(disable : 4996) // said to be for old code, but there is no other in C
    _ReadWriteBarrier();
#pragma warning(pop)
#else
    __asm__ volatile("" : : : "memory");
#endif
}

// ---- memory ----
// mi_copy, mi_fill     memcpy and memset that become a few instructions where the size is known, also
//                      in code that is built without the compiler's knowledge of these functions
// mi_copy_up           copies upwards, by the processor's own loop (x86, x64)
// mi_fill_up           fills with one byte, likewise
// mi_keep_loop()       in a loop that must not become a call of memcpy or memset: GCC and clang are
//                      told so by the build

#define MI_HAS_STRING_LOOPS (MI_CPU_X64 || MI_CPU_X86)

#if MI_MSVC_LAYER
#define mi_copy(to, from, size)    ((void)memcpy((to), (from), (size)))
#define mi_fill(to, byte, size)    ((void)memset((to), (byte), (size)))
#define mi_copy_up(to, from, size) __movsb((to), (from), (size))
#define mi_keep_loop()             mi_compiler_barrier()
#if MI_HAS_STRING_LOOPS
// By __stosd: clang makes a call of memset of __stosb, and memset is made of this.
mi_inline void mi_fill_up(unsigned char *to, unsigned char byte, size_t size)
{
    for (; size % 4 != 0; size--) {
        *to++ = byte;
        mi_keep_loop();
    }
    __stosd((unsigned long *)(void *)to, byte * 0x01010101u, size / 4);
}
#endif
#else
#define mi_copy(to, from, size) ((void)__builtin_memcpy((to), (from), (size)))
#define mi_fill(to, byte, size) ((void)__builtin_memset((to), (byte), (size)))
#define mi_keep_loop()          ((void)0)
#if MI_HAS_STRING_LOOPS
mi_inline void mi_copy_up(unsigned char *to, const unsigned char *from, size_t size)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

mi_inline void mi_fill_up(unsigned char *to, unsigned char byte, size_t size)
{
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
}
#endif
#endif

// ---- the processor ----

#define MI_HAS_CYCLES (MI_CPU_X64 || MI_CPU_X86)
#if MI_HAS_CYCLES
mi_inline uint64_t mi_cycles(void)
{
#if MI_MSVC_LAYER
    return __rdtsc();
#else
    return __builtin_ia32_rdtsc();
#endif
}
#endif

// Tells the processor that the bytes at an address will be read soon. On x86 not every one can.
#if !MI_MSVC_LAYER
#define mi_prefetch(p) __builtin_prefetch(p)
#elif MI_CPU_X64
#define mi_prefetch(p) _mm_prefetch((const char *)(p), _MM_HINT_T0)
#elif MI_CPU_ARM64
#define mi_prefetch(p) __prefetch(p)
#else
#define mi_prefetch(p) ((void)(p))
#endif

// Ends the process at once, without a word.
#if MI_MSVC_LAYER
#define mi_trap() __fastfail(7) // FAST_FAIL_FATAL_APP_EXIT
#else
#define mi_trap() __builtin_trap()
#endif

// dividend / divisor, whose quotient must fit 32 bits: the upper half is below divisor.
#if MI_CPU_X86 && !MI_MICROSOFT_MODE
mi_inline uint32_t mi_divide_64(uint32_t upper, uint32_t lower, uint32_t divisor, uint32_t *rest)
{
    uint32_t quotient;
    __asm__("divl %4" : "=a"(quotient), "=d"(*rest) : "a"(lower), "d"(upper), "rm"(divisor) : "cc");
    return quotient;
}
#endif

// ---- the thread ----

#if defined(_WIN32)
// A word of the thread block, by its offset.
mi_inline uintptr_t mi_teb_word(uint32_t offset)
{
#if MI_MSVC_LAYER && MI_CPU_X64
    return __readgsqword(offset);
#elif MI_MSVC_LAYER && MI_CPU_X86
    return __readfsdword(offset);
#elif MI_MSVC_LAYER
    return *(const volatile uintptr_t *)(uintptr_t)(__getReg(18) + offset);
#elif MI_CPU_X64 && defined(__clang__)
    // As a named address space the word can be an operand of the instruction that needs it. GCC has it
    // too, but not in the standard language.
    return *(const uintptr_t __seg_gs *)(uintptr_t)offset;
#elif MI_CPU_X86 && defined(__clang__)
    return *(const uintptr_t __seg_fs *)(uintptr_t)offset;
#elif MI_CPU_X64
    uintptr_t word;
    __asm__ volatile("movq %%gs:%a1, %0" : "=r"(word) : "ri"((uint64_t)offset));
    return word;
#elif MI_CPU_X86
    uintptr_t word;
    __asm__ volatile("movl %%fs:%a1, %0" : "=r"(word) : "ri"(offset));
    return word;
#else
    uintptr_t word;
    __asm__ volatile("ldr %0, [x18, %1]" : "=r"(word) : "r"((uint64_t)offset));
    return word;
#endif
}
#else
// A value that no other live thread has.
mi_inline uintptr_t mi_thread_pointer(void)
{
    return (uintptr_t)__builtin_thread_pointer();
}
#endif
