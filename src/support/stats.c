// SPDX-License-Identifier: MIT
// The process's figures and their printing.
#include "support/stats.h"

#include "os/os.h"
#include "support/message.h"

typedef struct amount {
    _Atomic(int64_t) total;   // any
    _Atomic(int64_t) current; // any
    _Atomic(int64_t) peak;    // any: raised by compare and swap
} amount_t;

// The amounts first: every process counts there, and the rest lies on other OS pages.
static struct {
    amount_t amounts[MI_STAT_AMOUNTS];
    _Atomic(int64_t) events[MI_STAT_EVENTS];
    _Atomic(int64_t) pages_made[MI_STAT_BINS];
    _Atomic(int64_t) pages_gone[MI_STAT_BINS];
} process;

// ---- counting ----

static void raise_peak(amount_t *amount, int64_t candidate)
{
    int64_t peak = mi_load_relaxed(&amount->peak);
    while (candidate > peak && !mi_cas_weak_acq_rel(&amount->peak, &peak, candidate))
        continue;
}

void mi_stat_process_increase(mi_stat_t stat, size_t size)
{
    amount_t *amount = &process.amounts[stat];
    mi_add_relaxed(&amount->total, (int64_t)size);
    raise_peak(amount, mi_add_relaxed(&amount->current, (int64_t)size) + (int64_t)size);
}

void mi_stat_process_decrease(mi_stat_t stat, size_t size)
{
    mi_sub_relaxed(&process.amounts[stat].current, (int64_t)size);
}

void mi_stat_process_count(mi_stat_event_t event)
{
    mi_add_relaxed(&process.events[event], 1);
}

int64_t mi_stat_process_current(mi_stat_t stat)
{
    return mi_load_relaxed(&process.amounts[stat].current);
}

int64_t mi_stat_process_peak(mi_stat_t stat)
{
    return mi_load_relaxed(&process.amounts[stat].peak);
}

// The process's peak is what it was before the flush plus the thread's own: peaks of two threads
// between flushes are not added up.
static void flush_amount(amount_t *amount, const mi_thread_amount_t *from)
{
    if (from->total == 0 && from->current == 0)
        return;
    mi_add_relaxed(&amount->total, from->total);
    int64_t before = mi_add_relaxed(&amount->current, from->current);
    raise_peak(amount, before + from->peak);
}

void mi_stats_flush(mi_thread_stats_t *stats)
{
    for (size_t i = 0; i < MI_STAT_AMOUNTS; i++)
        flush_amount(&process.amounts[i], &stats->amount[i]);
    for (size_t i = 0; i < MI_STAT_EVENTS; i++)
        if (stats->event[i] != 0)
            mi_add_relaxed(&process.events[i], stats->event[i]);
    for (size_t i = 0; i < MI_STAT_BINS; i++) {
        if (stats->pages_made[i] != 0)
            mi_add_relaxed(&process.pages_made[i], (int64_t)stats->pages_made[i]);
        if (stats->pages_gone[i] != 0)
            mi_add_relaxed(&process.pages_gone[i], (int64_t)stats->pages_gone[i]);
    }
    *stats = (mi_thread_stats_t){0};
}

void mi_stats_forget(void)
{
    for (size_t i = 0; i < MI_STAT_AMOUNTS; i++) {
        int64_t current = mi_load_relaxed(&process.amounts[i].current);
        mi_store_relaxed(&process.amounts[i].total, current);
        mi_store_relaxed(&process.amounts[i].peak, current);
    }
    for (size_t i = 0; i < MI_STAT_EVENTS; i++)
        mi_store_relaxed(&process.events[i], 0);
    for (size_t i = 0; i < MI_STAT_BINS; i++) {
        int64_t current =
            mi_load_relaxed(&process.pages_made[i]) - mi_load_relaxed(&process.pages_gone[i]);
        mi_store_relaxed(&process.pages_made[i], current);
        mi_store_relaxed(&process.pages_gone[i], 0);
    }
}

// ---- reading ----

static mi_stat_count_t read_amount(mi_stat_t stat)
{
    const amount_t *amount = &process.amounts[stat];
    return (mi_stat_count_t){.total = mi_load_relaxed(&amount->total),
                             .peak = mi_load_relaxed(&amount->peak),
                             .current = mi_load_relaxed(&amount->current)};
}

void mi_stats_read(mi_stats_t *stats)
{
#define MI_STAT_AMOUNT(name) stats->name = read_amount(MI_STAT_##name);
#define MI_STAT_EVENT(name)  stats->name.total = mi_load_relaxed(&process.events[MI_STAT_##name]);
    MI_STAT_FIELDS(MI_STAT_AMOUNT, MI_STAT_EVENT)
#undef MI_STAT_AMOUNT
#undef MI_STAT_EVENT
    for (size_t i = 0; i < MI_STAT_BINS; i++) {
        int64_t made = mi_load_relaxed(&process.pages_made[i]);
        int64_t current = made - mi_load_relaxed(&process.pages_gone[i]);
        stats->page_bins[i] = (mi_stat_bin_t){.total = made, .current = current};
    }
}

static mi_stat_count_t copy_amount(const mi_thread_amount_t *amount)
{
    return (mi_stat_count_t){
        .total = amount->total, .peak = amount->peak, .current = amount->current};
}

void mi_stats_read_thread(const mi_thread_stats_t *from, mi_stats_t *stats)
{
#define MI_STAT_AMOUNT(name) stats->name = copy_amount(&from->amount[MI_STAT_##name]);
#define MI_STAT_EVENT(name)  stats->name.total = from->event[MI_STAT_##name];
    MI_STAT_FIELDS(MI_STAT_AMOUNT, MI_STAT_EVENT)
#undef MI_STAT_AMOUNT
#undef MI_STAT_EVENT
    for (size_t i = 0; i < MI_STAT_BINS; i++) {
        int64_t current = (int64_t)from->pages_made[i] - (int64_t)from->pages_gone[i];
        stats->page_bins[i] =
            (mi_stat_bin_t){.total = (int64_t)from->pages_made[i], .current = current};
    }
}

// ---- printing ----

static bool is_in_bytes(mi_stat_t stat)
{
    return stat <= MI_STAT_malloc_requested;
}

static void format_amount(char *buffer, size_t size, int64_t value, bool is_bytes)
{
    if (is_bytes)
        mi_format_size(buffer, size, value);
    else
        mi_format(buffer, size, "%lld", (long long)value);
}

static void write_amount(const char *name, mi_stat_t stat, const mi_stat_count_t *count,
                         mi_output_fun *out, void *arg)
{
    char peak[32], total[32], current[32];
    if (count->total == 0 && count->current == 0)
        return;
    format_amount(peak, sizeof peak, count->peak, is_in_bytes(stat));
    format_amount(total, sizeof total, count->total, is_in_bytes(stat));
    format_amount(current, sizeof current, count->current, is_in_bytes(stat));
    mi_output_to(out, arg, "%20s: %12s %12s %12s\n", name, peak, total, current);
}

static void write_event(const char *name, int64_t total, mi_output_fun *out, void *arg)
{
    if (total != 0)
        mi_output_to(out, arg, "%20s: %12s %12lld\n", name, "", (long long)total);
}

static void write_bins(const mi_stats_t *stats, mi_output_fun *out, void *arg)
{
    for (size_t i = 0; i < MI_STAT_BINS; i++) {
        const mi_stat_bin_t *count = &stats->page_bins[i];
        if (count->total != 0)
            mi_output_to(out, arg, "%14s %5zu: %12s %12lld %12lld\n", "pages of class", i, "",
                         (long long)count->total, (long long)count->current);
    }
}

void mi_stats_write(const mi_stats_t *stats, mi_output_fun *out, void *arg)
{
    mi_output_to(out, arg, "%20s  %12s %12s %12s\n", "statistics", "peak", "total", "current");
#define MI_STAT_AMOUNT(name) write_amount(#name, MI_STAT_##name, &stats->name, out, arg);
#define MI_STAT_EVENT(name)  write_event(#name, stats->name.total, out, arg);
    MI_STAT_FIELDS(MI_STAT_AMOUNT, MI_STAT_EVENT)
#undef MI_STAT_AMOUNT
#undef MI_STAT_EVENT
    write_bins(stats, out, arg);
}
