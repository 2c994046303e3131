// SPDX-License-Identifier: MIT
// Blocks that other threads free: one word per page, a list that is pushed to with one exchange and
// taken whole by the owner. Who pushes the first block of a list tells the owner (mi_thread_tell),
// which may have gone quiet. Who pushes the first block, or half of the blocks, three quarters and so
// on, marks the page as pending before, so that an owner which needs a page finds those of which much
// has come back.
// Who pushes the last one, so that all blocks of the page are on the list, may give the page's memory
// back to the system when the owner rests: nobody else can have a use for it.
// A push writes nothing but these words and the block, and reads no page record: the owner writes
// records all the time, and the line would go back and forth.
#pragma once

#include "page/page.h"

// The word is the list's first block, or one of the marks below. Where addresses leave room for it, a
// count stands above that begins at 0 - reserved and comes to 0 with the page's last block.
#define MI_REMOTE_COUNT_SHIFT 48
_Static_assert(!MI_64BIT || MI_ADDRESS_BITS <= MI_REMOTE_COUNT_SHIFT,
               "a count fits above an address");
#if MI_64BIT
#define MI_REMOTE_FIRST_MASK (((uintptr_t)1 << MI_REMOTE_COUNT_SHIFT) - 1)
#else
#define MI_REMOTE_FIRST_MASK UINTPTR_MAX
#endif

// Instead of the first block.
#define MI_REMOTE_NONE   ((uintptr_t)0)
#define MI_REMOTE_SINGLE ((uintptr_t)1) // nobody has freed the page's only block
#define MI_REMOTE_BUSY   ((uintptr_t)2) // all blocks are free; their memory is being given back
#define MI_REMOTE_ALL    ((uintptr_t)3) // all blocks are free, and their content is gone

typedef struct mi_remote_list {
    mi_block_t *first; // NULL: nothing was freed, or all
    uint32_t count;    // 0: unknown, if there is a first
    bool is_all;       // all blocks of the page are free, and not linked
} mi_remote_list_t;

mi_inline uintptr_t mi_remote_first(uintptr_t word)
{
    return word & MI_REMOTE_FIRST_MASK;
}

// The word of a list with one more block.
mi_inline uintptr_t mi_remote_with(uintptr_t word, const mi_block_t *block)
{
#if MI_64BIT
    return ((word & ~MI_REMOTE_FIRST_MASK) + MI_REMOTE_FIRST_MASK + 1) | (uintptr_t)block;
#else
    (void)word;
    return (uintptr_t)block;
#endif
}

// Whether the page is marked as pending when its word comes to this: with 0, 8, 16, 32, ... blocks left
// that are not on the list. Where the word has no count, its first block is all that tells.
mi_inline bool mi_remote_is_mark(uintptr_t word)
{
#if MI_64BIT
    uint32_t left = (uint16_t)(0 - (word >> MI_REMOTE_COUNT_SHIFT));
    return ((left & (left - 1)) | (left & 7)) == 0;
#else
    (void)word;
    return false;
#endif
}

// Owner: for a page that is new, before anybody else knows its blocks. reserved is set.
void mi_remote_init(mi_page_t *page);
// Any thread but the owner. The block must not be touched afterwards. Whom to tell, if it is the first
// of the list, or NULL.
mi_segments_t *mi_remote_push(mi_page_t *page, mi_block_t *block);
// The same where nobody is to be told and nothing marked, as mostly. False: nothing was done.
mi_inline bool mi_remote_push_more(mi_segment_t *segment, mi_page_t *page, mi_block_t *block)
{
    mi_remote_t *remote = mi_segment_remote(segment, (size_t)(page - segment->pages));
    uintptr_t word = mi_load_relaxed(remote);
    uintptr_t next;
    do {
        next = mi_remote_with(word, block);
        uintptr_t first = mi_remote_first(word);
        if (mi_unlikely(first <= MI_REMOTE_SINGLE || mi_remote_is_mark(next)))
            return false;
        mi_block_set_next(page, block, (mi_block_t *)first);
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
    return mi_remote_first(mi_load_relaxed(mi_page_remote(page))) == MI_REMOTE_SINGLE;
}

mi_inline bool mi_remote_is_empty(const mi_page_t *page)
{
    return mi_remote_first(mi_load_relaxed(mi_page_remote(page))) <= MI_REMOTE_BUSY;
}

// Owner: whether mi_page_refill would find anything. What is asked first lies in one cache line.
mi_inline bool mi_page_has_more(const mi_page_t *page)
{
    bool has_own = page->free != NULL || page->capacity != page->reserved || page->holes != 0;
    return has_own || !mi_remote_is_empty(page);
}

// Owner: how many blocks wait; UINT32_MAX where a list that is not empty does not say.
uint32_t mi_remote_count(const mi_page_t *page);

// Owner: calls visit for each page of the segments that is pending and has something on its list; that
// page is pending no more. visit may free the page it is given.
void mi_remote_visit_pending(mi_segments_t *segments, mi_page_visit_t *visit, void *arg);
