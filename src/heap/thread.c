// SPDX-License-Identifier: MIT
// Thread records: made on a thread's first allocation, given back at its end, taken over by later
// threads. Records are never freed, so any thread may read one at any time.
#include "heap/heap.h"

#include "base/invariant.h"
#include "heap/background.h"
#include "heap/guarded.h"
#include "heap/init.h"
#include "memory/meta.h"
#include "support/options.h"

// Calls that may take the slow path only to find that a purge is not due yet, between two looks.
// A thread that goes quiet makes a few more calls after its last free; they must not use the stub up.
#define REARMS 256

static mi_thread_t first_record; // of the process's first thread: needs no memory
static _Atomic(bool) is_first_published;
static _Atomic(mi_thread_t *) records;

mi_thread_t *mi_thread_records(void)
{
    // acquire: pairs with the exchange in publish.
    return mi_load_acquire(&records);
}

// ---- taking a record ----

static void publish(mi_thread_t *thread)
{
    mi_thread_t *head = mi_load_relaxed(&records);
    do {
        thread->next = head;
        // release: publishes the record to those who walk the list.
    } while (!mi_cas_weak_release(&records, &head, thread));
}

static bool take(mi_thread_t *thread)
{
    uint32_t free = 0;
    // acq_rel: acquire pairs with the release in mi_thread_end.
    return mi_load_relaxed(&thread->in_use) == 0 &&
           mi_cas_strong_acq_rel(&thread->in_use, &free, 1);
}

static void mark_killed(mi_arena_t *arena, uintptr_t key)
{
    for (size_t part = 0; part < arena->part_count; part++) {
        mi_arena_range_t range = {arena, part, 1};
        mi_segment_map_kill(mi_arena_range_start(&range), key);
    }
}

// A killed thread never gave its record back, and the system may give its key to a new thread. Its
// segments must not look like ours: their lists may be broken. They stay behind, out of use.
static void disown_killed(uintptr_t key)
{
    for (mi_thread_t *thread = mi_thread_records(); thread != NULL; thread = thread->next) {
        if (mi_load_acquire(&thread->in_use) == 0 || mi_load_relaxed(&thread->key) != key)
            continue;
        for (size_t i = 0; i < mi_arena_count(); i++) {
            if (mi_arena_at(i) != NULL)
                mark_killed(mi_arena_at(i), key);
        }
        mi_store_relaxed(&thread->key, (uintptr_t)MI_OWNER_KILLED);
    }
}

static mi_thread_t *take_record(void)
{
    for (mi_thread_t *thread = mi_thread_records(); thread != NULL; thread = thread->next) {
        if (take(thread))
            return thread;
    }
    // Not by in_use: a thread that took and gave it back meanwhile has published it already.
    mi_thread_t *thread = mi_exchange_acq_rel(&is_first_published, true)
                              ? mi_meta_alloc(sizeof *thread)
                              : &first_record;
    if (thread == NULL)
        return NULL;
    mi_store_relaxed(&thread->in_use, 1);
    publish(thread);
    return thread;
}

static mi_thread_t *start_thread(void)
{
    uintptr_t key = mi_os_thread_key();
    disown_killed(key);
    mi_thread_t *thread = take_record();
    if (thread == NULL)
        return NULL;
    mi_heap_init(&thread->backing, thread, 0, false, 0);
    thread->default_heap = &thread->backing;
    thread->heaps = &thread->backing;
    mi_segments_init(&thread->segments, key, mi_subproc_default());
    mi_store_relaxed(&thread->key, key);
    mi_copy(&thread->stub, &mi_heap_none, sizeof thread->stub);
    thread->stub.thread = thread;
    thread->is_armed = false;
    thread->kept_large = NULL;
    thread->rearms_left = REARMS;
    thread->next_step_ms = 0;
    thread->next_look_ms = 0;
    thread->left.arena = NULL;
    thread->slow_count = 0;
    mi_stat_increase(&thread->stats, MI_STAT_threads, 1);
    mi_os_set_tls_heap(&thread->backing);
    mi_os_on_thread_exit(mi_thread_exit_hook);
    mi_guarded_init(&thread->backing);
    return thread;
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
    if (mi_arenas_want_purge(now))
        mi_arenas_purge(now, false);
}

static void rearm(mi_thread_t *thread)
{
    if (thread->rearms_left == 0 || (mi_load_relaxed(&thread->segments.purge_at) == 0 &&
                                     !mi_arenas_want_purge(0) && !has_heard(thread)))
        return;
    thread->rearms_left--;
    arm(thread);
}

void mi_thread_tick(mi_thread_t *thread)
{
    mi_thread_deferred_free(thread, false);
    if (mi_option_is_on(mi_option_background_purge))
        mi_background_join(thread);
    if (mi_load_relaxed(&thread->segments.purge_at) != 0 || mi_arenas_want_purge(0) ||
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

void mi_thread_end(mi_heap_t *heap)
{
    mi_thread_t *thread = heap == NULL ? NULL : heap->front.thread;
    // A record that another thread has taken over meanwhile is not ours to end.
    if (thread == NULL || mi_load_relaxed(&thread->key) != mi_os_thread_key() ||
        mi_load_relaxed(&thread->in_use) == 0)
        return;
    mi_thread_disarm(thread);
    mi_thread_deferred_free(thread, true);
    while (thread->heaps != &thread->backing)
        mi_heap_delete(thread->heaps);
    mi_abandon_all(thread);
    mi_segments_drop_cached(&thread->segments);
    mi_stat_decrease(&thread->stats, MI_STAT_threads, 1);
    mi_stats_flush(&thread->stats);
    mi_os_set_tls_heap(mi_heap_of_no_thread());
    mi_store_relaxed(&thread->key, (uintptr_t)MI_OWNER_NOT_OURS);
    // release: pairs with the exchange in take.
    mi_store_release(&thread->in_use, 0);
}
