// SPDX-License-Identifier: MIT
// The two sides of a page's remote list.
#include "page/remote.h"

mi_segments_t *mi_remote_push(mi_page_t *page, mi_block_t *block)
{
    mi_remote_t *remote = mi_page_remote(page);
    mi_block_t *head = mi_load_relaxed(remote);
    // Before the push: afterwards the owner may have given the segment back.
    if (page->reserved == 1)
        (void)mi_add_relaxed(&mi_segment_of_page(page)->remote_single, 1);
    mi_segments_t *owner;
    do {
        mi_block_set_next(page, block, head);
        owner = head == NULL ? mi_load_relaxed(&mi_segment_of_page(page)->owner_hint) : NULL;
        // release: pairs with the acquire in mi_remote_take; it publishes block->next and all that
        // this thread did with the block. seq_cst: orders it before the look at the segment's
        // owner in mi_free_remote, see mi_segment_map_abandon.
    } while (!atomic_compare_exchange_weak_explicit(remote, &head, block, memory_order_seq_cst,
                                                    memory_order_relaxed));
    return owner;
}

mi_block_t *mi_remote_take(mi_page_t *page)
{
    mi_remote_t *remote = mi_page_remote(page);
    // seq_cst: an owner that marked the segment as closing must not look before the mark can be
    // seen; a push that this misses sees the mark.
    if (atomic_load_explicit(remote, memory_order_seq_cst) == NULL)
        return NULL;
    // acquire: pairs with the push.
    mi_block_t *list = mi_exchange_acquire(remote, NULL);
    if (page->reserved == 1)
        (void)mi_sub_relaxed(&mi_segment_of_page(page)->remote_single, 1);
    return list;
}
