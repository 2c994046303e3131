// SPDX-License-Identifier: MIT
// One bit for each slice of a segment: sets, runs and counts. Plain words, for one owner.
#pragma once

#include "base/bits.h"

#define MI_SLICE_WORDS (MI_SLICES_PER_SEGMENT / 64)

typedef uint64_t mi_slice_mask_t[MI_SLICE_WORDS];

void mi_slice_mask_set(uint64_t *mask, size_t slice, size_t count);
void mi_slice_mask_clear(uint64_t *mask, size_t slice, size_t count);
bool mi_slice_mask_is_empty(const uint64_t *mask);
// Whether any of these bits is set, and whether all are.
bool mi_slice_mask_any(const uint64_t *mask, size_t slice, size_t count);
bool mi_slice_mask_all(const uint64_t *mask, size_t slice, size_t count);
// The first bit in [from, to) that is set (clear, when value is false); to when there is none.
size_t mi_slice_mask_next(const uint64_t *mask, bool value, size_t from, size_t to);
// The lowest run of count set bits; MI_SLICES_PER_SEGMENT when there is none.
size_t mi_slice_mask_find(const uint64_t *mask, size_t count);
// The next run of set bits at or after from: its start (MI_SLICES_PER_SEGMENT: none) and its length.
size_t mi_slice_mask_next_run(const uint64_t *mask, size_t from, size_t *count);
