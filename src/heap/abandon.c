// SPDX-License-Identifier: MIT
// Segments of ended threads. A thread's end empties what it can and shows the rest as abandoned: in
// the segment map (whoever exchanges the mark for its key owns the segment) and as a bit of the arena
// (where to look). Segments are taken over by a thread that needs a page, by a thread that frees a
// block in one, and by a forced collect. No lock: see docs/concurrency.md.
#include "heap/heap.h"

#include "base/invariant.h"
#include "heap/park.h"
#include "page/remote.h"
#include "segment/purge.h"
#include "support/options.h"

// ---- handing over ----

// So few bytes in use that whoever takes the segment over does not mind them.
#define CROWD_MIN ((size_t)256 * MI_KIB)

static void offer(const mi_segment_t *segment)
{
    mi_bitmap_set_one(segment->range.arena->offered, segment->range.part);
}

// Takes the bytes of a freed block off what keeps the segment from being offered. The thread holds it
// closed.
static void thin_out(mi_segment_t *segment, size_t bytes)
{
    bool was_crowded = segment->crowd > 0;
    segment->crowd -= (ptrdiff_t)bytes;
    if (was_crowded && segment->crowd <= 0)
        offer(segment);
}

static void abandon(mi_segments_t *segments, mi_segment_t *segment)
{
    if (segment->crowd <= 0)
        offer(segment);
    mi_segment_owned_to_abandoned(segments, segment);
}

static void detach_or_release(mi_page_t *page, void *arg)
{
    mi_heap_t *heap = page->heap;
    (void)arg;
    mi_heap_page_detach(heap, page);
    (void)mi_page_collect_remote(page);
    if (page->needed == 0) {
        mi_heap_page_release(heap, page);
        return;
    }
    heap->page_count--;
    heap->slice_count -= page->slice_count;
    page->heap = NULL;
    mi_segment_of_page(page)->crowd += (ptrdiff_t)(page->needed * mi_page_block_size(page));
}

void mi_abandon_all(mi_thread_t *thread, bool purges_at_once)
{
    mi_segments_t *segments = &thread->segments;
    segments->purges_at_once = purges_at_once;
    while (segments->first != NULL) {
        mi_segment_t *segment = segments->first;
        size_t before = segments->count;
        // First the mark, then the look at what others have freed: see segment_map.h.
        mi_segment_map_close(segment);
        size_t touched = mi_segment_touched_slices(segment) * MI_SLICE_SIZE;
        segment->crowd = -(ptrdiff_t)mi_max(touched / 2, CROWD_MIN);
        mi_segment_visit_pages(segment, detach_or_release, NULL);
        if (segments->count == before)
            abandon(segments, segment);
    }
    segments->purges_at_once = false;
}

static void collect_or_release(mi_page_t *page, void *arg)
{
    mi_thread_t *thread = arg;
    uint32_t before = page->needed;
    (void)mi_page_collect_remote(page);
    mi_segment_of_page(page)->crowd -=
        (ptrdiff_t)((before - page->needed) * mi_page_block_size(page));
    if (page->needed != 0)
        return;
    mi_stat_page_gone(&thread->stats, page->size_class);
    mi_page_drop_guard(page);
    mi_segment_page_free(&thread->segments, page);
}

// ---- taking over ----

static void adopt_page(mi_page_t *page, void *arg)
{
    mi_heap_page_adopt(arg, page);
}

// Only a heap that names an exclusive arena takes pages of it into use.
static mi_heap_t *adopting_heap(mi_thread_t *thread, const mi_segment_t *segment)
{
    const mi_arena_t *arena = segment->range.arena;
    for (mi_heap_t *heap = thread->heaps; arena->is_exclusive && heap != NULL; heap = heap->next) {
        if (heap->arena_id == arena->id)
            return heap;
    }
    return &thread->backing;
}

static void adopt_segment(mi_thread_t *thread, mi_segment_t *segment)
{
    mi_segment_abandoned_to_owned(&thread->segments, segment);
    mi_stat_count(&thread->stats, MI_STAT_segments_reclaimed);
    mi_segment_visit_pages(segment, adopt_page, adopting_heap(thread, segment));
}

// Who closes is done soon; but it may have been preempted on a crowded machine, or killed. After so
// many yields the block goes to the remote list, where the next owner finds it.
#define CLOSED_TRIES 100

static bool wait_until_closed(const mi_segment_t *segment)
{
    for (int i = 0; i < CLOSED_TRIES; i++) {
        if (mi_segment_map_owner_now(segment) != MI_OWNER_CLOSING)
            return true;
        mi_os_yield();
    }
    return false;
}

// The segment's header may be gone if another thread takes and frees it: only the map and the arena
// are looked at before the claim.
static bool claim_part(mi_thread_t *thread, mi_arena_t *arena, size_t part)
{
    mi_arena_range_t range = {arena, part, 1};
    mi_segment_t *segment = mi_arena_range_start(&range);
    if (!mi_bitmap_is_set(arena->abandoned, part) ||
        !mi_segment_map_claim(segment, thread->segments.key))
        return false;
    if (segment->subproc != thread->segments.subproc) {
        mi_segment_map_close(segment);
        mi_abandon_settle(thread, segment);
        return false;
    }
    adopt_segment(thread, segment);
    return true;
}

typedef enum { FROM_ALL, FROM_OFFERED } from_t;

static size_t claim_in_arena(mi_thread_t *thread, mi_arena_t *arena, from_t from, size_t limit)
{
    mi_bitmap_word_t *map = from == FROM_OFFERED ? arena->offered : arena->abandoned;
    size_t claimed = 0;
    for (size_t part = 0; part < arena->part_count && claimed < limit; part++)
        claimed += mi_bitmap_is_set(map, part) && claim_part(thread, arena, part);
    return claimed;
}

static bool may_claim_in(const mi_arena_t *arena, int arena_id)
{
    return arena_id != 0 ? arena->id == arena_id : !arena->is_exclusive;
}

static size_t claim_up_to(mi_thread_t *thread, int arena_id, from_t from, size_t limit)
{
    size_t claimed = 0;
    for (size_t i = 0; i < mi_arena_count() && claimed < limit; i++) {
        mi_arena_t *arena = mi_arena_at(i);
        if (arena != NULL && may_claim_in(arena, arena_id))
            claimed += claim_in_arena(thread, arena, from, limit - claimed);
    }
    return claimed;
}

// A thread that frees what an ended one left goes on with that one's work: where it freed last are the
// blocks that it will free next.
static bool claim_left(mi_thread_t *thread, int arena_id)
{
    mi_arena_t *arena = thread->left.arena;
    mi_thread_t *parked = thread->left_parked;
    thread->left.arena = NULL;
    thread->left_parked = NULL;
    if (parked != NULL)
        mi_park_end(parked);
    return arena != NULL && may_claim_in(arena, arena_id) &&
           claim_part(thread, arena, thread->left.part);
}

// With more abandoned segments than this any will do: those in which nobody frees anything must not
// use up the addresses.
#define LEFT_ALONE_MAX (MI_64BIT ? 32 : 8)

// What is mostly blocks in use has little room, and is better left to the thread that goes on with the
// ended one's work, if there is one: from another owner's segment, that one would free all these blocks
// as another's.
bool mi_abandon_reclaim(mi_thread_t *thread, int arena_id)
{
    if (claim_left(thread, arena_id))
        return true;
    mi_park_end_one();
    int64_t abandoned = mi_stat_process_current(MI_STAT_segments_abandoned);
    if (abandoned == 0)
        return false;
    // An arena that a heap names has no room but its own.
    from_t from = arena_id != 0 || abandoned > LEFT_ALONE_MAX ? FROM_ALL : FROM_OFFERED;
    return claim_up_to(thread, arena_id, from, 1) != 0;
}

void mi_abandon_reclaim_all(mi_thread_t *thread)
{
    mi_park_end_all();
    (void)claim_up_to(thread, 0, FROM_ALL, SIZE_MAX);
}

// ---- freeing in an abandoned segment ----

// A segment in the thread's list, marked as closing, whose pages are all detached: gives back what
// is empty and abandons the rest.
static void settle(mi_thread_t *thread, mi_segment_t *segment)
{
    mi_segments_t *segments = &thread->segments;
    size_t before = segments->count;
    mi_segment_visit_pages(segment, collect_or_release, thread);
    if (segments->count == before)
        abandon(segments, segment);
    mi_thread_arm(thread);
}

void mi_abandon_settle(mi_thread_t *thread, mi_segment_t *segment)
{
    mi_segment_abandoned_to_owned(&thread->segments, segment);
    settle(thread, segment);
}

// The page that is empty now goes alone: a look at all others for each page of a thread that ended
// would cost more than the thread did.
static void release_closed(mi_thread_t *thread, mi_segment_t *segment, mi_page_t *page)
{
    mi_segments_t *segments = &thread->segments;
    mi_segment_abandoned_to_owned(segments, segment);
    size_t before = segments->count;
    collect_or_release(page, thread);
    if (segments->count == before)
        abandon(segments, segment);
    mi_thread_arm(thread);
}

static void free_while_closed(mi_thread_t *thread, mi_segment_t *segment, void *p)
{
    mi_page_t *page = mi_segment_page_of(segment, p);
    mi_block_set_next(page, p, page->free);
    page->free = p;
    thin_out(segment, mi_page_block_size(page));
    if (--page->needed != 0)
        mi_segment_map_abandon(segment);
    else
        release_closed(thread, segment, page);
}

// A segment that the thread has closed: whether it may become the thread's own.
static bool may_adopt(const mi_thread_t *thread, const mi_segment_t *segment)
{
    return segment->subproc == thread->segments.subproc && !segment->range.arena->is_exclusive;
}

// Taking the whole segment over for one free would draw the memory of all ended threads to the one
// that frees what they left (often the main thread), away from the threads that allocate.
bool mi_abandon_free(mi_thread_t *thread, mi_segment_t *segment, void *p)
{
    if (!wait_until_closed(segment))
        return false;
    if (!mi_segment_map_claim(segment, MI_OWNER_CLOSING))
        return false;
    if (mi_option_is_on(mi_option_abandoned_reclaim_on_free) && may_adopt(thread, segment)) {
        mi_segment_map_enter(segment, segment->size, thread->segments.key);
        adopt_segment(thread, segment);
        return mi_free_local(p);
    }
    thread->left = segment->range;
    thread->left_parked = NULL;
    free_while_closed(thread, segment, p);
    return true;
}

void mi_abandon_look(mi_thread_t *thread, mi_segment_t *segment)
{
    if (wait_until_closed(segment) && mi_segment_map_claim(segment, MI_OWNER_CLOSING))
        mi_abandon_settle(thread, segment);
}

// ---- purging ----

// Other threads are about to take the segment over, or to end and leave more: what is purged too
// early is touched again at once.
static bool is_due(const mi_segment_t *segment, uint64_t now)
{
    uint64_t wait = (uint64_t)mi_option_value(mi_option_purge_delay) *
                    (uint64_t)mi_option_value(mi_option_arena_purge_mult);
    return segment->purge_at != 0 && now >= segment->purge_at + wait;
}

static void purge_part(mi_arena_t *arena, size_t part, uint64_t now)
{
    mi_arena_range_t range = {arena, part, 1};
    mi_segment_t *segment = mi_arena_range_start(&range);
    if (!mi_bitmap_is_set(arena->abandoned, part) ||
        !mi_segment_map_claim(segment, MI_OWNER_CLOSING))
        return;
    if (is_due(segment, now))
        mi_segment_purge_all(segment);
    mi_segment_map_abandon(segment);
}

void mi_abandon_purge(uint64_t now)
{
    if (mi_stat_process_current(MI_STAT_segments_abandoned) == 0)
        return;
    for (size_t i = 0; i < mi_arena_count(); i++) {
        mi_arena_t *arena = mi_arena_at(i);
        for (size_t part = 0; arena != NULL && part < arena->part_count; part++)
            purge_part(arena, part, now);
    }
}

// ---- sub-processes ----

static void move_part(mi_thread_t *thread, mi_arena_t *arena, size_t part, void *from, void *to)
{
    mi_arena_range_t range = {arena, part, 1};
    mi_segment_t *segment = mi_arena_range_start(&range);
    if (!mi_bitmap_is_set(arena->abandoned, part) ||
        !mi_segment_map_claim(segment, MI_OWNER_CLOSING))
        return;
    if (segment->subproc == from)
        segment->subproc = to;
    mi_abandon_settle(thread, segment);
}

void mi_abandon_move(mi_thread_t *thread, void *from, void *to)
{
    for (size_t i = 0; i < mi_arena_count(); i++) {
        mi_arena_t *arena = mi_arena_at(i);
        for (size_t part = 0; arena != NULL && part < arena->part_count; part++)
            move_part(thread, arena, part, from, to);
    }
}
