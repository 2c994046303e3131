// SPDX-License-Identifier: MIT
// Heaps that outlive their thread. Handing a heap over page by page at its thread's end, for the next
// thread to gather the pages one by one, costs more than a short-lived thread does. So the record of
// one with a small heap stays as it is, parked: the next thread starts with all of it, by an exchange
// of the record's state, and only the owner of its segments is renamed. A thread that begins with
// freeing a block of a parked heap gets that one: it goes on with that thread's work.
// Others free blocks of a parked heap as of any other: by the pages' remote lists.
// What nobody has taken after some time, or what another thread needs memory of, is handed over after
// all (abandon.c), by whoever comes by.
#include "heap/park.h"

#include "heap/init.h"
#include "heap/record.h"
#include "support/options.h"

// So many are parked at most: each holds addresses.
#define PARKED_MAX (MI_64BIT ? 128 : 8)

static _Atomic(size_t) parked_count; // any
static _Atomic(uint64_t) due_at;     // any: clock of the next look for old ones, a hint

// Milliseconds; 0 where nothing is purged.
static uint64_t delay(void)
{
    long value = mi_option_value(mi_option_purge_delay);
    return value < 0 ? 0 : (uint64_t)value;
}

// As for other memory of ended threads: see is_due in abandon.c.
static uint64_t patience(void)
{
    return delay() * (uint64_t)mi_option_value(mi_option_arena_purge_mult);
}

// A larger one has room that threads which need memory now should find, and whose blocks they free:
// parked, it made larson-8 take 1.5 times the time and 1.4 times the memory.
#define SMALL_HEAP (MI_MIB / MI_SLICE_SIZE)

// What lies in an exclusive arena is for a heap that names it.
static bool has_exclusive(const mi_segments_t *segments)
{
    const mi_segment_t *segment = segments->first;
    size_t left = segments->count;
    while (left > 0 && !segment->range.arena->is_exclusive) {
        segment = segment->next;
        left--;
    }
    return left > 0;
}

// Whether the heap may stay as it is. Not where memory shall go at once, or where somebody else must
// be able to give it back or take it.
static bool may_park(const mi_thread_t *thread)
{
    return !has_exclusive(&thread->segments) && thread->segments.first != NULL &&
           thread->backing.slice_count <= SMALL_HEAP &&
           thread->segments.subproc == mi_subproc_default() &&
           mi_option_value(mi_option_purge_delay) != 0 &&
           !mi_option_is_on(mi_option_abandoned_page_purge) &&
           !mi_option_is_on(mi_option_abandoned_reclaim_on_free) &&
           !mi_option_is_on(mi_option_background_purge) &&
           mi_load_relaxed(&parked_count) < PARKED_MAX && !mi_os_process_is_ending();
}

bool mi_park(mi_thread_t *thread)
{
    if (!may_park(thread))
        return false;
    uint64_t now = mi_os_clock_ms();
    mi_store_relaxed(&thread->parked_at, now);
    // Who frees the first block from now on shall come by again, to look for old ones.
    mi_store_relaxed(&thread->segments.told, (uint32_t)MI_NOT_TOLD);
    mi_segments_rename(&thread->segments, MI_OWNER_PARKED);
    (void)mi_add_relaxed(&parked_count, 1);
    mi_record_give(thread, MI_RECORD_PARKED);
    // Behind that: a look that has just begun and came too early for this one leaves 0 here.
    uint64_t none = 0;
    if (mi_option_value(mi_option_purge_delay) > 0)
        (void)mi_cas_strong_acq_rel(&due_at, &none, now + patience());
    return true;
}

// ---- taking ----

bool mi_park_take(mi_thread_t *parked)
{
    if (!mi_record_take_from(parked, MI_RECORD_PARKED))
        return false;
    (void)mi_add_relaxed(&parked_count, (size_t)-1);
    return true;
}

mi_thread_t *mi_park_take_any(void)
{
    if (mi_load_relaxed(&parked_count) == 0)
        return NULL;
    for (mi_thread_t *thread = mi_record_first(); thread != NULL; thread = thread->next) {
        if (mi_park_take(thread))
            return thread;
    }
    return NULL;
}

mi_thread_t *mi_park_record_of(const mi_segment_t *segment)
{
    mi_segments_t *segments = mi_load_relaxed(&segment->owner_hint);
    return mi_offset(segments, 0 - offsetof(mi_thread_t, segments));
}

// ---- handing over after all ----

// The caller has taken the record. It works for nobody: the slow path of the calling thread has
// nothing to do with it.
static void hand_over(mi_thread_t *parked, bool is_old)
{
    parked->is_armed = true;
    if (is_old)
        mi_segments_purge(&parked->segments, mi_os_clock_ms(), MI_PURGE_ALL);
    mi_abandon_all(parked, is_old);
    mi_segments_drop_cached(&parked->segments);
    mi_stats_flush(&parked->stats);
    mi_record_give(parked, MI_RECORD_FREE);
}

void mi_park_end(mi_thread_t *parked)
{
    if (mi_park_take(parked))
        hand_over(parked, false);
}

bool mi_park_is_due(uint64_t now)
{
    uint64_t at = mi_load_relaxed(&due_at);
    return at != 0 && (now == 0 || now >= at);
}

// Those that have waited for so long. Returns when the one that was parked first of the others was, 0:
// there is none.
static uint64_t end_waiting(uint64_t now, uint64_t wait, bool is_old, size_t limit)
{
    uint64_t first = 0;
    for (mi_thread_t *thread = mi_record_first(); thread != NULL; thread = thread->next) {
        if (mi_load_relaxed(&thread->state) != (uint32_t)MI_RECORD_PARKED)
            continue;
        uint64_t at = mi_load_relaxed(&thread->parked_at);
        if (limit == 0 || now < at || now - at < wait) {
            first = first == 0 || at < first ? at : first;
        } else if (mi_park_take(thread)) {
            hand_over(thread, is_old);
            limit--;
        }
    }
    return first;
}

void mi_park_end_due(uint64_t now)
{
    mi_store_relaxed(&due_at, 0);
    uint64_t first = end_waiting(now, patience(), true, SIZE_MAX);
    if (first != 0)
        mi_store_relaxed(&due_at, first + patience());
}

void mi_park_end_one(void)
{
    if (mi_load_relaxed(&parked_count) != 0)
        (void)end_waiting(mi_os_clock_ms(), delay(), false, 1);
}

void mi_park_end_all(void)
{
    if (mi_load_relaxed(&parked_count) != 0)
        (void)end_waiting(UINT64_MAX, 0, true, SIZE_MAX);
}
