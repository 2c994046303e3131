// SPDX-License-Identifier: MIT
// Writes the planned jumps. Everything that can be refused is refused before the first byte is
// changed; what fails later is undone, so that a runtime is taken over wholly or not at all.
#include "redirect/patch_apply.h"
#include "redirect/allocator.h"
#include "redirect/code_plan.h"
#include "redirect/foreign.h"
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

// ---- writing ----

// The pages that are writable just now, each once. Loader lock only.
typedef struct opened_page {
    uintptr_t address;
    ULONG protection; // as it was
} opened_page_t;

static opened_page_t opened[2 * RD_TARGET_MAX];
static unsigned opened_count;
static uintptr_t left_open; // a page whose protection could not be put back, or 0

static bool protect(uintptr_t page, ULONG protection, ULONG *old)
{
    void *base = (void *)page;
    SIZE_T size = 1;
    return RD_NT_SUCCESS(NtProtectVirtualMemory(RD_CURRENT_PROCESS, &base, &size, protection, old));
}

static bool open_page(uintptr_t page)
{
    for (unsigned i = 0; i < opened_count; i++)
        if (opened[i].address == page)
            return true;
    // Executable while it is written: other threads may be running elsewhere in the page.
    ULONG old;
    if (!protect(page, PAGE_EXECUTE_READWRITE, &old))
        return false;
    opened[opened_count++] = (opened_page_t){page, old};
    return true;
}

static void close_pages(void)
{
    ULONG ignored;
    while (opened_count > 0) {
        const opened_page_t *page = &opened[--opened_count];
        if (!protect(page->address, page->protection, &ignored) &&
            !protect(page->address, PAGE_EXECUTE_READ, &ignored))
            left_open = page->address;
    }
}

// All pages before the first byte: what can be refused is refused while nothing is changed.
static bool open_pages(const rd_runtime_t *runtime)
{
    const uintptr_t in_page = PE_OS_PAGE - 1;
    for (uint32_t i = 0; i < runtime->entry_count; i++) {
        const rd_entry_t *entry = &runtime->entries[i];
        uintptr_t first = (uintptr_t)entry->site & ~in_page;
        uintptr_t last = ((uintptr_t)entry->site + rd_form_size - 1) & ~in_page;
        if (is_patched(entry) && (!open_page(first) || !open_page(last)))
            return false;
    }
    return true;
}

typedef enum which { ORIGINAL, PATCHED } which_t;

static bool holds(const rd_entry_t *entry, which_t which)
{
    const uint8_t *bytes = which == PATCHED ? entry->after : entry->before;
    return memcmp(entry->site, bytes, rd_form_size) == 0;
}

// Somebody else's change, made in between, is not ours to overwrite.
static rd_entry_t *first_changed_by_others(rd_runtime_t *runtime)
{
    for (uint32_t i = 0; i < runtime->entry_count; i++) {
        rd_entry_t *entry = &runtime->entries[i];
        if (is_patched(entry) && !holds(entry, ORIGINAL) && !holds(entry, PATCHED))
            return entry;
    }
    return NULL;
}

static bool write_entries(const rd_runtime_t *runtime, which_t which)
{
    bool is_done = true;
    for (uint32_t i = 0; i < runtime->entry_count; i++) {
        const rd_entry_t *entry = &runtime->entries[i];
        if (!is_patched(entry) || holds(entry, which))
            continue;
        rd_form_store(entry->site, which == PATCHED ? entry->after : entry->before);
        (void)NtFlushInstructionCache(RD_CURRENT_PROCESS, entry->site, rd_form_size);
        is_done &= holds(entry, which);
    }
    return is_done;
}

// All or nothing, in both directions.
static rd_status_t write_all(rd_runtime_t *runtime, which_t which)
{
    rd_status_t status = RD_OK;
    rd_entry_t *changed = first_changed_by_others(runtime);
    if (changed != NULL) {
        if (runtime->engine == MI_REDIRECT_ENGINE_NONE)
            changed->status = RD_HOOKED;
        return RD_HOOKED;
    }
    if (!open_pages(runtime)) {
        status = RD_PROTECT_REFUSED;
    } else if (!write_entries(runtime, which)) {
        (void)write_entries(runtime, which == PATCHED ? ORIGINAL : PATCHED);
        status = RD_WRITE_FAILED;
    }
    close_pages();
    return status;
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
    if (must_freeze)
        rd_threads_thaw();
    // Not before: a suspended thread may hold what printing waits for.
    if (left_open != 0)
        rd_log(1, "cannot restore the protection of the page at %p", (void *)left_open);
    left_open = 0;
    return status;
}

rd_status_t rd_code_apply(rd_runtime_t *runtime)
{
    rd_status_t status = RD_OTHER_PROCESSOR;
    if (runtime->view.file.machine == rd_form_machine)
        status = rd_code_plan(&runtime->view, runtime->entries, runtime->entry_count);
    // Not of functions that are somebody else's: the plan has said so.
    if (status == RD_OK)
        rd_foreign_learn_layout(runtime);
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
