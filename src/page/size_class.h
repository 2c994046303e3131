// SPDX-License-Identifier: MIT
// Size classes: every 16 bytes up to 128, then eight per doubling, so that at most 1/9 of a block is
// lost by rounding up. Class 1 is the smallest; class 0 does not exist. Pure.
#pragma once

#include "base/bits.h"

#define MI_CLASS_EXACT_MAX ((size_t)128) // up to here in steps of MI_BLOCK_ALIGN
#define MI_CLASS_EXACT     8             // classes up to MI_CLASS_EXACT_MAX
#define MI_CLASS_STEPS     8             // classes per doubling above it

// Class of the largest block in a shared segment, and the one of huge blocks.
#if MI_64BIT
#define MI_CLASS_LARGEST (MI_CLASS_EXACT + (24 - 7) * MI_CLASS_STEPS) // 16 MiB = 2^24
#else
#define MI_CLASS_LARGEST (MI_CLASS_EXACT + (21 - 7) * MI_CLASS_STEPS) // 2 MiB = 2^21
#endif
#define MI_CLASS_HUGE  (MI_CLASS_LARGEST + 1)
#define MI_CLASS_COUNT (MI_CLASS_HUGE + 1)

_Static_assert((size_t)1 << ((MI_CLASS_LARGEST - MI_CLASS_EXACT) / MI_CLASS_STEPS + 7) ==
                   MI_LARGE_MAX,
               "the last class is the largest block");

// Of the largest blocks that are looked up in a table of sizes, and that share a page with others.
#define MI_CLASS_SMALL_LAST  (MI_CLASS_EXACT + (10 - 7) * MI_CLASS_STEPS)
#define MI_CLASS_SHARED_LAST (MI_CLASS_EXACT + (16 - 7) * MI_CLASS_STEPS)
_Static_assert((size_t)1 << 10 == MI_SMALL_MAX && (size_t)1 << 16 == MI_MEDIUM_PAGE_BLOCK_MAX,
               "classes that are told apart by their size");

// size <= MI_LARGE_MAX; 0 counts as 1.
mi_inline size_t mi_size_class(size_t size)
{
    if (size <= MI_CLASS_EXACT_MAX)
        return size == 0 ? 1 : (size + MI_BLOCK_ALIGN - 1) / MI_BLOCK_ALIGN;
    size_t last = size - 1;
    size_t high = mi_bit_high(last);
    // The highest bit and the three behind it are 8 to 15: the bit itself counts as one doubling.
    return MI_CLASS_STEPS * high + (last * MI_CLASS_STEPS >> high) - MI_CLASS_STEPS * 7 + 1;
}

// Bytes of the blocks of a class, 1 to MI_CLASS_LARGEST.
mi_inline size_t mi_class_size(size_t size_class)
{
    if (size_class <= MI_CLASS_EXACT)
        return size_class * MI_BLOCK_ALIGN;
    size_t doubling = (size_class - 1) / MI_CLASS_STEPS;
    size_t step = (size_class - 1) % MI_CLASS_STEPS;
    return (MI_CLASS_STEPS + step + 1) << (doubling + 3);
}

// Slices of a heap's next page of this class, of which it has so many pages by now (4 stands for
// more): pages grow with the number of blocks, so that a few blocks of many sizes do not hold a full
// page each. A full page holds at least eight blocks.
mi_inline size_t mi_class_slices(size_t size_class, size_t page_count)
{
    size_t size = mi_class_size(size_class);
    if (size <= MI_MEDIUM_PAGE_BLOCK_MAX) {
        size_t full = size <= MI_SMALL_PAGE_BLOCK_MAX ? MI_SMALL_PAGE_SIZE
                                                      : (size_t)16 << mi_bit_high(size - 1);
        // Secure pages end with a guard, which should not be a large part of them.
        unsigned shift = MI_SECURE || page_count >= 4 ? 0 : page_count >= 2 ? 1 : 2;
        return mi_max(full >> shift, mi_align_up(2 * size, MI_SLICE_SIZE)) / MI_SLICE_SIZE;
    }
    // Secure builds have a guard behind the block.
    return mi_div_up(size + (MI_SECURE ? MI_SLICE_SIZE / 4 : 0), MI_SLICE_SIZE);
}
