// SPDX-License-Identifier: MIT
// Writes the planned jumps. Everything that can be refused is refused before the first byte is
// changed; what fails later is undone, so that a runtime is taken over wholly or not at all.
#include "redirect/patch_apply.h"
#include "redirect/allocator.h"
#include "redirect/code_plan.h"
#include "redirect/form.h"
#include "redirect/freestanding.h"
#include "redirect/guard.h"
#include "redirect/log.h"
#include "redirect/relay.h"
#include "redirect/threads.h"

void *rd_replacement_for(const rd_runtime_t *runtime, rd_function_t function)
{
    // The straight way: entry -> allocator. It needs an allocator that knows what to do with the
    // blocks and the errors of this runtime.
    bool is_straight = runtime == rd_primary_runtime && rd_allocator.enlist != NULL;
    if (is_straight && function < RD_CRT_FUNCTION_COUNT)
        return rd_allocator.crt[function];
    if (is_straight && function == RD_F_delete)
        return rd_allocator.crt[RD_F_free];
    return rd_slot_function(runtime->slot, function);
}

static bool is_patched(const rd_entry_t *entry)
{
    return entry->status == RD_OK && entry->byte_count != 0;
}

static bool needs_relay(const rd_runtime_t *runtime)
{
    for (uint32_t i = 0; i < runtime->entry_count; i++) {
        const rd_entry_t *entry = &runtime->entries[i];
        if (is_patched(entry) &&
            (entry->function == RD_F_new ||
             !rd_form_reaches((uintptr_t)entry->site, (uintptr_t)entry->replacement)))
            return true;
    }
    return false;
}

// The original first instructions and a jump behind them, where those can be moved.
static void make_trampoline(rd_runtime_t *runtime, const rd_entry_t *entry)
{
    uint8_t *out = runtime->relay + runtime->relay_used;
    uint32_t room = RD_RELAY_SIZE - runtime->relay_used;
    uint32_t size = rd_form_trampoline(entry->site, out, room);
    uint32_t total = (size + 15) & ~15u;
    if (size == 0)
        return;
    memset(out + size, rd_form_filler, total - size);
    runtime->relay_used += total;
    runtime->old_new = (void *(*)(size_t))out;
}

static rd_status_t encode(rd_runtime_t *runtime, rd_entry_t *entry)
{
    uintptr_t to = (uintptr_t)entry->replacement;
    uintptr_t from = (uintptr_t)entry->site;
    if (!rd_form_reaches(from, to)) {
        to = (uintptr_t)rd_relay_to(runtime, entry->replacement);
        if (to == 0 || !rd_form_reaches(from, to))
            return RD_NO_RELAY;
    }
    rd_form_near(from, to, entry->after);
    return RD_OK;
}

static rd_status_t prepare(rd_runtime_t *runtime)
{
    for (uint32_t i = 0; i < runtime->entry_count; i++) {
        rd_entry_t *entry = &runtime->entries[i];
        entry->replacement = rd_replacement_for(runtime, (rd_function_t)entry->function);
    }
    if (!needs_relay(runtime))
        return RD_OK;
    rd_status_t status = rd_relay_create(runtime);
    return status;
}

static rd_status_t encode_all(rd_runtime_t *runtime)
{
    for (uint32_t i = 0; i < runtime->entry_count; i++) {
        rd_entry_t *entry = &runtime->entries[i];
        if (!is_patched(entry))
            continue;
        rd_status_t status = encode(runtime, entry);
        if (status != RD_OK)
            return status;
        if (entry->function == RD_F_new && runtime->old_new == NULL)
            make_trampoline(runtime, entry);
    }
    return runtime->relay != NULL ? rd_relay_seal(runtime) : RD_OK;
}

static rd_status_t protect(uint8_t *site, ULONG protection, ULONG *old)
{
    void *base = site;
    SIZE_T size = rd_form_size;
    return RD_NT_SUCCESS(NtProtectVirtualMemory(RD_CURRENT_PROCESS, &base, &size, protection, old))
               ? RD_OK
               : RD_PROTECT_REFUSED;
}

static rd_status_t write_site(uint8_t *site, const uint8_t *bytes)
{
    ULONG old;
    ULONG ignored;
    // Executable while it is written: other threads may be running elsewhere in the page.
    if (protect(site, PAGE_EXECUTE_READWRITE, &old) != RD_OK)
        return RD_PROTECT_REFUSED;
    rd_form_store(site, bytes);
    if (protect(site, old, &ignored) != RD_OK &&
        protect(site, PAGE_EXECUTE_READ, &ignored) != RD_OK)
        rd_log(1, "cannot restore the protection of the page at %p", (void *)site);
    (void)NtFlushInstructionCache(RD_CURRENT_PROCESS, site, rd_form_size);
    return memcmp(site, bytes, rd_form_size) == 0 ? RD_OK : RD_WRITE_FAILED;
}

typedef enum which { ORIGINAL, PATCHED } which_t;

static rd_status_t write_entry(rd_entry_t *entry, which_t which)
{
    const uint8_t *wanted = which == PATCHED ? entry->after : entry->before;
    const uint8_t *expected = which == PATCHED ? entry->before : entry->after;
    // Somebody else's change, made in between, is not ours to overwrite.
    if (memcmp(entry->site, expected, rd_form_size) != 0)
        return memcmp(entry->site, wanted, rd_form_size) == 0 ? RD_OK : RD_HOOKED;
    return write_site(entry->site, wanted);
}

static rd_status_t write_all(rd_runtime_t *runtime, which_t which)
{
    rd_status_t result = RD_OK;
    for (uint32_t i = 0; i < runtime->entry_count; i++) {
        rd_entry_t *entry = &runtime->entries[i];
        if (!is_patched(entry))
            continue;
        rd_status_t status = write_entry(entry, which);
        if (status == RD_OK)
            continue;
        result = status;
        entry->status = which == PATCHED ? status : entry->status;
        if (which == PATCHED)
            break;
    }
    return result;
}

static rd_status_t write_safely(rd_runtime_t *runtime, which_t which)
{
    // Before a runtime's start-up no thread can be in it.
    bool must_freeze = rd_runtime_is_up(runtime);
    if (must_freeze) {
        rd_status_t status = rd_threads_freeze(runtime);
        if (status != RD_OK)
            return status;
    }
    rd_status_t status = write_all(runtime, which);
    if (status != RD_OK && which == PATCHED)
        (void)write_all(runtime, ORIGINAL);
    if (must_freeze)
        rd_threads_thaw();
    return status;
}

rd_status_t rd_code_apply(rd_runtime_t *runtime)
{
    rd_status_t status = RD_OTHER_PROCESSOR;
    if (runtime->view.file.machine == rd_form_machine)
        status = rd_code_plan(&runtime->view, runtime->entries, runtime->entry_count);
    if (status == RD_OK)
        status = prepare(runtime);
    if (status == RD_OK)
        status = encode_all(runtime);
    if (status == RD_OK)
        status = write_safely(runtime, PATCHED);
    if (status != RD_OK) {
        runtime->old_new = NULL;
        rd_relay_destroy(runtime);
        return status;
    }
    for (uint32_t i = 0; i < runtime->entry_count; i++)
        if (is_patched(&runtime->entries[i]))
            runtime->entries[i].engine = MI_REDIRECT_ENGINE_CODE;
    runtime->engine = MI_REDIRECT_ENGINE_CODE;
    return RD_OK;
}

rd_status_t rd_code_undo(rd_runtime_t *runtime)
{
    return write_safely(runtime, ORIGINAL);
}

rd_status_t rd_code_redo(rd_runtime_t *runtime)
{
    return write_safely(runtime, PATCHED);
}

void *rd_original_new(const rd_runtime_t *runtime, size_t size)
{
    const rd_entry_t *entry = rd_runtime_entry(runtime, RD_F_new);
    if (entry != NULL && runtime->engine == MI_REDIRECT_ENGINE_IMPORTS)
        return ((void *(*)(size_t))(uintptr_t)entry->address)(size);
    return runtime->old_new != NULL ? runtime->old_new(size) : NULL;
}
