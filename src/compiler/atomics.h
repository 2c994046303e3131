// SPDX-License-Identifier: MIT
// C11's atomics: the compiler's own, or, in Microsoft's spellings, the part of them that this project
// uses, from that compiler's Interlocked functions (its own C11 atomics are an experiment so far).
// Objects of 1, 4 and 8 bytes and pointers. Needs __typeof__: Visual Studio 2022 17.9 or newer.
//
// Interlocked functions are full barriers. Plain loads and stores are volatile ones; on x86 and x64 the
// processor keeps their order as far as acquire and release ask, so only the compiler must be held, and
// ARM64 needs a barrier instruction.
#pragma once

#include "compiler/intrinsics.h"

#if !MI_MSVC_LAYER

#include <stdatomic.h>

// The same for an object that is not declared atomic: code bytes, and slots of import tables.
#define mi_plain_load_relaxed(p)     __atomic_load_n((p), __ATOMIC_RELAXED)
#define mi_plain_store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define mi_plain_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define mi_plain_store_seq_cst(p, v) __atomic_store_n((p), (v), __ATOMIC_SEQ_CST)

#else

#define _Atomic(type) type volatile

typedef enum memory_order {
    memory_order_relaxed,
    memory_order_acquire,
    memory_order_release,
    memory_order_acq_rel,
    memory_order_seq_cst
} memory_order;

#if MI_CPU_X86
// Values travel as 64 bits, pointers too.
#pragma warning(disable : 4305 4306 4311 4312)
#endif

mi_inline void mi_atomic_barrier(memory_order order)
{
    if (order == memory_order_relaxed)
        return;
#if MI_CPU_ARM64
    __dmb(_ARM64_BARRIER_ISH);
#else
    mi_compiler_barrier();
    if (order == memory_order_seq_cst) {
        long nothing = 0;
        (void)_InterlockedOr(&nothing, 0);
    }
#endif
}

mi_inline uint64_t mi_atomic_load_8(const volatile void *p)
{
#if MI_CPU_X86
    // Two loads of a half each could see halves of two values.
    return (uint64_t)_InterlockedCompareExchange64((volatile long long *)(uintptr_t)p, 0, 0);
#else
    return *(const volatile uint64_t *)p;
#endif
}

mi_inline uint64_t mi_atomic_load(const volatile void *p, size_t size, memory_order order)
{
    uint64_t value = size == 1   ? *(const volatile uint8_t *)p
                     : size == 4 ? *(const volatile uint32_t *)p
                                 : mi_atomic_load_8(p);
    // A sequentially consistent store is an exchange, which no load passes.
    mi_atomic_barrier(order == memory_order_seq_cst ? memory_order_acquire : order);
    return value;
}

mi_inline uint64_t mi_atomic_exchange(volatile void *p, uint64_t value, size_t size)
{
    if (size == 1)
        return (uint8_t)_InterlockedExchange8(p, (char)value);
    if (size == 4)
        return (uint32_t)_InterlockedExchange(p, (long)value);
#if MI_CPU_X86
    uint64_t before = mi_atomic_load_8(p);
    for (;;) {
        uint64_t seen =
            (uint64_t)_InterlockedCompareExchange64(p, (long long)value, (long long)before);
        if (seen == before)
            return before;
        before = seen;
    }
#else
    return (uint64_t)_InterlockedExchange64(p, (long long)value);
#endif
}

mi_inline void mi_atomic_store(volatile void *p, uint64_t value, size_t size, memory_order order)
{
    if (order == memory_order_seq_cst || (size == 8 && MI_CPU_X86)) {
        (void)mi_atomic_exchange(p, value, size);
        return;
    }
    mi_atomic_barrier(order);
    if (size == 1)
        *(volatile uint8_t *)p = (uint8_t)value;
    else if (size == 4)
        *(volatile uint32_t *)p = (uint32_t)value;
    else
        *(volatile uint64_t *)p = value;
}

// What was there; it was exchanged when that is expected.
mi_inline uint64_t mi_atomic_compare(volatile void *p, uint64_t expected, uint64_t value,
                                     size_t size)
{
    if (size == 1)
        return (uint8_t)_InterlockedCompareExchange8(p, (char)value, (char)expected);
    if (size == 4)
        return (uint32_t)_InterlockedCompareExchange(p, (long)value, (long)expected);
    return (uint64_t)_InterlockedCompareExchange64(p, (long long)value, (long long)expected);
}

// *expected is memory of size bytes.
mi_inline bool mi_atomic_compare_exchange(volatile void *p, void *expected, uint64_t value,
                                          size_t size)
{
    uint64_t wanted = mi_atomic_load(expected, size, memory_order_relaxed);
    uint64_t seen = mi_atomic_compare(p, wanted, value, size);
    if (seen == wanted)
        return true;
    mi_atomic_store(expected, seen, size, memory_order_relaxed);
    return false;
}

#if MI_CPU_X86
#define MI_ATOMIC_CHANGE_8(p, before, after)                                                       \
    uint64_t before = mi_atomic_load_8(p);                                                         \
    for (;;) {                                                                                     \
        uint64_t seen = mi_atomic_compare(p, before, after, 8);                                    \
        if (seen == before)                                                                        \
            return before;                                                                         \
        before = seen;                                                                             \
    }
#endif

mi_inline uint64_t mi_atomic_add(volatile void *p, uint64_t value, size_t size)
{
    if (size == 1)
        return (uint8_t)_InterlockedExchangeAdd8(p, (char)value);
    if (size == 4)
        return (uint32_t)_InterlockedExchangeAdd(p, (long)value);
#if MI_CPU_X86
    MI_ATOMIC_CHANGE_8(p, before, before + value)
#else
    return (uint64_t)_InterlockedExchangeAdd64(p, (long long)value);
#endif
}

mi_inline uint64_t mi_atomic_or(volatile void *p, uint64_t value, size_t size)
{
    if (size == 1)
        return (uint8_t)_InterlockedOr8(p, (char)value);
    if (size == 4)
        return (uint32_t)_InterlockedOr(p, (long)value);
#if MI_CPU_X86
    MI_ATOMIC_CHANGE_8(p, before, before | value)
#else
    return (uint64_t)_InterlockedOr64(p, (long long)value);
#endif
}

mi_inline uint64_t mi_atomic_and(volatile void *p, uint64_t value, size_t size)
{
    if (size == 1)
        return (uint8_t)_InterlockedAnd8(p, (char)value);
    if (size == 4)
        return (uint32_t)_InterlockedAnd(p, (long)value);
#if MI_CPU_X86
    MI_ATOMIC_CHANGE_8(p, before, before & value)
#else
    return (uint64_t)_InterlockedAnd64(p, (long long)value);
#endif
}

#define MI_ATOMIC_TYPE(p) __typeof__(*(p))

#define atomic_load_explicit(p, order)                                                             \
    ((MI_ATOMIC_TYPE(p))mi_atomic_load((p), sizeof *(p), (order)))
#define atomic_store_explicit(p, v, order) mi_atomic_store((p), (uint64_t)(v), sizeof *(p), (order))
#define atomic_exchange_explicit(p, v, order)                                                      \
    ((MI_ATOMIC_TYPE(p))mi_atomic_exchange((p), (uint64_t)(v), sizeof *(p)))
#define atomic_fetch_add_explicit(p, v, order)                                                     \
    ((MI_ATOMIC_TYPE(p))mi_atomic_add((p), (uint64_t)(v), sizeof *(p)))
#define atomic_fetch_sub_explicit(p, v, order)                                                     \
    ((MI_ATOMIC_TYPE(p))mi_atomic_add((p), (uint64_t)0 - (uint64_t)(v), sizeof *(p)))
#define atomic_fetch_or_explicit(p, v, order)                                                      \
    ((MI_ATOMIC_TYPE(p))mi_atomic_or((p), (uint64_t)(v), sizeof *(p)))
#define atomic_fetch_and_explicit(p, v, order)                                                     \
    ((MI_ATOMIC_TYPE(p))mi_atomic_and((p), (uint64_t)(v), sizeof *(p)))
#define atomic_compare_exchange_strong_explicit(p, expected, v, order, order_if_not)               \
    mi_atomic_compare_exchange((p), (expected), (uint64_t)(v), sizeof *(p))
#define atomic_compare_exchange_weak_explicit(p, expected, v, order, order_if_not)                 \
    atomic_compare_exchange_strong_explicit(p, expected, v, order, order_if_not)
#define atomic_thread_fence(order) mi_atomic_barrier(order)

#define atomic_load(p)         atomic_load_explicit(p, memory_order_seq_cst)
#define atomic_store(p, v)     atomic_store_explicit(p, v, memory_order_seq_cst)
#define atomic_exchange(p, v)  atomic_exchange_explicit(p, v, memory_order_seq_cst)
#define atomic_fetch_add(p, v) atomic_fetch_add_explicit(p, v, memory_order_seq_cst)
#define atomic_fetch_sub(p, v) atomic_fetch_sub_explicit(p, v, memory_order_seq_cst)
#define atomic_compare_exchange_weak(p, expected, v)                                               \
    mi_atomic_compare_exchange((p), (expected), (uint64_t)(v), sizeof *(p))
#define atomic_compare_exchange_strong(p, expected, v) atomic_compare_exchange_weak(p, expected, v)

#define mi_plain_load_relaxed(p)     atomic_load_explicit(p, memory_order_relaxed)
#define mi_plain_store_relaxed(p, v) atomic_store_explicit(p, v, memory_order_relaxed)
#define mi_plain_store_release(p, v) atomic_store_explicit(p, v, memory_order_release)
#define mi_plain_store_seq_cst(p, v) atomic_store_explicit(p, v, memory_order_seq_cst)

#endif
