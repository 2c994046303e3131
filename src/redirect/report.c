// SPDX-License-Identifier: MIT
// Words and status calls. The status may be asked for at any time by any thread: the records
// change under the loader lock only, and a reader may see a runtime that is just being handled.
#include "redirect/report.h"
#include "redirect/allocator.h"
#include "redirect/foreign.h"
#include "redirect/freestanding.h"
#include "redirect/heap_guard.h"
#include "redirect/imports.h"
#include "redirect/log.h"
#include "redirect/settings.h"

rd_report_t rd_report;

static const char *engine_name(unsigned engine)
{
    static const char *const names[] = {"left alone", "code", "imports"};
    return engine < 3 ? names[engine] : "?";
}

static void hex_of(const uint8_t *bytes, unsigned count, char *out, size_t size)
{
    out[0] = 0;
    for (unsigned i = 0; i < count && 3 * i + 4 < size; i++)
        rd_format(out + (size_t)3 * i, 4, "%02x ", bytes[i]);
}

static const char *first_name_of(const rd_runtime_t *runtime, const rd_entry_t *entry)
{
    const rd_entry_t *first = runtime->entries;
    while (first < entry && first->address != entry->address)
        first++;
    return first->name;
}

static void report_entry(const rd_runtime_t *runtime, const rd_entry_t *entry)
{
    char before[32];
    char after[32];
    hex_of(entry->before, entry->byte_count, before, sizeof before);
    hex_of(entry->after, entry->byte_count, after, sizeof after);
    if (entry->engine == MI_REDIRECT_ENGINE_CODE)
        rd_log(2, "  %s at %p: code, %s-> %s, to %p", entry->name, (void *)entry->site, before,
               after, entry->replacement);
    else if (entry->status == RD_ALREADY_PLANNED && runtime->engine == MI_REDIRECT_ENGINE_CODE)
        rd_log(2, "  %s at %p: done as %s", entry->name, (void *)entry->address,
               first_name_of(runtime, entry));
    else
        rd_log(2, "  %s at %p: %s (%s)", entry->name, (void *)entry->address,
               engine_name(entry->engine), rd_status_text(entry->status));
}

static unsigned patched_count(const rd_runtime_t *runtime)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < runtime->entry_count; i++)
        count += runtime->entries[i].engine != MI_REDIRECT_ENGINE_NONE;
    return count;
}

static const rd_entry_t *first_refused(const rd_runtime_t *runtime)
{
    for (uint32_t i = 0; i < runtime->entry_count; i++) {
        const rd_entry_t *entry = &runtime->entries[i];
        if (entry->status != RD_OK && entry->status != RD_ALREADY_PLANNED &&
            entry->status != RD_FORWARDED)
            return entry;
    }
    return NULL;
}

void rd_report_runtime(const rd_runtime_t *runtime)
{
    const rd_entry_t *refused = first_refused(runtime);
    const char *when = runtime->was_initialized ? "after its start-up" : "before its start-up";
    if (runtime->is_redirected)
        rd_log(1, "%s at %p: %u functions by %s, %s, %u import entries, self-test passed",
               runtime->name, (void *)runtime->base, patched_count(runtime),
               engine_name(runtime->engine), when, runtime->import_patch_count);
    else
        rd_log(1, "%s at %p: not redirected (%s)", runtime->name, (void *)runtime->base,
               rd_status_text(runtime->reason));
    if (refused != NULL)
        rd_log(1, "%s: code of %s cannot be patched: %s", runtime->name, refused->name,
               rd_status_text(refused->status));
    for (uint32_t i = 0; i < runtime->entry_count; i++)
        report_entry(runtime, &runtime->entries[i]);
}

static void list_redirected(char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (unsigned i = 0; i < RD_RUNTIME_MAX; i++) {
        const rd_runtime_t *runtime = &rd_runtimes[i];
        if (!runtime->is_used || runtime->is_unloaded || !runtime->is_redirected)
            continue;
        rd_format(out + used, size - used, used == 0 ? "%s" : ", %s", runtime->name);
        used += strlen(out + used);
    }
}

static const char linked_in[] =
    ", but the program imports no C runtime DLL: one that is linked into it is not redirected";

void rd_report_verdict(void)
{
    char names[128];
    list_redirected(names, sizeof names);
    const char *advice = rd_status_advice(rd_report.reason);
    char unset[48];
    if (rd_report.reason == RD_DISABLED && rd_settings.disabled_by != NULL) {
        rd_format(unset, sizeof unset, "Unset %s.", rd_settings.disabled_by);
        advice = unset;
    }
    if (rd_report.is_redirected)
        rd_format(rd_report.verdict, sizeof rd_report.verdict, "redirected: yes (%s -> %s)%s",
                  names, rd_allocator.name, rd_program_imports_runtime() ? "" : linked_in);
    else
        rd_format(rd_report.verdict, sizeof rd_report.verdict, "redirected: no (%s)%s%s",
                  rd_status_text(rd_report.reason), *advice != 0 ? ". " : "", advice);
    rd_log(1, "%s", rd_report.verdict);
}

// ---- status calls ----

bool mi_redirect_get_status(mi_redirect_status_t *status)
{
    if (status == NULL || status->size != sizeof *status)
        return false;
    memset(status, 0, sizeof *status);
    status->size = sizeof *status;
    status->version = MI_REDIRECT_VERSION;
    status->is_redirected = rd_report.is_redirected && !rd_report.is_off;
    for (unsigned i = 0; i < RD_RUNTIME_MAX; i++)
        status->runtime_count += rd_runtimes[i].is_used;
    status->import_patch_count = rd_imports_total();
    status->reason = (uint32_t)(rd_report.is_off ? RD_TURNED_OFF : rd_report.reason);
    status->reason_text = rd_report.verdict;
    status->allocator = rd_allocator.name;
    status->foreign_free_count = atomic_load(&rd_foreign_free_count);
    status->foreign_realloc_count = atomic_load(&rd_foreign_realloc_count);
    status->foreign_size_count = atomic_load(&rd_foreign_size_count);
    status->heap_rescue_count = atomic_load(&rd_heap_rescue_count);
    return true;
}

static const rd_runtime_t *runtime_number(size_t index)
{
    for (unsigned i = 0; i < RD_RUNTIME_MAX; i++)
        if (rd_runtimes[i].is_used && index-- == 0)
            return &rd_runtimes[i];
    return NULL;
}

bool mi_redirect_get_runtime(size_t index, mi_redirect_runtime_t *out)
{
    const rd_runtime_t *runtime = runtime_number(index);
    if (runtime == NULL || out == NULL || out->size != sizeof *out)
        return false;
    memset(out, 0, sizeof *out);
    out->size = sizeof *out;
    out->engine = runtime->engine;
    out->reason = (uint32_t)runtime->reason;
    out->function_count = runtime->entry_count;
    out->import_patch_count = rd_imports_count(runtime->slot);
    out->is_redirected = runtime->is_redirected;
    out->is_unloaded = runtime->is_unloaded;
    out->was_initialized = runtime->was_initialized;
    out->base = runtime->base;
    out->reason_text = rd_status_text(runtime->reason);
    memcpy(out->name, runtime->name, sizeof out->name);
    return true;
}

bool mi_redirect_get_function(size_t runtime_index, size_t index, mi_redirect_function_t *out)
{
    const rd_runtime_t *runtime = runtime_number(runtime_index);
    if (runtime == NULL || index >= runtime->entry_count || out == NULL || out->size != sizeof *out)
        return false;
    const rd_entry_t *entry = &runtime->entries[index];
    memset(out, 0, sizeof *out);
    out->size = sizeof *out;
    out->engine = entry->engine;
    out->reason = (uint32_t)entry->status;
    out->name = entry->name;
    out->reason_text = rd_status_text(entry->status);
    out->address = entry->engine == MI_REDIRECT_ENGINE_CODE ? entry->site : entry->address;
    out->replacement = entry->replacement;
    if (entry->engine == MI_REDIRECT_ENGINE_CODE) {
        out->byte_count = entry->byte_count;
        memcpy(out->bytes_before, entry->before, entry->byte_count);
        memcpy(out->bytes_after, entry->after, entry->byte_count);
    }
    return true;
}
