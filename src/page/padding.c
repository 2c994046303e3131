// SPDX-License-Identifier: MIT
// The record at a block's end, and the pattern between the bytes asked for and the record.
#include "page/padding.h"

// Pattern behind the bytes asked for; so many of them are looked at.
#define GAP_BYTE  0xde
#define GAP_CHECK ((size_t)64)

// In the canary's first byte, which comes directly behind a block without a gap: so no character and
// no terminator leaves it as it was.
#define CANARY_NO_TEXT 0x80u

// Packed: a block of an odd address ends at an odd address.
#pragma pack(push, 1)
typedef struct padding {
    uint32_t canary;
    uint32_t gap; // bytes between the end of what was asked for and this record
} padding_t;
#pragma pack(pop)

_Static_assert(!MI_PADDING || sizeof(padding_t) == MI_PADDING_SIZE, "the record is the padding");

// Any thread may ask: only fields that never change are read, so not how many blocks are carved.
static bool is_block_start(const mi_page_t *page, const void *p)
{
    uintptr_t start = (uintptr_t)mi_page_start(page);
    size_t size = mi_page_block_size(page);
    return (uintptr_t)p >= start && ((uintptr_t)p - start) % size == 0 &&
           ((uintptr_t)p - start) / size < page->reserved;
}

const void *mi_padding_block_around(const mi_page_t *page, const void *p)
{
    uintptr_t start = (uintptr_t)mi_page_start(page);
    size_t size = mi_page_block_size(page);
    size_t index = ((uintptr_t)p - start) / size;
    bool is_inside = (uintptr_t)p >= start && index < page->reserved;
    return is_inside ? mi_offset((const void *)start, index * size) : NULL;
}

static padding_t *padding_of(const mi_page_t *page, const void *block)
{
    return mi_offset(block, mi_page_block_size(page) - sizeof(padding_t));
}

static uint32_t canary_of(const mi_page_t *page, const void *block)
{
#if MI_PADDING
    uint64_t mixed = ((uintptr_t)block ^ page->key[1]) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(mixed >> 32) | CANARY_NO_TEXT;
#else
    (void)page;
    return (uint32_t)(uintptr_t)block;
#endif
}

void mi_padding_set(const mi_page_t *page, void *block, size_t size)
{
    padding_t *padding = padding_of(page, block);
    size_t gap = mi_page_block_size(page) - sizeof *padding - size;
    padding->canary = canary_of(page, block);
    padding->gap = (uint32_t)gap;
    mi_fill((char *)block + size, GAP_BYTE, mi_min(gap, GAP_CHECK));
}

void mi_padding_set_freed(const mi_page_t *page, void *block)
{
    padding_of(page, block)->canary = ~canary_of(page, block);
}

// Offset of the first changed byte in the gap; gap when all are as they were.
static size_t first_changed(const unsigned char *gap_start, size_t gap)
{
    for (size_t i = 0; i < mi_min(gap, GAP_CHECK); i++) {
        if (gap_start[i] != GAP_BYTE)
            return i;
    }
    return gap;
}

mi_block_fault_t mi_padding_check(const mi_page_t *page, const void *block, size_t *size,
                                  size_t *past_end)
{
    size_t room = mi_page_block_size(page) - sizeof(padding_t);
    *size = room;
    *past_end = 0;
    if (!is_block_start(page, block))
        return MI_BLOCK_NOT_START;
    const padding_t *padding = padding_of(page, block);
    if (padding->gap <= room)
        *size = room - padding->gap;
    if (padding->canary == ~canary_of(page, block))
        return MI_BLOCK_FREED;
    if (padding->canary != canary_of(page, block) || padding->gap > room) {
        *size = room;
        return MI_BLOCK_OVERFLOWED;
    }
    *past_end = first_changed((const unsigned char *)block + *size, padding->gap);
    return *past_end == padding->gap ? MI_BLOCK_GOOD : MI_BLOCK_OVERFLOWED;
}
