// SPDX-License-Identifier: MIT
// C11 atomics under short names. The order is always in the name, since it is the part to review.
#pragma once

#include "base/bits.h"
#include "compiler/atomics.h"

#define mi_load_relaxed(p)        atomic_load_explicit((p), memory_order_relaxed)
#define mi_load_acquire(p)        atomic_load_explicit((p), memory_order_acquire)
#define mi_store_relaxed(p, v)    atomic_store_explicit((p), (v), memory_order_relaxed)
#define mi_store_release(p, v)    atomic_store_explicit((p), (v), memory_order_release)
#define mi_exchange_acq_rel(p, v) atomic_exchange_explicit((p), (v), memory_order_acq_rel)
#define mi_exchange_acquire(p, v) atomic_exchange_explicit((p), (v), memory_order_acquire)
#define mi_add_relaxed(p, v)      atomic_fetch_add_explicit((p), (v), memory_order_relaxed)
#define mi_sub_relaxed(p, v)      atomic_fetch_sub_explicit((p), (v), memory_order_relaxed)
#define mi_add_acq_rel(p, v)      atomic_fetch_add_explicit((p), (v), memory_order_acq_rel)
#define mi_sub_acq_rel(p, v)      atomic_fetch_sub_explicit((p), (v), memory_order_acq_rel)
#define mi_or_acq_rel(p, v)       atomic_fetch_or_explicit((p), (v), memory_order_acq_rel)
#define mi_and_acq_rel(p, v)      atomic_fetch_and_explicit((p), (v), memory_order_acq_rel)
// On failure *expected is what was there, read relaxed.
#define mi_cas_weak_release(p, expected, v)                                                        \
    atomic_compare_exchange_weak_explicit((p), (expected), (v), memory_order_release,              \
                                          memory_order_relaxed)
#define mi_cas_weak_acq_rel(p, expected, v)                                                        \
    atomic_compare_exchange_weak_explicit((p), (expected), (v), memory_order_acq_rel,              \
                                          memory_order_relaxed)
#define mi_cas_strong_acq_rel(p, expected, v)                                                      \
    atomic_compare_exchange_strong_explicit((p), (expected), (v), memory_order_acq_rel,            \
                                            memory_order_relaxed)
