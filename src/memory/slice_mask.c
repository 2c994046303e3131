// SPDX-License-Identifier: MIT
// Bit runs over the words of a mask.
#include "memory/slice_mask.h"

#define WORD_BITS ((size_t)64)

static uint64_t part_mask(size_t bit, size_t count)
{
    return (count >= WORD_BITS ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1) << bit;
}

void mi_slice_mask_set(uint64_t *mask, size_t slice, size_t count)
{
    while (count > 0) {
        size_t bit = slice % WORD_BITS;
        size_t part = mi_min(count, WORD_BITS - bit);
        mask[slice / WORD_BITS] |= part_mask(bit, part);
        slice += part;
        count -= part;
    }
}

void mi_slice_mask_clear(uint64_t *mask, size_t slice, size_t count)
{
    while (count > 0) {
        size_t bit = slice % WORD_BITS;
        size_t part = mi_min(count, WORD_BITS - bit);
        mask[slice / WORD_BITS] &= ~part_mask(bit, part);
        slice += part;
        count -= part;
    }
}

// Whether one of these bits differs from flip's.
static bool any_other(const uint64_t *mask, size_t slice, size_t count, uint64_t flip)
{
    uint64_t found = 0;
    while (count > 0) {
        size_t bit = slice % WORD_BITS;
        size_t part = mi_min(count, WORD_BITS - bit);
        found |= (mask[slice / WORD_BITS] ^ flip) & part_mask(bit, part);
        slice += part;
        count -= part;
    }
    return found != 0;
}

bool mi_slice_mask_any(const uint64_t *mask, size_t slice, size_t count)
{
    return any_other(mask, slice, count, 0);
}

bool mi_slice_mask_all(const uint64_t *mask, size_t slice, size_t count)
{
    return !any_other(mask, slice, count, ~UINT64_C(0));
}

bool mi_slice_mask_is_empty(const uint64_t *mask)
{
    uint64_t any = 0;
    for (size_t i = 0; i < MI_SLICE_WORDS; i++)
        any |= mask[i];
    return any == 0;
}

// The first bit at or after from that is set, or clear when flip is all ones.
static size_t next_bit(const uint64_t *mask, size_t from, uint64_t flip)
{
    while (from < MI_SLICES_PER_SEGMENT) {
        uint64_t word = (mask[from / WORD_BITS] ^ flip) >> (from % WORD_BITS);
        if (word != 0)
            return from + mi_bit_low(word);
        from = (from / WORD_BITS + 1) * WORD_BITS;
    }
    return MI_SLICES_PER_SEGMENT;
}

size_t mi_slice_mask_next(const uint64_t *mask, bool value, size_t from, size_t to)
{
    return mi_min(next_bit(mask, from, value ? 0 : ~UINT64_C(0)), to);
}

size_t mi_slice_mask_next_run(const uint64_t *mask, size_t from, size_t *count)
{
    size_t start = next_bit(mask, from, 0);
    *count = start == MI_SLICES_PER_SEGMENT ? 0 : next_bit(mask, start, ~UINT64_C(0)) - start;
    return start;
}

size_t mi_slice_mask_find(const uint64_t *mask, size_t count)
{
    size_t run;
    size_t start = mi_slice_mask_next_run(mask, 0, &run);
    while (run != 0 && run < count)
        start = mi_slice_mask_next_run(mask, start + run, &run);
    return run == 0 ? MI_SLICES_PER_SEGMENT : start;
}
