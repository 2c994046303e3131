// SPDX-License-Identifier: MIT
// The background purge, an option that is off by default: one thread that gives idle memory back
// even if the program makes no further call. It never touches a page or a free list: it purges slices
// that are in no page, under the lock of the owner's segments, and free parts of arenas.
// A thread that makes its first allocation in DllMain may start it: the new thread waits for the
// loader lock by itself, and nobody waits for it.
#include "heap/background.h"

#include "heap/record.h"
#include "os/os.h"
#include "support/options.h"

static _Atomic(bool) is_started;

static void purge_threads(uint64_t now)
{
    for (mi_thread_t *thread = mi_record_first(); thread != NULL; thread = thread->next)
        mi_segments_purge_from_outside(&thread->segments, now);
}

static void run(void *arg)
{
    (void)arg;
    while (!mi_os_process_is_ending()) {
        long delay = mi_option_value(mi_option_purge_delay);
        mi_os_sleep((size_t)mi_max((size_t)(delay < 0 ? 1000 : delay), 10));
        if (delay < 0 || !mi_option_is_on(mi_option_background_purge))
            continue;
        uint64_t now = mi_os_clock_ms();
        purge_threads(now);
        if (mi_arenas_want_purge(now))
            mi_arenas_purge(now, false);
    }
}

void mi_background_join(mi_thread_t *thread)
{
    mi_segments_share(&thread->segments);
    if (mi_load_relaxed(&is_started) || mi_exchange_acq_rel(&is_started, true))
        return;
    if (!mi_os_start_thread(run, NULL))
        mi_store_relaxed(&is_started, false); // the next slow path tries again
}
