// SPDX-License-Identifier: MIT
// mi_free and its relatives, and the blocks of other threads.
#include <errno.h>

#include "api/alloc.h"

#include "api/runtime.h"
#include "base/invariant.h"
#include "heap/park.h"
#include "page/remote.h"
#include "support/message.h"

// ---- blocks of other threads ----

// The memory behind a huge block is worth giving back before its owner looks.
static void purge_huge(mi_segment_t *segment)
{
    size_t first = segment->huge_lead / MI_SLICE_SIZE + 1;
    size_t end = mi_div_up(segment->huge_lead + segment->huge_size, MI_SLICE_SIZE);
    if (first < end)
        mi_arena_purge(&segment->range, first, end - first);
}

// A block was pushed to a segment that is being handed over or has no owner: its next owner would find
// it, but there may be none.
static mi_noinline void look_at_abandoned(mi_segment_t *segment)
{
    mi_heap_t *heap = mi_heap_current();
    if (heap != NULL)
        mi_abandon_look(heap->front.thread, segment);
}

static mi_noinline void free_remote_first(mi_segment_t *segment, mi_page_t *page, void *p)
{
    if (mi_unlikely(mi_remote_is_single(page)) && mi_page_is_huge(page))
        purge_huge(segment);
    mi_segments_t *list = mi_remote_push(page, p);
    if (list != NULL)
        mi_thread_tell(list);
}

mi_inline void free_remote(mi_segment_t *segment, mi_page_t *page, void *p)
{
    if (!mi_remote_push_more(segment, page, p))
        free_remote_first(segment, page, p);
    // The segment may be gone now; the map may always be asked.
    uintptr_t owner = mi_segment_map_owner_now(segment);
    if (mi_unlikely(owner == MI_OWNER_CLOSING || owner == MI_OWNER_ABANDONED))
        look_at_abandoned(segment);
}

static mi_cold void report_invalid(const void *p)
{
    mi_error_report(EINVAL, "free of %p, which is no block: nothing was freed", p);
}

static bool free_abandoned(mi_segment_t *segment, void *p)
{
    uintptr_t owner = mi_segment_map_owner_now(segment);
    if (mi_likely(owner != MI_OWNER_ABANDONED && owner != MI_OWNER_CLOSING))
        return false;
    mi_heap_t *heap = mi_heap_current();
    return heap != NULL && mi_abandon_free(heap->front.thread, segment, p);
}

// A thread that has no heap yet goes on with that of the ended one whose block it frees. Any other one
// remembers where it freed.
static bool take_parked(mi_segment_t *segment)
{
    mi_thread_t *parked = mi_park_record_of(segment);
    mi_thread_t *thread = mi_thread_current();
    if (thread == NULL)
        return mi_thread_start_with(parked);
    thread->left = segment->range;
    thread->left_parked = parked;
    return false;
}

// What has a mark instead of an owner.
static mi_noinline bool free_marked(void *p, uintptr_t owner)
{
    if (owner == MI_OWNER_NOT_OURS)
        return false;
    if (owner == MI_OWNER_PARKED && take_parked(mi_segment_of(p)) && mi_free_local(p))
        return true;
    mi_segment_t *segment = owner == MI_OWNER_INTERIOR ? mi_segment_map_start(p) : mi_segment_of(p);
    mi_page_t *page = mi_segment_page_of(segment, p);
    if (page == &segment->invalid) {
        report_invalid(p);
        return true;
    }
    if (free_abandoned(segment, p))
        return true;
    // A huge block that begins in a later part than its header may well be the thread's own.
    if (mi_segment_map_owner(segment) == mi_os_thread_key()) {
        mi_block_set_next(page, p, NULL);
        page->free = p;
        page->needed = 0;
        mi_heap_page_event(page);
        return true;
    }
    free_remote(segment, page, p);
    return true;
}

bool mi_free_other(void *p)
{
    uintptr_t owner = mi_segment_map_owner(p);
    if (mi_unlikely(owner <= MI_OWNER_PARKED))
        return free_marked(p, owner);
    mi_segment_t *segment = mi_segment_of(p);
    mi_page_t *page = mi_segment_page_at(segment, p);
    if (mi_likely(page != &segment->invalid))
        free_remote(segment, page, p);
    else
        report_invalid(p);
    return true;
}

mi_noinline void mi_free_slow(void *p)
{
    bool is_done = MI_PADDING ? mi_checked_free(p) : mi_free_other(p);
    if (!is_done && p != NULL)
        mi_foreign_free(p);
}

void mi_free(void *p)
{
    if (MI_PADDING || mi_unlikely(!mi_free_local(p)))
        mi_free_slow(p);
}

void mi_free_small(void *p)
{
    mi_free(p);
}

void mi_cfree(void *p)
{
    if (mi_is_ours(p))
        mi_free(p);
}

void mi_free_size(void *p, size_t size)
{
    (void)size;
    mi_free(p);
}

void mi_free_size_aligned(void *p, size_t size, size_t alignment)
{
    (void)size;
    (void)alignment;
    mi_free(p);
}

void mi_free_aligned(void *p, size_t alignment)
{
    (void)alignment;
    mi_free(p);
}

// ---- sizes ----

// Of a huge block, or of what has a mark instead of an owner.
static mi_noinline size_t unusual_size(const void *p)
{
    mi_segment_t *segment = mi_segment_map_start(p);
    if (segment->huge_size != 0)
        return segment->huge_size;
    return mi_segment_page_at(segment, p)->block_size;
}

size_t mi_block_usable_size(const void *p)
{
    uintptr_t owner = mi_segment_map_owner(p);
    if (MI_PADDING)
        return owner == MI_OWNER_NOT_OURS ? 0 : mi_checked_size(p);
    if (mi_likely(owner > MI_OWNER_KILLED)) {
        // 0 where no page is, and for a huge block.
        size_t size = mi_segment_page_at(mi_segment_of(p), p)->block_size;
        if (mi_likely(size != 0))
            return size;
    }
    return owner == MI_OWNER_NOT_OURS ? 0 : unusual_size(p);
}

size_t mi_usable_size(const void *p)
{
    return mi_block_usable_size(p);
}
