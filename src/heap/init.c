// SPDX-License-Identifier: MIT
// Start and end of the process. The first malloc may come before any initialiser: everything that
// it needs is valid as static data, and the start is made then.
#include "heap/init.h"

#include "heap/park.h"
#include "support/message.h"
#include "support/options.h"

// The standard language has no way to repeat an initializer.
#define EIGHT(value)      value, value, value, value, value, value, value, value
#define THIRTY_TWO(value) EIGHT(value), EIGHT(value), EIGHT(value), EIGHT(value)
#define NO_PAGE           &mi_page_none
#if MI_64BIT
#define NO_PAGE_OF_EACH_CLASS                                                                      \
    THIRTY_TWO(NO_PAGE), THIRTY_TWO(NO_PAGE), THIRTY_TWO(NO_PAGE), THIRTY_TWO(NO_PAGE),            \
        EIGHT(NO_PAGE), EIGHT(NO_PAGE), NO_PAGE, NO_PAGE
#else
#define NO_PAGE_OF_EACH_CLASS                                                                      \
    THIRTY_TWO(NO_PAGE), THIRTY_TWO(NO_PAGE), THIRTY_TWO(NO_PAGE), EIGHT(NO_PAGE), EIGHT(NO_PAGE), \
        EIGHT(NO_PAGE), NO_PAGE, NO_PAGE
#endif
_Static_assert(MI_DIRECT_COUNT == 65 && MI_CLASS_COUNT == (MI_64BIT ? 146 : 122),
               "the numbers of the initializers below");

mi_heap_front_t mi_heap_none = {
    .direct = {THIRTY_TWO(NO_PAGE), THIRTY_TWO(NO_PAGE), NO_PAGE},
    .current = {NO_PAGE_OF_EACH_CLASS},
    .thread = NULL,
    .is_stub = true,
};

#if !MI_TLS_HEAP_STARTS_NULL
MI_THREAD_LOCAL void *mi_os_tls_heap_word mi_initial_exec = &mi_heap_none;
#endif

mi_heap_front_t mi_heap_ended = {
    .direct = {THIRTY_TWO(NO_PAGE), THIRTY_TWO(NO_PAGE), NO_PAGE},
    .current = {NO_PAGE_OF_EACH_CLASS},
    .thread = NULL,
    .is_stub = true,
};

mi_heap_t *mi_heap_of_no_thread(void)
{
    return MI_TLS_HEAP_STARTS_NULL ? NULL : (mi_heap_t *)&mi_heap_none;
}

typedef enum process_state { NOT_STARTED, STARTING, RUNNING, DONE } process_state_t;

static _Atomic(uint32_t) process_state; // any: process_state_t

// Threads may make their first allocations all at once: one starts the process, the others wait.
void mi_process_start(void)
{
    uint32_t expected = NOT_STARTED;
    if (mi_likely(mi_load_acquire(&process_state) >= RUNNING))
        return;
    if (!mi_cas_strong_acq_rel(&process_state, &expected, STARTING)) {
        while (mi_load_acquire(&process_state) < RUNNING)
            mi_os_yield();
        return;
    }
    mi_os_init();
    mi_options_init();
    mi_os_set_retry_on_oom((size_t)mi_option_value(mi_option_retry_on_oom));
    if (!mi_option_is_on(mi_option_allow_thp))
        mi_os_disallow_thp();
    // release: pairs with the loads above; all that was set up is visible behind it.
    mi_store_release(&process_state, (uint32_t)RUNNING);
}

bool mi_process_is_running(void)
{
    return mi_load_acquire(&process_state) == RUNNING;
}

void mi_thread_exit_hook(void *heap)
{
    mi_thread_end(heap);
}

static void reserve_at_start(void)
{
    long pages = mi_option_value(mi_option_reserve_huge_os_pages);
    long kib = mi_option_value(mi_option_reserve_os_memory);
    if (pages > 0)
        (void)mi_reserve_huge_os_pages_at((size_t)pages,
                                          (int)mi_option_value(mi_option_reserve_huge_os_pages_at),
                                          (size_t)pages * 500);
    if (kib > 0)
        (void)mi_reserve_os_memory((size_t)kib * MI_KIB, true, true);
}

void mi_process_init(void)
{
    static _Atomic(bool) reserved;
    mi_process_start();
    mi_options_init(); // the environment may not have been there at the first malloc
    (void)mi_heap_current();
    if (mi_exchange_acq_rel(&reserved, true))
        return;
    if (mi_option_value(mi_option_verbose) >= 2)
        mi_options_print();
    else
        mi_verbose(1, "release %s, interface %d", MI_RELEASE_VERSION, MI_MALLOC_VERSION);
    reserve_at_start();
}

void mi_process_done(void)
{
    uint32_t running = RUNNING;
    if (!mi_cas_strong_acq_rel(&process_state, &running, (uint32_t)DONE))
        return;
    if (mi_option_is_on(mi_option_show_stats) || mi_option_is_on(mi_option_verbose))
        mi_stats_print(NULL);
    // Not where the C runtime's own blocks are ours: it and other DLLs may still free some.
    if (mi_option_is_on(mi_option_destroy_on_exit) && !mi_is_redirected())
        mi_arenas_release_all();
}

void mi_process_unload(void)
{
    mi_process_done();
    mi_park_end_all();
    if (mi_thread_current() != NULL)
        mi_thread_end_for_good(&mi_thread_current()->backing);
    mi_arenas_release_unused();
    mi_os_release_tls_slot();
}

void mi_thread_init(void)
{
    (void)mi_heap_current();
}

void mi_thread_done(void)
{
    mi_thread_t *thread = mi_thread_current();
    if (thread != NULL)
        mi_thread_end(&thread->backing);
}
