// SPDX-License-Identifier: MIT
// The two sides of a page's remote list.
#include "page/remote.h"

#include "support/options.h"
#include "support/stats.h"

// ---- the word ----

static mi_block_t *block_of(uintptr_t word)
{
    uintptr_t first = mi_remote_first(word);
    return first <= MI_REMOTE_ALL ? NULL : (mi_block_t *)first;
}

// How many blocks the word of a list stands for; 0 where it does not say.
static uint32_t count_of(const mi_page_t *page, uintptr_t word)
{
#if MI_64BIT
    return (uint32_t)(uint16_t)((word >> MI_REMOTE_COUNT_SHIFT) + page->reserved);
#else
    (void)page;
    (void)word;
    return 0;
#endif
}

static uintptr_t empty_word(const mi_page_t *page)
{
    uintptr_t first = page->reserved == 1 ? MI_REMOTE_SINGLE : MI_REMOTE_NONE;
#if MI_64BIT
    return ((uintptr_t)0 - page->reserved) << MI_REMOTE_COUNT_SHIFT | first;
#else
    return first;
#endif
}

// Whether a list that comes to this word has all blocks of its page.
static bool is_whole(uintptr_t word)
{
    return MI_64BIT && word <= MI_REMOTE_FIRST_MASK;
}

void mi_remote_init(mi_page_t *page)
{
    mi_store_relaxed(mi_page_remote(page), empty_word(page));
}

// ---- pages that are pending ----

// Upwards, as the owner clears downwards: what it misses here it finds at its next look.
static void mark_pending(const mi_page_t *page)
{
    mi_segment_t *segment = mi_segment_of_page(page);
    mi_segments_t *owner = mi_load_relaxed(&segment->owner_hint);
    size_t index = mi_page_index(page);
    size_t word = index / MI_PENDING_WORD_BITS;
    uintptr_t bit = (uintptr_t)1 << (index % MI_PENDING_WORD_BITS);
    if ((mi_load_relaxed(&segment->pending.pages[word]) & bit) == 0)
        (void)mi_or_acq_rel(&segment->pending.pages[word], bit);
    if ((mi_load_relaxed(&segment->pending.words) >> word & 1) == 0)
        (void)mi_or_acq_rel(&segment->pending.words, (uintptr_t)1 << word);
    if (owner != NULL && !mi_load_relaxed(&owner->has_pending))
        mi_store_release(&owner->has_pending, true);
}

// ---- pages that are wholly free ----

// An owner that was told so many delays ago, and has not come by for good, rests.
#define REST_DELAYS 3

static bool owner_rests(const mi_page_t *page)
{
    mi_segments_t *owner = mi_load_relaxed(&mi_segment_of_page(page)->owner_hint);
    long delay = mi_option_value(mi_option_purge_delay);
    if (owner == NULL || delay < 0 || mi_load_acquire(&owner->told) == MI_NOT_TOLD)
        return false;
    return mi_os_clock_ms() - mi_load_relaxed(&owner->told_at) > (uint64_t)delay * REST_DELAYS;
}

// The thread has the page's last block in hand, and all others are on the list: nobody may touch the
// page's memory before the word says ALL. Then it is the owner's again, and may be gone.
static void give_back(mi_page_t *page)
{
    size_t size = page->slice_count * MI_SLICE_SIZE;
    bool is_done = mi_option_value(mi_option_purge_decommits) == 0
                       ? mi_os_reset(mi_page_slices_start(page), size)
                       : mi_os_discard(mi_page_slices_start(page), size);
    if (is_done)
        mi_stat_process_increase(MI_STAT_purged, size);
    // seq_cst: as the push that it stands for.
    atomic_store_explicit(mi_page_remote(page), MI_REMOTE_ALL, memory_order_seq_cst);
}

static bool may_give_back(const mi_page_t *page)
{
    return !mi_page_is_huge(page) && !page->has_guard &&
           !mi_segment_of_page(page)->range.arena->is_pinned && owner_rests(page);
}

// ---- the two sides ----

mi_segments_t *mi_remote_push(mi_page_t *page, mi_block_t *block)
{
    mi_remote_t *remote = mi_page_remote(page);
    uintptr_t word = mi_load_relaxed(remote);
    mi_segments_t *owner;
    uintptr_t next;
    bool gives_back;
    do {
        mi_block_set_next(page, block, block_of(word));
        next = mi_remote_with(word, block);
        bool is_first = mi_remote_first(word) <= MI_REMOTE_SINGLE;
        // Before the push: afterwards the owner may have given the segment back.
        if (is_first || mi_remote_is_mark(next))
            mark_pending(page);
        owner = is_first ? mi_load_relaxed(&mi_segment_of_page(page)->owner_hint) : NULL;
        gives_back = is_whole(next) && may_give_back(page);
        if (gives_back)
            next = MI_REMOTE_BUSY;
        // release: pairs with the acquire in mi_remote_take; it publishes block->next and all that
        // this thread did with the block. acquire: BUSY says the same of the other blocks. seq_cst:
        // orders it before the look at the segment's owner in free_remote, see
        // mi_segment_map_abandon.
    } while (!atomic_compare_exchange_weak_explicit(remote, &word, next, memory_order_seq_cst,
                                                    memory_order_relaxed));
    if (gives_back)
        give_back(page);
    return owner;
}

mi_remote_list_t mi_remote_take(mi_page_t *page)
{
    mi_remote_t *remote = mi_page_remote(page);
    // seq_cst: an owner that marked the segment as closing must not look before the mark can be
    // seen; a push that this misses sees the mark.
    uintptr_t word = atomic_load_explicit(remote, memory_order_seq_cst);
    do {
        if (mi_remote_first(word) <= MI_REMOTE_BUSY)
            return (mi_remote_list_t){NULL, 0, false};
        // acquire: pairs with the push.
    } while (!mi_cas_weak_acq_rel(remote, &word, empty_word(page)));
    bool is_all = mi_remote_first(word) == MI_REMOTE_ALL;
    return (mi_remote_list_t){block_of(word), count_of(page, word), is_all};
}

uint32_t mi_remote_count(const mi_page_t *page)
{
    uintptr_t word = mi_load_relaxed(mi_page_remote(page));
    if (mi_remote_first(word) <= MI_REMOTE_BUSY)
        return 0;
    return count_of(page, word) == 0 ? UINT32_MAX : count_of(page, word);
}

// ---- looking at pending pages ----

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
