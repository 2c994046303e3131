// SPDX-License-Identifier: MIT
// Blocks that other threads free: one word per page, a list that is pushed to with one exchange and
// taken whole by the owner. There is no state in the word: an owner looks at its full pages by
// itself, a few at a time, before it asks for fresh memory. Who pushes the first block of a list tells
// the owner (mi_thread_tell), which may have gone quiet.
// A push writes nothing but this word and the block, and reads no page record: the owner writes
// records all the time, and the line would go back and forth.
#pragma once

#include "page/page.h"

// The word is the list's first block with, where addresses leave room for it, the number of its
// blocks above: the owner needs to know how many have come, and should not have to touch them all.
#define MI_REMOTE_COUNT_SHIFT 48
_Static_assert(!MI_64BIT || MI_ADDRESS_BITS <= MI_REMOTE_COUNT_SHIFT,
               "a count fits above an address");

// The word of a page with one block that nobody has freed.
#define MI_REMOTE_SINGLE ((uintptr_t)1)

typedef struct mi_remote_list {
    mi_block_t *first; // NULL: nothing was freed
    uint32_t count;    // 0: unknown
} mi_remote_list_t;

// Owner: for a page that is new, before anybody else knows its blocks. reserved is set.
void mi_remote_init(mi_page_t *page);
// Any thread but the owner. The block must not be touched afterwards. Whom to tell, if it is the first
// of the list, or NULL.
mi_segments_t *mi_remote_push(mi_page_t *page, mi_block_t *block);
// Owner: takes all.
mi_remote_list_t mi_remote_take(mi_page_t *page);

// Any thread that is about to push: whether the page has only this block.
mi_inline bool mi_remote_is_single(const mi_page_t *page)
{
    return mi_load_relaxed(mi_page_remote(page)) == MI_REMOTE_SINGLE;
}

// Some page of one block in the segment has been freed by another thread, or is just about to be.
mi_inline bool mi_segment_has_remote_single(mi_segment_t *segment)
{
    return mi_load_relaxed(&segment->remote_single) != 0;
}

mi_inline bool mi_remote_is_empty(const mi_page_t *page)
{
    return mi_load_relaxed(mi_page_remote(page)) <= MI_REMOTE_SINGLE;
}
