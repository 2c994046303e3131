// SPDX-License-Identifier: MIT
// The two sides of a page's remote list.
#include "page/remote.h"

static mi_block_t *first_of(uintptr_t word)
{
#if MI_64BIT
    word &= ((uintptr_t)1 << MI_REMOTE_COUNT_SHIFT) - 1;
#endif
    return word <= MI_REMOTE_SINGLE ? NULL : (mi_block_t *)word;
}

// The word of a list with one more block.
static uintptr_t with_one_more(uintptr_t word, const mi_block_t *block)
{
#if MI_64BIT
    uintptr_t count = (word >> MI_REMOTE_COUNT_SHIFT) + 1;
    return (uintptr_t)block | (count << MI_REMOTE_COUNT_SHIFT);
#else
    (void)word;
    return (uintptr_t)block;
#endif
}

static uint32_t count_of(uintptr_t word)
{
#if MI_64BIT
    return (uint32_t)(word >> MI_REMOTE_COUNT_SHIFT);
#else
    (void)word;
    return 0;
#endif
}

static uintptr_t empty_word(const mi_page_t *page)
{
    return page->reserved == 1 ? MI_REMOTE_SINGLE : 0;
}

void mi_remote_init(mi_page_t *page)
{
    mi_store_relaxed(mi_page_remote(page), empty_word(page));
}

mi_segments_t *mi_remote_push(mi_page_t *page, mi_block_t *block)
{
    mi_remote_t *remote = mi_page_remote(page);
    uintptr_t word = mi_load_relaxed(remote);
    // Before the push: afterwards the owner may have given the segment back.
    if (word == MI_REMOTE_SINGLE)
        (void)mi_add_relaxed(&mi_segment_of_page(page)->remote_single, 1);
    mi_segments_t *owner;
    do {
        mi_block_set_next(page, block, first_of(word));
        owner = word <= MI_REMOTE_SINGLE ? mi_load_relaxed(&mi_segment_of_page(page)->owner_hint)
                                         : NULL;
        // release: pairs with the acquire in mi_remote_take; it publishes block->next and all that
        // this thread did with the block. seq_cst: orders it before the look at the segment's
        // owner in free_remote, see mi_segment_map_abandon.
    } while (!atomic_compare_exchange_weak_explicit(remote, &word, with_one_more(word, block),
                                                    memory_order_seq_cst, memory_order_relaxed));
    return owner;
}

mi_remote_list_t mi_remote_take(mi_page_t *page)
{
    mi_remote_t *remote = mi_page_remote(page);
    // seq_cst: an owner that marked the segment as closing must not look before the mark can be
    // seen; a push that this misses sees the mark.
    if (atomic_load_explicit(remote, memory_order_seq_cst) <= MI_REMOTE_SINGLE)
        return (mi_remote_list_t){NULL, 0};
    // acquire: pairs with the push.
    uintptr_t word = mi_exchange_acquire(remote, empty_word(page));
    if (page->reserved == 1)
        (void)mi_sub_relaxed(&mi_segment_of_page(page)->remote_single, 1);
    return (mi_remote_list_t){first_of(word), count_of(word)};
}
