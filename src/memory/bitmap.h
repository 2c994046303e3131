// SPDX-License-Identifier: MIT
// Atomic claim and release of runs of bits. A set bit is taken. Any thread, no lock: a thread that
// is killed in the middle leaks at most the bits that it was claiming.
#pragma once

#include "base/atomic.h"

typedef _Atomic(uint64_t) mi_bitmap_word_t;

// Sets count clear bits in a row within the first bit_count bits, the lowest such run at or after
// start that it can get. False when there is none; then nothing has changed.
bool mi_bitmap_claim(mi_bitmap_word_t *map, size_t bit_count, size_t start, size_t count,
                     size_t *index);
// Sets exactly these bits; false (and no change) when one of them was set.
bool mi_bitmap_claim_at(mi_bitmap_word_t *map, size_t index, size_t count);
// Clears bits that the caller has claimed. release: publishes what it wrote about them.
void mi_bitmap_release(mi_bitmap_word_t *map, size_t index, size_t count);
bool mi_bitmap_is_set(mi_bitmap_word_t *map, size_t index);
// Clears one bit; true for the one caller that found it set.
bool mi_bitmap_take_one(mi_bitmap_word_t *map, size_t index);
void mi_bitmap_set_one(mi_bitmap_word_t *map, size_t index);
