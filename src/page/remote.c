// SPDX-License-Identifier: MIT
// The two sides of a page's remote list.
#include "page/remote.h"

static mi_block_t *first_of(uintptr_t word)
{
    return word <= MI_REMOTE_SINGLE ? NULL : mi_remote_first(word);
}

static uintptr_t empty_word(const mi_page_t *page)
{
    return page->reserved == 1 ? MI_REMOTE_SINGLE : 0;
}

void mi_remote_init(mi_page_t *page)
{
    mi_store_relaxed(mi_page_remote(page), empty_word(page));
}

// Upwards, as the owner clears downwards: what it misses here it finds at its next look.
static void mark_pending(const mi_page_t *page)
{
    mi_segment_t *segment = mi_segment_of_page(page);
    mi_segments_t *owner = mi_load_relaxed(&segment->owner_hint);
    size_t index = mi_page_index(page);
    size_t word = index / MI_PENDING_WORD_BITS;
    uintptr_t bit = (uintptr_t)1 << (index % MI_PENDING_WORD_BITS);
    (void)mi_or_acq_rel(&segment->pending.pages[word], bit);
    if ((mi_load_relaxed(&segment->pending.words) >> word & 1) == 0)
        (void)mi_or_acq_rel(&segment->pending.words, (uintptr_t)1 << word);
    if (owner != NULL && !mi_load_relaxed(&owner->has_pending))
        mi_store_release(&owner->has_pending, true);
}

mi_segments_t *mi_remote_push(mi_page_t *page, mi_block_t *block)
{
    mi_remote_t *remote = mi_page_remote(page);
    uintptr_t word = mi_load_relaxed(remote);
    mi_segments_t *owner;
    uintptr_t next;
    do {
        mi_block_set_next(page, block, first_of(word));
        next = mi_remote_with(word, block);
        // Before the push: afterwards the owner may have given the segment back.
        if (word <= MI_REMOTE_SINGLE || mi_remote_is_mark(mi_remote_count_of(next)))
            mark_pending(page);
        owner = word <= MI_REMOTE_SINGLE ? mi_load_relaxed(&mi_segment_of_page(page)->owner_hint)
                                         : NULL;
        // release: pairs with the acquire in mi_remote_take; it publishes block->next and all that
        // this thread did with the block. seq_cst: orders it before the look at the segment's
        // owner in free_remote, see mi_segment_map_abandon.
    } while (!atomic_compare_exchange_weak_explicit(remote, &word, next, memory_order_seq_cst,
                                                    memory_order_relaxed));
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
    return (mi_remote_list_t){first_of(word), mi_remote_count_of(word)};
}

uint32_t mi_remote_count(const mi_page_t *page)
{
    uintptr_t word = mi_load_relaxed(mi_page_remote(page));
    if (first_of(word) == NULL)
        return 0;
    return mi_remote_count_of(word) == 0 ? UINT32_MAX : mi_remote_count_of(word);
}

// ---- pending pages ----

// A walk over the pending pages of a segment. A page is visited when the next one is known: the last
// one may take the segment with it.
typedef struct {
    mi_segment_t *segment;
    mi_page_t *found; // the next one to visit
    mi_page_visit_t *visit;
    void *arg;
} walk_t;

static void find(walk_t *walk, mi_page_t *page)
{
    if (walk->found != NULL)
        walk->visit(walk->found, walk->arg);
    walk->found = page;
}

// NULL: the page was freed, and the mark is old.
static mi_page_t *page_of_index(mi_segment_t *segment, size_t index)
{
    mi_page_t *page = &segment->pages[index];
    return mi_offset(segment, segment->page_offset[index]) == (void *)page ? page : NULL;
}

static void walk_word(walk_t *walk, size_t word)
{
    mi_pending_t *pending = &walk->segment->pending;
    for (uintptr_t left = mi_exchange_acq_rel(&pending->pages[word], 0); left != 0;
         left &= left - 1) {
        size_t bit = mi_bit_low(left);
        mi_page_t *page = page_of_index(walk->segment, word * MI_PENDING_WORD_BITS + bit);
        if (page == NULL)
            continue;
        if (!mi_remote_is_empty(page))
            find(walk, page);
        else
            mark_pending(page); // by who is about to push: not yet
    }
}

static void walk_segment(mi_segment_t *segment, mi_page_visit_t *visit, void *arg)
{
    walk_t walk = {segment, NULL, visit, arg};
    for (uintptr_t left = mi_exchange_acq_rel(&segment->pending.words, 0); left != 0;
         left &= left - 1)
        walk_word(&walk, mi_bit_low(left));
    find(&walk, NULL);
}

void mi_remote_visit_pending(mi_segments_t *segments, mi_page_visit_t *visit, void *arg)
{
    if (!mi_load_relaxed(&segments->has_pending))
        return;
    // acquire: behind the marks that were made before it was set.
    (void)mi_exchange_acq_rel(&segments->has_pending, false);
    mi_segment_t *segment = segments->first;
    for (size_t left = segments->count; left > 0; left--) {
        mi_segment_t *next = segment->next;
        if (mi_load_relaxed(&segment->pending.words) != 0)
            walk_segment(segment, visit, arg);
        segment = next;
    }
}
