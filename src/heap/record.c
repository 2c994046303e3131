// SPDX-License-Identifier: MIT
// The records of threads: a list that only grows. A record is never freed, so any thread may read one
// at any time; who has it is decided by an exchange of its state.
#include "heap/record.h"

#include "memory/meta.h"

static mi_thread_t first_record; // of the process's first thread: needs no memory
static _Atomic(bool) is_first_published;
static _Atomic(mi_thread_t *) records;

mi_thread_t *mi_record_first(void)
{
    // acquire: pairs with the exchange in publish.
    return mi_load_acquire(&records);
}

static void publish(mi_thread_t *thread)
{
    mi_thread_t *head = mi_load_relaxed(&records);
    do {
        thread->next = head;
        // release: publishes the record to those who walk the list.
    } while (!mi_cas_weak_release(&records, &head, thread));
}

bool mi_record_take_from(mi_thread_t *thread, mi_record_state_t state)
{
    uint32_t expected = (uint32_t)state;
    // acq_rel: acquire pairs with the release in mi_record_give.
    return mi_load_relaxed(&thread->state) == expected &&
           mi_cas_strong_acq_rel(&thread->state, &expected, (uint32_t)MI_RECORD_IN_USE);
}

void mi_record_give(mi_thread_t *thread, mi_record_state_t state)
{
    mi_store_relaxed(&thread->key, (uintptr_t)MI_OWNER_NOT_OURS);
    // release: pairs with the exchange above.
    mi_store_release(&thread->state, (uint32_t)state);
}

mi_thread_t *mi_record_take_free(void)
{
    for (mi_thread_t *thread = mi_record_first(); thread != NULL; thread = thread->next) {
        if (mi_record_take_from(thread, MI_RECORD_FREE))
            return thread;
    }
    // Not by the state: a thread that took and gave it back meanwhile has published it already.
    mi_thread_t *thread = mi_exchange_acq_rel(&is_first_published, true)
                              ? mi_meta_alloc(sizeof *thread)
                              : &first_record;
    if (thread == NULL)
        return NULL;
    mi_store_relaxed(&thread->state, (uint32_t)MI_RECORD_IN_USE);
    publish(thread);
    return thread;
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
void mi_record_disown_killed(uintptr_t key)
{
    for (mi_thread_t *thread = mi_record_first(); thread != NULL; thread = thread->next) {
        // The key decides, and is nobody's in a record that is free or parked.
        if (mi_load_relaxed(&thread->key) != key ||
            mi_load_acquire(&thread->state) == (uint32_t)MI_RECORD_FREE)
            continue;
        for (size_t i = 0; i < mi_arena_count(); i++) {
            if (mi_arena_at(i) != NULL)
                mark_killed(mi_arena_at(i), key);
        }
        mi_store_relaxed(&thread->key, (uintptr_t)MI_OWNER_KILLED);
    }
}
