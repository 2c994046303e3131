// SPDX-License-Identifier: MIT
// Statistics. Each thread counts for itself in a struct of its thread record and adds that to the
// process's figures now and then (mi_stats_flush); what has no thread or is rare is counted in the
// process's figures at once (the mi_stat_process_ functions, atomic).
#pragma once

#include "base/atomic.h"
#include "mimalloc-stats.h"
#include "mimalloc.h"

// Amounts that rise and fall, in the order of their fields in mi_stats_t.
typedef enum mi_stat {
#define MI_STAT_AMOUNT(name) MI_STAT_##name,
#define MI_STAT_EVENT(name)
    MI_STAT_FIELDS(MI_STAT_AMOUNT, MI_STAT_EVENT)
#undef MI_STAT_AMOUNT
#undef MI_STAT_EVENT
        MI_STAT_AMOUNTS
} mi_stat_t;

// Events that only add up.
typedef enum mi_stat_event {
#define MI_STAT_AMOUNT(name)
#define MI_STAT_EVENT(name) MI_STAT_##name,
    MI_STAT_FIELDS(MI_STAT_AMOUNT, MI_STAT_EVENT)
#undef MI_STAT_AMOUNT
#undef MI_STAT_EVENT
        MI_STAT_EVENTS
} mi_stat_event_t;

typedef struct mi_thread_amount {
    int64_t total;   // all increases since the last flush
    int64_t current; // increases less decreases since the last flush; may be negative
    int64_t peak;    // highest current since the last flush
} mi_thread_amount_t;

// Part of a thread record; all zero at first.
typedef struct mi_thread_stats {
    mi_thread_amount_t amount[MI_STAT_AMOUNTS]; // owner
    int64_t event[MI_STAT_EVENTS];              // owner
    uint32_t pages_made[MI_STAT_BINS];          // owner: pages of a size class
    uint32_t pages_gone[MI_STAT_BINS];          // owner
} mi_thread_stats_t;

mi_inline void mi_stat_increase(mi_thread_stats_t *stats, mi_stat_t stat, size_t amount)
{
    mi_thread_amount_t *count = &stats->amount[stat];
    count->total += (int64_t)amount;
    count->current += (int64_t)amount;
    if (count->current > count->peak)
        count->peak = count->current;
}

mi_inline void mi_stat_decrease(mi_thread_stats_t *stats, mi_stat_t stat, size_t amount)
{
    stats->amount[stat].current -= (int64_t)amount;
}

mi_inline void mi_stat_count(mi_thread_stats_t *stats, mi_stat_event_t event)
{
    stats->event[event]++;
}

mi_inline void mi_stat_page_made(mi_thread_stats_t *stats, size_t bin)
{
    stats->pages_made[bin]++;
}

mi_inline void mi_stat_page_gone(mi_thread_stats_t *stats, size_t bin)
{
    stats->pages_gone[bin]++;
}

// The process's own figures; any thread.
void mi_stat_process_increase(mi_stat_t stat, size_t amount);
void mi_stat_process_decrease(mi_stat_t stat, size_t amount);
void mi_stat_process_count(mi_stat_event_t event);
// The current amount, as far as threads have flushed.
int64_t mi_stat_process_current(mi_stat_t stat);
int64_t mi_stat_process_peak(mi_stat_t stat);

// Adds the thread's figures to the process's and clears them. By the owner, and at the thread's end.
void mi_stats_flush(mi_thread_stats_t *stats);
// Forgets all of the process's figures but the current amounts.
void mi_stats_forget(void);
// The process's figures (size and version are left alone), or one thread's since its last flush.
void mi_stats_read(mi_stats_t *stats);
void mi_stats_read_thread(const mi_thread_stats_t *from, mi_stats_t *stats);
// Prints a table.
void mi_stats_write(const mi_stats_t *stats, mi_output_fun *out, void *arg);
