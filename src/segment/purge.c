// SPDX-License-Identifier: MIT
// The owner of a segment purges it, in its slow paths.
#include "segment/purge.h"

#include "memory/slice_mask.h"
#include "support/options.h"

static void purge_slices(mi_segment_t *segment, uint64_t *mask)
{
    size_t count;
    size_t slice = mi_slice_mask_next_run(mask, 0, &count);
    while (count > 0) {
        mi_arena_purge(&segment->range, slice, count);
        mi_slice_mask_clear(mask, slice, count);
        slice = mi_slice_mask_next_run(mask, slice + count, &count);
    }
}

void mi_segment_purge_all(mi_segment_t *segment)
{
    purge_slices(segment, segment->idle_mask);
    purge_slices(segment, segment->purge_mask);
    segment->purge_at = 0;
}

// Two generations: what has waited since the last look goes, what came later waits once more. So a
// slice that is freed and taken again and again keeps its memory.
static void purge_idle(mi_segment_t *segment, uint64_t next)
{
    purge_slices(segment, segment->idle_mask);
    for (size_t i = 0; i < MI_SLICE_WORDS; i++) {
        segment->idle_mask[i] = segment->purge_mask[i];
        segment->purge_mask[i] = 0;
    }
    segment->purge_at = mi_slice_mask_is_empty(segment->idle_mask) ? 0 : next;
}

void mi_segment_schedule_purge(mi_segments_t *segments, mi_segment_t *segment, size_t slice,
                               size_t count)
{
    long delay = mi_option_value(mi_option_purge_delay);
    if (delay < 0 || segment->range.arena->is_pinned)
        return;
    if (delay == 0 || segments->purges_at_once) {
        mi_arena_purge(&segment->range, slice, count);
        return;
    }
    mi_slice_mask_set(segment->purge_mask, slice, count);
    if (segment->purge_at == 0)
        segment->purge_at = mi_os_clock_ms() + (uint64_t)delay;
    if (mi_load_relaxed(&segments->purge_at) == 0)
        mi_store_relaxed(&segments->purge_at, segment->purge_at);
}

void mi_segments_want_purge(mi_segments_t *segments)
{
    long delay = mi_option_value(mi_option_purge_delay);
    if (mi_load_relaxed(&segments->purge_at) == 0 && delay >= 0)
        mi_store_relaxed(&segments->purge_at, mi_os_clock_ms() + (uint64_t)delay);
}

size_t mi_segments_waiting(mi_segments_t *segments)
{
    size_t waiting = 0;
    bool is_locked = mi_segments_lock(segments);
    const mi_segment_t *segment = segments->first;
    for (size_t i = 0; i < segments->count; i++, segment = segment->next) {
        for (size_t k = 0; segment->purge_at != 0 && k < MI_SLICE_WORDS; k++) {
            uint64_t mask = segment->purge_mask[k] | segment->idle_mask[k];
            waiting += mi_bit_count(mask);
        }
    }
    mi_segments_unlock(segments, is_locked);
    return waiting;
}

static void purge_list(mi_segments_t *segments, uint64_t now, mi_purge_t which)
{
    uint64_t next = now + (uint64_t)mi_option_value(mi_option_purge_delay);
    uint64_t earliest = 0;
    mi_segment_t *segment = segments->first;
    for (size_t i = 0; i < segments->count; i++, segment = segment->next) {
        if (which == MI_PURGE_ALL)
            mi_segment_purge_all(segment);
        else if (segment->purge_at != 0 && now >= segment->purge_at)
            purge_idle(segment, next);
        if (segment->purge_at != 0 && (earliest == 0 || segment->purge_at < earliest))
            earliest = segment->purge_at;
    }
    if (segments->cached != NULL && which == MI_PURGE_ALL)
        mi_segment_purge_all(segments->cached);
    mi_store_relaxed(&segments->purge_at, earliest);
}

void mi_segments_purge(mi_segments_t *segments, uint64_t now, mi_purge_t which)
{
    bool is_locked = mi_segments_lock(segments);
    purge_list(segments, now, which);
    mi_segments_unlock(segments, is_locked);
    if (which == MI_PURGE_ALL)
        mi_segments_drop_cached(segments);
}

// ---- the background purge ----

void mi_segments_share(mi_segments_t *segments)
{
    // release: pairs with the acquire in mi_segments_purge_from_outside.
    mi_store_release(&segments->is_shared, true);
}

bool mi_segments_lock(mi_segments_t *segments)
{
    return mi_load_relaxed(&segments->is_shared) && mi_os_lock(&segments->lock);
}

void mi_segments_unlock(mi_segments_t *segments, bool is_locked)
{
    if (is_locked)
        mi_os_unlock(&segments->lock);
}

void mi_segments_purge_from_outside(mi_segments_t *segments, uint64_t now)
{
    uint64_t at = mi_load_relaxed(&segments->purge_at);
    if (!mi_load_acquire(&segments->is_shared) || at == 0 || now < at ||
        !mi_os_lock(&segments->lock))
        return;
    purge_list(segments, now, MI_PURGE_DUE);
    if (segments->cached != NULL)
        mi_segment_purge_all(segments->cached);
    mi_os_unlock(&segments->lock);
}
