// SPDX-License-Identifier: MIT
// Runs of bits are claimed word by word with exchanges, and given back when a later word refuses.
#include "memory/bitmap.h"

#define WORD_BITS ((size_t)64)

static uint64_t word_mask(size_t bit, size_t count)
{
    return (count >= WORD_BITS ? ~UINT64_C(0) : ((UINT64_C(1) << count) - 1)) << bit;
}

// Bits of the run [index, index + count) that lie in the word of index.
static size_t part_in_word(size_t index, size_t count)
{
    return mi_min(count, WORD_BITS - index % WORD_BITS);
}

static bool claim_in_word(mi_bitmap_word_t *word, uint64_t mask)
{
    uint64_t old = mi_load_relaxed(word);
    do {
        if ((old & mask) != 0)
            return false;
        // acq_rel: acquire pairs with the release in mi_bitmap_release, what was written about the
        // bits before is visible to the new holder.
    } while (!mi_cas_weak_acq_rel(word, &old, old | mask));
    return true;
}

bool mi_bitmap_claim_at(mi_bitmap_word_t *map, size_t index, size_t count)
{
    size_t done = 0;
    while (done < count) {
        size_t bit = index + done;
        size_t part = part_in_word(bit, count - done);
        if (!claim_in_word(&map[bit / WORD_BITS], word_mask(bit % WORD_BITS, part))) {
            mi_bitmap_release(map, index, done);
            return false;
        }
        done += part;
    }
    return true;
}

void mi_bitmap_release(mi_bitmap_word_t *map, size_t index, size_t count)
{
    size_t done = 0;
    while (done < count) {
        size_t bit = index + done;
        size_t part = part_in_word(bit, count - done);
        (void)mi_and_acq_rel(&map[bit / WORD_BITS], ~word_mask(bit % WORD_BITS, part));
        done += part;
    }
}

// First clear bit at or after index, or bit_count.
static size_t next_clear(mi_bitmap_word_t *map, size_t bit_count, size_t index)
{
    while (index < bit_count) {
        uint64_t taken_before = word_mask(0, index % WORD_BITS);
        uint64_t clear = ~(mi_load_relaxed(&map[index / WORD_BITS]) | taken_before);
        if (clear != 0)
            return mi_min(mi_align_down(index, WORD_BITS) + mi_bit_low(clear), bit_count);
        index = mi_align_down(index, WORD_BITS) + WORD_BITS;
    }
    return bit_count;
}

bool mi_bitmap_claim(mi_bitmap_word_t *map, size_t bit_count, size_t start, size_t count,
                     size_t *index)
{
    size_t at = next_clear(map, bit_count, start);
    while (count <= bit_count && at <= bit_count - count) {
        if (mi_bitmap_claim_at(map, at, count)) {
            *index = at;
            return true;
        }
        at = next_clear(map, bit_count, at + 1);
    }
    return false;
}

bool mi_bitmap_is_set(mi_bitmap_word_t *map, size_t index)
{
    return (mi_load_acquire(&map[index / WORD_BITS]) >> (index % WORD_BITS) & 1) != 0;
}

bool mi_bitmap_take_one(mi_bitmap_word_t *map, size_t index)
{
    uint64_t mask = UINT64_C(1) << (index % WORD_BITS);
    return (mi_and_acq_rel(&map[index / WORD_BITS], ~mask) & mask) != 0;
}

void mi_bitmap_set_one(mi_bitmap_word_t *map, size_t index)
{
    (void)mi_or_acq_rel(&map[index / WORD_BITS], UINT64_C(1) << (index % WORD_BITS));
}
