// SPDX-License-Identifier: MIT
// The owner of a segment purges it, in its slow paths.
#include "segment/purge.h"

#include "segment/slice_mask.h"
#include "support/options.h"

static void purge_waiting(mi_segment_t *segment)
{
    size_t count;
    size_t slice = mi_slice_mask_next_run(segment->purge_mask, 0, &count);
    while (count > 0) {
        mi_arena_purge(&segment->range, slice, count);
        mi_slice_mask_clear(segment->purge_mask, slice, count);
        slice = mi_slice_mask_next_run(segment->purge_mask, slice + count, &count);
    }
    segment->purge_at = 0;
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
    if (segments->purge_at == 0)
        segments->purge_at = segment->purge_at;
}

void mi_segments_want_purge(mi_segments_t *segments)
{
    long delay = mi_option_value(mi_option_purge_delay);
    if (segments->purge_at == 0 && delay >= 0)
        segments->purge_at = mi_os_clock_ms() + (uint64_t)delay;
}

void mi_segments_purge(mi_segments_t *segments, uint64_t now, bool force)
{
    uint64_t earliest = 0;
    mi_segment_t *segment = segments->first;
    for (size_t i = 0; i < segments->count; i++, segment = segment->next) {
        if (segment->purge_at == 0)
            continue;
        if (force || now >= segment->purge_at)
            purge_waiting(segment);
        else if (earliest == 0 || segment->purge_at < earliest)
            earliest = segment->purge_at;
    }
    segments->purge_at = earliest;
    if (segments->cached != NULL) {
        purge_waiting(segments->cached);
        mi_segments_drop_cached(segments);
    }
}
