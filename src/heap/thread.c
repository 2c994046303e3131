// SPDX-License-Identifier: MIT
// Start and end of a thread, and what it does from time to time. It starts with its first allocation,
// or when it frees a block of a parked heap.
#include "heap/heap.h"

#include "base/invariant.h"
#include "heap/background.h"
#include "heap/guarded.h"
#include "heap/init.h"
#include "heap/park.h"
#include "heap/record.h"
#include "support/options.h"

// Calls that may take the slow path only to find that a purge is not due yet, between two looks.
// A thread that goes quiet makes a few more calls after its last free; they must not use the stub up.
#define REARMS 256

// ---- the start ----

// A record of a free one or a new one.
static mi_thread_t *start_anew(void)
{
    mi_thread_t *thread = mi_record_take_free();
    if (thread == NULL)
        return NULL;
    mi_heap_init(&thread->backing, thread, 0, false, 0);
    thread->default_heap = &thread->backing;
    thread->heaps = &thread->backing;
    mi_segments_init(&thread->segments, mi_os_thread_key(), mi_subproc_default());
    mi_copy(&thread->stub, &mi_heap_none, sizeof thread->stub);
    thread->stub.thread = thread;
    thread->kept_large = NULL;
    thread->has_parked = false;
    mi_guarded_init(&thread->backing);
    return thread;
}

// Goes on with a parked heap. For as long as that was parked, it was quiet.
static mi_thread_t *start_with(mi_thread_t *parked)
{
    mi_segments_rename(&parked->segments, mi_os_thread_key());
    parked->has_parked = true;
    parked->last_tick_ms = mi_load_relaxed(&parked->parked_at);
    if (parked->backing.guarded.rate != 0 || mi_option_value(mi_option_guarded_sample_rate) != 0)
        mi_guarded_init(&parked->backing);
    return parked;
}

static mi_thread_t *start(mi_thread_t *thread)
{
    mi_store_relaxed(&thread->key, mi_os_thread_key());
    thread->is_armed = false;
    thread->rearms_left = REARMS;
    thread->next_step_ms = 0;
    thread->next_look_ms = 0;
    thread->left.arena = NULL;
    thread->left_parked = NULL;
    thread->slow_count = 0;
    mi_stat_increase(&thread->stats, MI_STAT_threads, 1);
    mi_os_set_tls_heap(&thread->backing);
    mi_os_on_thread_exit(mi_thread_exit_hook);
    return thread;
}

// What still runs in a thread after its end may be too late to end once more: it must not have much.
static bool has_ended(void)
{
    return mi_os_tls_heap_slow() == &mi_heap_ended;
}

static mi_thread_t *start_thread(void)
{
    mi_record_disown_killed(mi_os_thread_key());
    mi_thread_t *parked = has_ended() ? NULL : mi_park_take_any();
    mi_thread_t *thread = parked != NULL ? start_with(parked) : start_anew();
    return thread == NULL ? NULL : start(thread);
}

bool mi_thread_start_with(mi_thread_t *parked)
{
    if (has_ended())
        return false;
    mi_record_disown_killed(mi_os_thread_key());
    return mi_park_take(parked) && start(start_with(parked)) != NULL;
}

mi_heap_t *mi_heap_resolve(mi_heap_t *heap)
{
    if (heap == NULL)
        heap = mi_os_tls_heap_slow();
    if (heap != NULL && !heap->front.is_stub)
        return heap;
    if (heap != NULL && heap->front.thread != NULL)
        return heap->front.thread->default_heap;
    mi_process_start();
    mi_thread_t *thread = start_thread();
    return thread == NULL ? NULL : thread->default_heap;
}

mi_thread_t *mi_thread_current(void)
{
    mi_heap_t *heap = mi_os_tls_heap();
    if (heap == NULL)
        heap = mi_os_tls_heap_slow();
    return heap == NULL ? NULL : heap->front.thread;
}

// ---- periodic work ----

// any: clock of the last look of any thread at what may be purged. A hint.
static _Atomic(uint64_t) last_purge_look;

static void arm(mi_thread_t *thread)
{
    if (thread->is_armed)
        return;
    thread->is_armed = true;
    mi_os_set_tls_heap(&thread->stub);
}

// What gives a reason to look makes up for one call that looked in vain.
void mi_thread_arm(mi_thread_t *thread)
{
    if (thread->rearms_left < REARMS)
        thread->rearms_left++;
    arm(thread);
}

void mi_thread_disarm(mi_thread_t *thread)
{
    mi_heap_hide_kept(thread);
    thread->is_armed = false;
    mi_os_set_tls_heap(thread->default_heap);
}

void mi_thread_tell(mi_segments_t *segments)
{
    if (mi_load_relaxed(&segments->told) != MI_NOT_TOLD)
        return;
    mi_store_relaxed(&segments->told_at, mi_os_clock_ms());
    // release: who sees that it was told sees when.
    mi_store_release(&segments->told, (uint32_t)MI_TOLD);
    mi_thread_t *owner = mi_offset(segments, 0 - offsetof(mi_thread_t, segments));
    for (size_t i = 0; i < MI_DIRECT_COUNT; i++)
        mi_store_relaxed(&owner->backing.front.direct[i], &mi_page_none);
    mi_thread_t *self = mi_thread_current();
    if (self != NULL)
        mi_thread_arm(self);
}

void mi_thread_hear(mi_thread_t *thread)
{
    mi_store_relaxed(&thread->segments.told, (uint32_t)MI_HEARD);
    mi_heap_repair_direct(&thread->backing);
}

// What has been idle for so many purge delays is given back by a thread that is busy all the time.
#define BUSY_DELAYS 10
// What a thread that has freed about everything still has: pages with a few blocks of its libraries.
#define NEARLY_EMPTY (2 * MI_MIB / MI_SLICE_SIZE)
// Slices.
#define WORTH_A_PURGE (4 * MI_MIB / MI_SLICE_SIZE)

// What is empty now has been so for long: it goes at once.
static void purge_quiet(mi_thread_t *thread, uint64_t now)
{
    mi_segments_t *segments = &thread->segments;
    segments->purges_at_once = true;
    for (mi_heap_t *heap = thread->heaps; heap != NULL; heap = heap->next)
        mi_heap_collect_pages(heap, MI_COLLECT_EMPTY);
    segments->purges_at_once = false;
    mi_segments_purge(segments, now, MI_PURGE_ALL);
    mi_abandon_purge(now);
}

// A busy thread gives back only what it has not touched since the last step: taking memory again
// that was just given back costs a page fault for every OS page.
static void purge_busy(mi_thread_t *thread, uint64_t now, uint64_t delay)
{
    if (now >= thread->next_step_ms) {
        for (mi_heap_t *heap = thread->heaps; heap != NULL; heap = heap->next)
            mi_heap_collect_pages(heap, MI_COLLECT_IDLE);
        mi_segments_purge(&thread->segments, now, MI_PURGE_DUE);
        thread->next_step_ms = now + delay * BUSY_DELAYS;
    }
    mi_store_relaxed(&thread->segments.purge_at, now + delay);
}

// A thread that came by no slow path for a whole delay is quiet, if it has freed about everything,
// and much. With much memory in use it may just be working on it; with little to give back it may be
// a server between two requests, which would pay for taking it again at each of them.
static uint64_t quiet_time(mi_thread_t *thread, uint64_t delay)
{
    size_t idle = thread->backing.retained_slices + mi_segments_waiting(&thread->segments);
    bool is_empty = idle >= WORTH_A_PURGE && mi_heap_used_slices(&thread->backing) <= NEARLY_EMPTY;
    return is_empty ? delay : delay * BUSY_DELAYS;
}

// A thread that rested so many delays was quiet whatever the others did.
#define LONG_QUIET 100

// Of several busy threads, some wait for a processor for longer than the delay: that is no rest.
static bool was_quiet(mi_thread_t *thread, uint64_t now, uint64_t delay)
{
    uint64_t rest = now - thread->last_tick_ms;
    if (rest <= delay || now - mi_load_relaxed(&last_purge_look) <= delay)
        return rest > delay * LONG_QUIET;
    return rest > quiet_time(thread, delay);
}

static void purge_thread(mi_thread_t *thread, uint64_t now)
{
    uint64_t delay = (uint64_t)mi_option_value(mi_option_purge_delay);
    if (was_quiet(thread, now, delay))
        purge_quiet(thread, now);
    else
        purge_busy(thread, now, delay);
    thread->rearms_left = REARMS;
    if (thread->is_armed)
        mi_thread_disarm(thread);
}

static bool has_heard(mi_thread_t *thread)
{
    return mi_load_relaxed(&thread->segments.told) == MI_HEARD;
}

// Others have freed blocks of this thread. If it is busy, it will come upon them by itself.
static void look_for_freed(mi_thread_t *thread, uint64_t now)
{
    long delay = mi_option_value(mi_option_purge_delay);
    // First, so that what is freed from now on is told again.
    mi_store_relaxed(&thread->segments.told, (uint32_t)MI_NOT_TOLD);
    if (delay < 0)
        return;
    thread->next_look_ms = now + (uint64_t)delay;
    thread->rearms_left = REARMS;
    if (was_quiet(thread, now, (uint64_t)delay))
        purge_quiet(thread, now);
}

static void purge(mi_thread_t *thread, uint64_t now)
{
    if (has_heard(thread) && now >= thread->next_look_ms)
        look_for_freed(thread, now);
    if (mi_load_relaxed(&thread->segments.purge_at) != 0 &&
        now >= mi_load_relaxed(&thread->segments.purge_at))
        purge_thread(thread, now);
    thread->last_tick_ms = now;
    if (mi_load_relaxed(&last_purge_look) != now)
        mi_store_relaxed(&last_purge_look, now);
    if (mi_park_is_due(now))
        mi_park_end_due(now);
    if (mi_arenas_want_purge(now))
        mi_arenas_purge(now, false);
}

// Memory that no thread owns waits to be given back.
static bool waits_ownerless(void)
{
    return mi_arenas_want_purge(0) || mi_park_is_due(0);
}

static void rearm(mi_thread_t *thread)
{
    if (thread->rearms_left == 0 || (mi_load_relaxed(&thread->segments.purge_at) == 0 &&
                                     !waits_ownerless() && !has_heard(thread)))
        return;
    thread->rearms_left--;
    arm(thread);
}

void mi_thread_tick(mi_thread_t *thread)
{
    mi_thread_deferred_free(thread, false);
    if (mi_option_is_on(mi_option_background_purge))
        mi_background_join(thread);
    if (mi_load_relaxed(&thread->segments.purge_at) != 0 || waits_ownerless() ||
        has_heard(thread)) {
        purge(thread, mi_os_clock_ms());
        rearm(thread);
    } else {
        thread->rearms_left = REARMS;
    }
    long collect_every = mi_option_value(mi_option_generic_collect);
    if (collect_every > 0 && thread->slow_count > (uint64_t)collect_every) {
        thread->slow_count = 0;
        mi_heap_collect_pages(thread->default_heap, MI_COLLECT_FORCE);
    }
}

// ---- the end ----

// The thread's record, if that is still the thread's own to end.
static mi_thread_t *ending_thread(mi_heap_t *heap)
{
    mi_thread_t *thread = heap == NULL ? NULL : heap->front.thread;
    bool is_own = thread != NULL && mi_load_relaxed(&thread->key) == mi_os_thread_key() &&
                  mi_load_relaxed(&thread->state) == (uint32_t)MI_RECORD_IN_USE;
    return is_own ? thread : NULL;
}

static void leave_heaps(mi_thread_t *thread)
{
    mi_thread_disarm(thread);
    mi_thread_deferred_free(thread, true);
    while (thread->heaps != &thread->backing)
        mi_heap_delete(thread->heaps);
    thread->default_heap = &thread->backing;
    mi_thread_disarm(thread);
    mi_stat_decrease(&thread->stats, MI_STAT_threads, 1);
    mi_stats_flush(&thread->stats);
}

static void leave_record(mi_thread_t *thread)
{
    mi_abandon_all(thread, mi_option_is_on(mi_option_abandoned_page_purge));
    mi_segments_drop_cached(&thread->segments);
    mi_stats_flush(&thread->stats);
    mi_record_give(thread, MI_RECORD_FREE);
}

void mi_thread_end(mi_heap_t *heap)
{
    mi_thread_t *thread = ending_thread(heap);
    if (thread == NULL)
        return;
    leave_heaps(thread);
    mi_os_set_tls_heap(&mi_heap_ended);
    if (!mi_park(thread)) {
        leave_record(thread);
        mi_os_set_tls_heap(&mi_heap_ended);
    }
}

void mi_thread_end_for_good(mi_heap_t *heap)
{
    mi_thread_t *thread = ending_thread(heap);
    if (thread == NULL)
        return;
    leave_heaps(thread);
    leave_record(thread);
    mi_os_set_tls_heap(mi_heap_of_no_thread());
}
