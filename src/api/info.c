// SPDX-License-Identifier: MIT
// What the program may ask about the allocator and the process: version, times, memory, statistics.
#include "api/runtime.h"
#include "heap/heap.h"
#include "mimalloc-stats.h"
#include "os/os.h"
#include "support/message.h"
#include "support/stats.h"

_Static_assert(MI_CLASS_COUNT <= MI_STAT_BINS, "there is a figure for every size class");

int mi_version(void)
{
    return MI_MALLOC_VERSION;
}

size_t mi_good_size(size_t size)
{
    if (size <= MI_LARGE_MAX)
        return mi_class_size(mi_size_class(size));
    return size > MI_ALLOC_MAX ? size : mi_align_up(size, MI_SLICE_SIZE);
}

size_t mi_malloc_good_size(size_t size)
{
    return mi_good_size(size);
}

size_t mi_malloc_size(const void *p)
{
    return mi_usable_size(p);
}

size_t mi_malloc_usable_size(const void *p)
{
    return mi_usable_size(p);
}

static void store(size_t *to, uint64_t value)
{
    if (to != NULL)
        *to = value > SIZE_MAX ? SIZE_MAX : (size_t)value;
}

static uint64_t not_negative(int64_t value)
{
    return value < 0 ? 0 : (uint64_t)value;
}

void mi_process_info(size_t *elapsed_msecs, size_t *user_msecs, size_t *system_msecs,
                     size_t *current_rss, size_t *peak_rss, size_t *current_commit,
                     size_t *peak_commit, size_t *page_faults)
{
    mi_os_process_info_t info;
    mi_process_init();
    mi_os_process_info(&info);
    // Systems that do not tell what is committed: our own part of it.
    if (info.current_commit == 0) {
        info.current_commit = (size_t)not_negative(mi_stat_process_current(MI_STAT_committed));
        info.peak_commit = (size_t)not_negative(mi_stat_process_peak(MI_STAT_committed));
    }
    store(elapsed_msecs, info.elapsed_ms);
    store(user_msecs, info.user_ms);
    store(system_msecs, info.system_ms);
    store(current_rss, info.current_rss);
    store(peak_rss, info.peak_rss);
    store(current_commit, info.current_commit);
    store(peak_commit, info.peak_commit);
    store(page_faults, info.page_faults);
}

// ---- statistics ----

void mi_stats_merge(void)
{
    mi_thread_t *thread = mi_thread_current();
    if (thread != NULL)
        mi_stats_flush(&thread->stats);
}

void mi_stats_reset(void)
{
    mi_stats_merge();
    mi_stats_forget();
}

static mi_noinline void print_process(mi_output_fun *out, void *arg)
{
    size_t elapsed, user, system, rss, peak_rss, commit, peak_commit, faults;
    char text[4][32];
    mi_process_info(&elapsed, &user, &system, &rss, &peak_rss, &commit, &peak_commit, &faults);
    mi_format_size(text[0], sizeof text[0], (int64_t)rss);
    mi_format_size(text[1], sizeof text[1], (int64_t)peak_rss);
    mi_format_size(text[2], sizeof text[2], (int64_t)commit);
    mi_format_size(text[3], sizeof text[3], (int64_t)peak_commit);
    mi_output_to(out, arg, "%20s: elapsed %zu.%03zu s, user %zu.%03zu s, system %zu.%03zu s\n",
                 "process", elapsed / 1000, elapsed % 1000, user / 1000, user % 1000, system / 1000,
                 system % 1000);
    mi_output_to(out, arg, "%20s: resident %s, peak %s; committed %s, peak %s; %zu page faults\n",
                 "", text[0], text[1], text[2], text[3], faults);
}

static void print_redirect(mi_output_fun *out, void *arg)
{
    mi_crossings_t crossings;
    if (!mi_runtime_crossings(&crossings))
        return;
    mi_output_to(
        out, arg,
        "%20s: the runtime's own blocks: %zu freed, %zu resized, %zu asked for their size\n",
        "redirect", crossings.foreign_frees, crossings.foreign_reallocs, crossings.foreign_sizes);
    mi_output_to(out, arg, "%20s: our blocks at the system's heap functions: %zu taken back\n", "",
                 crossings.heap_rescues);
}

void mi_stats_print_out(mi_output_fun *out, void *arg)
{
    mi_stats_t stats = {.size = sizeof stats, .version = MI_STAT_VERSION};
    mi_stats_merge();
    mi_stats_read(&stats);
    mi_stats_write(&stats, out, arg);
    print_process(out, arg);
    print_redirect(out, arg);
}

void mi_stats_print(void *out)
{
    (void)out;
    mi_stats_print_out(NULL, NULL);
}

void mi_thread_stats_print_out(mi_output_fun *out, void *arg)
{
    mi_stats_t stats = {.size = sizeof stats, .version = MI_STAT_VERSION};
    mi_thread_t *thread = mi_thread_current();
    if (thread == NULL)
        return;
    mi_stats_read_thread(&thread->stats, &stats);
    mi_stats_write(&stats, out, arg);
}

bool mi_stats_get(mi_stats_t *stats)
{
    if (stats == NULL || stats->size != sizeof *stats || stats->version != MI_STAT_VERSION)
        return false;
    mi_stats_merge();
    mi_stats_read(stats);
    return true;
}

// ---- JSON ----

typedef struct text {
    char *buffer;
    size_t size;   // of the buffer
    size_t length; // of the whole text, also of what did not fit
} text_t;

mi_attr_format(2, 3) static void add(text_t *text, const char *fmt, ...)
{
    char piece[256];
    va_list args;
    va_start(args, fmt);
    size_t length = mi_format_args(piece, sizeof piece, fmt, args);
    va_end(args);
    for (size_t i = 0; i < length; i++, text->length++)
        if (text->length + 1 < text->size)
            text->buffer[text->length] = piece[i];
}

static void add_amount(text_t *text, const char *name, const mi_stat_count_t *count)
{
    add(text, "  \"%s\": { \"total\": %lld, \"peak\": %lld, \"current\": %lld },\n", name,
        (long long)count->total, (long long)count->peak, (long long)count->current);
}

static void add_event(text_t *text, const char *name, int64_t total)
{
    add(text, "  \"%s\": %lld,\n", name, (long long)total);
}

static void add_bins(text_t *text, const mi_stats_t *stats)
{
    add(text, "  \"page_bins\": [");
    for (size_t i = 0; i < MI_STAT_BINS; i++) {
        const mi_stat_bin_t *count = &stats->page_bins[i];
        add(text, "%s\n    { \"total\": %lld, \"current\": %lld }", i == 0 ? "" : ",",
            (long long)count->total, (long long)count->current);
    }
    add(text, "\n  ]\n");
}

static size_t write_json(const mi_stats_t *stats, char *buffer, size_t size)
{
    text_t text = {.buffer = buffer, .size = size};
    add(&text, "{\n  \"version\": %d,\n  \"mimalloc_version\": %d,\n", MI_STAT_VERSION,
        MI_MALLOC_VERSION);
#define MI_STAT_AMOUNT(name) add_amount(&text, #name, &stats->name);
#define MI_STAT_EVENT(name)  add_event(&text, #name, stats->name.total);
    MI_STAT_FIELDS(MI_STAT_AMOUNT, MI_STAT_EVENT)
#undef MI_STAT_AMOUNT
#undef MI_STAT_EVENT
    add_bins(&text, stats);
    add(&text, "}\n");
    if (size > 0)
        buffer[mi_min(text.length, size - 1)] = 0;
    return text.length;
}

char *mi_stats_get_json(size_t buf_size, char *buf)
{
    mi_stats_t stats = {.size = sizeof stats, .version = MI_STAT_VERSION};
    if (buf != NULL && buf_size == 0)
        return NULL;
    (void)mi_stats_get(&stats);
    if (buf == NULL) {
        // The figures are a copy, so the second text has the same length.
        buf_size = write_json(&stats, NULL, 0) + 1;
        buf = mi_malloc(buf_size);
        if (buf == NULL)
            return NULL;
    }
    write_json(&stats, buf, buf_size);
    return buf;
}
