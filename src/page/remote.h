// SPDX-License-Identifier: MIT
// Blocks that other threads free: one word per page, a list that is pushed to with one exchange and
// taken whole by the owner. Who pushes the first block of a list tells the owner (mi_thread_tell),
// which may have gone quiet. Who makes the list 1, 8, 16, 32, ... blocks long marks the page as pending
// before it pushes, so that an owner which needs a page finds those of which much has come back.
// A push writes nothing but these words and the block, and reads no page record: the owner writes
// records all the time, and the line would go back and forth.
#pragma once

#include "page/page.h"

// The word is the list's first block with, where addresses leave room for it, the number of its
// blocks above: the owner needs to know how many have come, and should not have to touch them all.
#define MI_REMOTE_COUNT_SHIFT 48
_Static_assert(!MI_64BIT || MI_ADDRESS_BITS <= MI_REMOTE_COUNT_SHIFT,
               "a count fits above an address");

// The word of a list with one more block.
mi_inline uintptr_t mi_remote_with(uintptr_t word, const mi_block_t *block)
{
#if MI_64BIT
    uintptr_t count_mask = ~(((uintptr_t)1 << MI_REMOTE_COUNT_SHIFT) - 1);
    return ((word & count_mask) + ((uintptr_t)1 << MI_REMOTE_COUNT_SHIFT)) | (uintptr_t)block;
#else
    (void)word;
    return (uintptr_t)block;
#endif
}

mi_inline mi_block_t *mi_remote_first(uintptr_t word)
{
#if MI_64BIT
    word &= ((uintptr_t)1 << MI_REMOTE_COUNT_SHIFT) - 1;
#endif
    return (mi_block_t *)word;
}

mi_inline uint32_t mi_remote_count_of(uintptr_t word)
{
#if MI_64BIT
    return (uint32_t)(word >> MI_REMOTE_COUNT_SHIFT);
#else
    (void)word;
    return 0;
#endif
}

// Whether a list that has grown to so many blocks is marked, but for its first one: 8, 16, 32, ...
mi_inline bool mi_remote_is_mark(uint32_t count)
{
    return mi_unlikely((count & (count - 1)) == 0) && count >= 8;
}

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
// The same where nobody is to be told or marked, as mostly. False: nothing was done.
mi_inline bool mi_remote_push_more(mi_segment_t *segment, mi_page_t *page, mi_block_t *block)
{
    mi_remote_t *remote = &segment->remote[page - segment->pages];
    uintptr_t word = mi_load_relaxed(remote);
    uintptr_t next;
    do {
        next = mi_remote_with(word, block);
        if (mi_unlikely(word <= MI_REMOTE_SINGLE || mi_remote_is_mark(mi_remote_count_of(next))))
            return false;
        mi_block_set_next(page, block, mi_remote_first(word));
        // Orders as in mi_remote_push.
    } while (!atomic_compare_exchange_weak_explicit(remote, &word, next, memory_order_seq_cst,
                                                    memory_order_relaxed));
    return true;
}

// Owner: takes all.
mi_remote_list_t mi_remote_take(mi_page_t *page);

// Any thread that is about to push: whether the page has only this block.
mi_inline bool mi_remote_is_single(const mi_page_t *page)
{
    return mi_load_relaxed(mi_page_remote(page)) == MI_REMOTE_SINGLE;
}

mi_inline bool mi_remote_is_empty(const mi_page_t *page)
{
    return mi_load_relaxed(mi_page_remote(page)) <= MI_REMOTE_SINGLE;
}

// Owner: how many blocks wait; many, where a list that is not empty does not say.
uint32_t mi_remote_count(const mi_page_t *page);

// Owner: calls visit for each page of the segments that is pending and has something on its list; that
// page is pending no more. visit may free the page it is given.
void mi_remote_visit_pending(mi_segments_t *segments, mi_page_visit_t *visit, void *arg);
