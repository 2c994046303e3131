// SPDX-License-Identifier: MIT
// Runs the steps and keeps the process-wide state. Everything here happens under the loader lock.
// Whatever fails, the process goes on as it was, with the reason in the report.
#include "redirect/takeover.h"
#include "redirect/allocator.h"
#include "redirect/foreign.h"
#include "redirect/heap_guard.h"
#include "redirect/imports.h"
#include "redirect/log.h"
#include "redirect/lookup.h"
#include "redirect/patch_apply.h"
#include "redirect/process.h"
#include "redirect/report.h"
#include "redirect/self_test.h"
#include "redirect/settings.h"

static bool entry_was_called; // the allocator knows that it is redirected

static rd_status_t imports_apply(rd_runtime_t *runtime)
{
    for (uint32_t i = 0; i < runtime->entry_count; i++) {
        rd_entry_t *entry = &runtime->entries[i];
        if (entry->status == RD_FORWARDED)
            continue;
        entry->replacement = rd_replacement_for(runtime, (rd_function_t)entry->function);
        if (!rd_import_redirect(entry->address, entry->replacement, runtime->slot))
            return RD_TOO_MANY;
        entry->engine = MI_REDIRECT_ENGINE_IMPORTS;
    }
    runtime->engine = MI_REDIRECT_ENGINE_IMPORTS;
    rd_lookup_prepare();
    uint32_t refused_before = rd_imports_refused();
    rd_imports_apply_all();
    runtime->import_patch_count = rd_imports_count(runtime->slot);
    // A module whose entries stay as they are goes on with the runtime's own functions; if all do so,
    // nothing is redirected. None at all is no failure: whoever comes later or looks functions up is
    // still served.
    if (runtime->import_patch_count == 0 && rd_imports_refused() != refused_before)
        return RD_IMPORTS_REFUSED;
    return RD_OK;
}

static bool any_by_imports(void)
{
    for (unsigned i = 0; i < RD_RUNTIME_MAX; i++)
        if (rd_runtimes[i].is_used && rd_runtimes[i].engine == MI_REDIRECT_ENGINE_IMPORTS)
            return true;
    return false;
}

static void imports_undo(rd_runtime_t *runtime)
{
    rd_imports_undo(runtime->slot);
    for (uint32_t i = 0; i < runtime->entry_count; i++)
        runtime->entries[i].engine = MI_REDIRECT_ENGINE_NONE;
    runtime->engine = MI_REDIRECT_ENGINE_NONE;
    if (!any_by_imports())
        rd_lookup_undo();
}

static void code_undo(rd_runtime_t *runtime)
{
    (void)rd_code_undo(runtime);
    for (uint32_t i = 0; i < runtime->entry_count; i++)
        runtime->entries[i].engine = MI_REDIRECT_ENGINE_NONE;
    runtime->engine = MI_REDIRECT_ENGINE_NONE;
}

// Some allocators (stock v1 and v2) can serve nothing before they heard of the attach.
static void announce(void)
{
    if (entry_was_called)
        return;
    entry_was_called = true;
    rd_allocator.entry(DLL_PROCESS_ATTACH);
}

static void take_back_announcement(void)
{
    for (unsigned i = 0; i < RD_RUNTIME_MAX; i++)
        if (rd_runtimes[i].is_used && rd_runtimes[i].is_redirected)
            return;
    if (entry_was_called)
        rd_allocator.entry(DLL_PROCESS_DETACH);
    entry_was_called = false;
}

static rd_status_t by_code(rd_runtime_t *runtime)
{
    rd_status_t status = rd_code_apply(runtime);
    if (status != RD_OK)
        return status;
    announce();
    status = rd_self_test(runtime);
    if (status != RD_OK)
        code_undo(runtime);
    return status;
}

static rd_status_t by_imports(rd_runtime_t *runtime)
{
    rd_status_t status = imports_apply(runtime);
    if (status == RD_OK) {
        announce();
        status = rd_self_test(runtime);
    }
    if (status != RD_OK)
        imports_undo(runtime);
    return status;
}

static void take_over(rd_runtime_t *runtime)
{
    rd_status_t status = RD_OTHER_PROCESSOR;
    if (rd_settings.mode != RD_MODE_IMPORTS)
        status = by_code(runtime);
    if (status != RD_OK && rd_settings.mode != RD_MODE_CODE)
        status = by_imports(runtime);
    runtime->reason = status;
    runtime->is_redirected = status == RD_OK;
    if (status == RD_OK)
        rd_report.is_redirected = true;
    rd_report_runtime(runtime);
}

// A blocked unload is what keeps jumps into us from leading nowhere.
static void pin(const void *address)
{
    const rd_ldr_entry_t *module = rd_module_of(address);
    if (module == NULL || !RD_NT_SUCCESS(LdrAddRefDll(RD_LDR_PIN, module->base)))
        rd_log(1, "cannot pin the module at %p", address);
}

static void report_other_allocators(void)
{
    const rd_ldr_entry_t *module = NULL;
    while (rd_settings.verbose > 0 && (module = rd_module_next(module)) != NULL)
        rd_allocator_report_other(module);
}

static void start_with_allocator(void)
{
    pin((const void *)rd_takeover_start);
    pin(rd_allocator.base);
    if (rd_allocator.enlist != NULL && !rd_allocator.enlist(&rd_host)) {
        rd_log(
            1,
            "%s is of another release: it is driven as a stock allocator; use the two DLLs of one "
            "release",
            rd_allocator.name);
        rd_allocator.enlist = NULL;
    }
    report_other_allocators();
    rd_heap_guard_prepare();
}

static void finish(rd_status_t status)
{
    if (rd_report.is_redirected) {
        rd_imports_apply_all();
        rd_report.reason = RD_OK;
    } else {
        take_back_announcement();
        rd_report.reason = status;
    }
    rd_report_verdict();
}

static bool is_any_redirected(void)
{
    for (unsigned i = 0; i < RD_RUNTIME_MAX; i++)
        if (rd_runtimes[i].is_used && !rd_runtimes[i].is_unloaded && rd_runtimes[i].is_redirected)
            return true;
    return false;
}

static rd_status_t recognize(const rd_ldr_entry_t *module, rd_runtime_t **runtime)
{
    rd_status_t status = rd_runtime_recognize(module, runtime);
    char name[40];
    rd_ascii_of(&module->base_name, name, sizeof name);
    if (status == RD_TOO_MANY || status == RD_BAD_MODULE)
        rd_log(1, "%s at %p: not redirected (%s)", name, module->base, rd_status_text(status));
    return status;
}

static rd_status_t take_over_all(void)
{
    rd_runtime_t *found[RD_RUNTIME_MAX];
    unsigned count = 0;
    rd_status_t result = RD_NO_RUNTIME;
    const rd_ldr_entry_t *module = NULL;
    // All are found before the first is changed: which one is primary decides how it is patched.
    while ((module = rd_module_next(module)) != NULL) {
        rd_runtime_t *runtime;
        rd_status_t status = recognize(module, &runtime);
        if (status == RD_OK)
            found[count++] = runtime;
        else if (status != RD_NO_HEAP_EXPORTS)
            result = status;
    }
    // Runtimes that system DLLs brought for themselves are no news to a program without one.
    if (result == RD_NOT_SELECTED && rd_settings.runtimes[0] == 0 && !rd_program_imports_runtime())
        result = RD_NO_RUNTIME;
    for (unsigned i = 0; i < count; i++) {
        take_over(found[i]);
        if (found[i]->reason != RD_OK)
            result = found[i]->reason;
    }
    return result;
}

void rd_takeover_start(void)
{
    rd_report.reason = RD_DISABLED;
    if (rd_settings.disabled_by != NULL) {
        rd_report_verdict();
        return;
    }
    rd_status_t status = rd_allocator_find();
    if (status != RD_OK) {
        finish(status);
        return;
    }
    start_with_allocator();
    finish(take_over_all());
}

// The DLL may have been loaded before the allocator.
static void start_late(const rd_ldr_entry_t *module)
{
    if (rd_allocator_from(module) != RD_OK)
        return;
    start_with_allocator();
    finish(take_over_all());
}

void rd_takeover_module(const rd_ldr_entry_t *module)
{
    rd_runtime_t *runtime;
    if (rd_settings.disabled_by != NULL || rd_report.is_off)
        return;
    if (rd_allocator.base == NULL) {
        start_late(module);
        return;
    }
    if (rd_settings.verbose > 0)
        rd_allocator_report_other(module);
    bool was_redirected = rd_report.is_redirected;
    // Notices may also come for modules that were there before us.
    if (rd_runtime_at(module->base) == NULL && recognize(module, &runtime) == RD_OK) {
        take_over(runtime);
        if (rd_report.is_redirected != was_redirected || runtime->reason != RD_OK)
            finish(runtime->reason);
    }
    if (rd_report.is_redirected)
        rd_imports_apply(module);
}

void rd_takeover_module_gone(const void *base, size_t size)
{
    rd_runtime_t *runtime = rd_runtime_at(base);
    // Wine sends notices for all modules when the process ends; they stay mapped, as on Windows.
    if (RtlDllShutdownInProgress())
        return;
    rd_imports_forget(base, size);
    if (runtime == NULL)
        return;
    runtime->is_unloaded = true;
    runtime->relay = NULL; // A page is left behind: a thread may still be in it.
    rd_log(2, "%s at %p has left the process", runtime->name, base);
    if (!rd_report.is_redirected || is_any_redirected())
        return;
    rd_report.is_redirected = false;
    rd_report.reason = RD_NO_RUNTIME;
    rd_report_verdict();
}

// False: not with all of them.
static bool each_redirected(rd_status_t (*change)(rd_runtime_t *),
                            rd_status_t (*other)(rd_runtime_t *))
{
    bool is_done = true;
    for (unsigned i = 0; i < RD_RUNTIME_MAX; i++) {
        rd_runtime_t *runtime = &rd_runtimes[i];
        if (!runtime->is_used || runtime->is_unloaded || !runtime->is_redirected)
            continue;
        rd_status_t (*step)(rd_runtime_t *) =
            runtime->engine == MI_REDIRECT_ENGINE_CODE ? change : other;
        is_done &= step(runtime) == RD_OK;
    }
    return is_done;
}

static rd_status_t imports_pause(rd_runtime_t *runtime)
{
    rd_imports_undo(runtime->slot);
    return RD_OK;
}

// The heap guard stays: it takes back our blocks when the runtime's own free gets them.
bool rd_takeover_disable(void)
{
    if (!rd_report.is_redirected || rd_report.is_off)
        return false;
    if (!each_redirected(rd_code_undo, imports_pause)) {
        (void)each_redirected(rd_code_redo, imports_apply);
        rd_log(1, "cannot be turned off now: a runtime's code cannot be changed back");
        return false;
    }
    rd_report.is_off = true;
    rd_log(1, "turned off by mi_redirect_disable");
    return true;
}

bool rd_takeover_enable(void)
{
    if (!rd_report.is_off)
        return rd_report.is_redirected;
    rd_report.is_off = false;
    rd_log(1, "turned on by mi_redirect_enable");
    bool is_done = each_redirected(rd_code_redo, imports_apply);
    // Nobody has looked at what was loaded meanwhile.
    const rd_ldr_entry_t *module = NULL;
    while ((module = rd_module_next(module)) != NULL)
        rd_takeover_module(module);
    return is_done && rd_report.is_redirected;
}

void rd_takeover_stop(void)
{
    (void)rd_takeover_disable();
    rd_lookup_undo();
    rd_imports_undo(RD_IMPORT_GUARD);
}

void rd_takeover_forward(DWORD reason)
{
    if (entry_was_called)
        rd_allocator.entry(reason);
}
