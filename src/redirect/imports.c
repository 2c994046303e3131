// SPDX-License-Identifier: MIT
// Goes through import address tables and exchanges addresses. Entries are recognized by the address
// they hold, so forwarders, API sets and ordinals need no thought. Delay-loaded imports are filled
// in later by the modules themselves and are not covered.
#include "redirect/imports.h"
#include "pe/pe.h"
#include "redirect/allocator.h"
#include "redirect/process.h"

enum {
    REDIRECTIONS_MAX = 256,
    CHANGES_MAX = 16384,
    BATCH_MAX = 64,
};

typedef struct redirection {
    uintptr_t from;
    uintptr_t to;
    uint8_t owner;
} redirection_t;

typedef struct change {
    uintptr_t *slot; // NULL: forgotten
    uintptr_t before;
    uintptr_t after;
    uint8_t owner;
} change_t;

// All under the loader lock.
static redirection_t redirections[REDIRECTIONS_MAX]; // sorted by from
static unsigned redirection_count;
static change_t changes[CHANGES_MAX];
static unsigned change_count;

bool rd_import_redirect(const void *from, void *to, uint8_t owner)
{
    unsigned at = redirection_count;
    for (unsigned i = 0; i < redirection_count; i++)
        if (redirections[i].from == (uintptr_t)from)
            return true;
    if (redirection_count == REDIRECTIONS_MAX)
        return false;
    while (at > 0 && redirections[at - 1].from > (uintptr_t)from) {
        redirections[at] = redirections[at - 1];
        at--;
    }
    redirections[at] = (redirection_t){(uintptr_t)from, (uintptr_t)to, owner};
    redirection_count++;
    return true;
}

static const redirection_t *find(uintptr_t from)
{
    unsigned low = 0;
    unsigned high = redirection_count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (redirections[middle].from == from)
            return &redirections[middle];
        if (redirections[middle].from < from)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool protect(uintptr_t *first, uintptr_t *last, ULONG protection, ULONG *old)
{
    void *base = first;
    SIZE_T size = (SIZE_T)((uintptr_t)(last + 1) - (uintptr_t)first);
    return RD_NT_SUCCESS(NtProtectVirtualMemory(RD_CURRENT_PROCESS, &base, &size, protection, old));
}

// A page of data that is mapped executable stays executable.
static ULONG writable_form(const void *address)
{
    MEMORY_BASIC_INFORMATION info;
    const ULONG executable =
        PAGE_EXECUTE | PAGE_EXECUTE_READ | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY;
    if (RD_NT_SUCCESS(
            NtQueryVirtualMemory(RD_CURRENT_PROCESS, address, 0, &info, sizeof info, NULL)) &&
        (info.Protect & executable) != 0)
        return PAGE_EXECUTE_READWRITE;
    return PAGE_READWRITE;
}

// Writes changes[from..change_count) of which all slots lie in one import address table.
static void write_batch(unsigned from)
{
    uintptr_t *first = changes[from].slot;
    uintptr_t *last = changes[change_count - 1].slot;
    ULONG old;
    ULONG ignored;
    if (!protect(first, last, writable_form(first), &old)) {
        change_count = from;
        return;
    }
    for (unsigned i = from; i < change_count; i++)
        __atomic_store_n(changes[i].slot, changes[i].after, __ATOMIC_RELEASE);
    (void)protect(first, last, old, &ignored);
}

static void apply_table(uintptr_t *slots, size_t count)
{
    unsigned from = change_count;
    for (size_t i = 0; i < count && slots[i] != 0; i++) {
        const redirection_t *redirection = find(slots[i]);
        if (redirection == NULL || change_count == CHANGES_MAX)
            continue;
        changes[change_count++] =
            (change_t){&slots[i], slots[i], redirection->to, redirection->owner};
        if (change_count - from == BATCH_MAX) {
            write_batch(from);
            from = change_count;
        }
    }
    if (change_count > from)
        write_batch(from);
}

static bool is_left_alone(const rd_ldr_entry_t *module)
{
    static const char *const names[] = {"ntdll.dll", "kernel32.dll", "kernelbase.dll"};
    char name[64];
    if (module->base == rd_allocator.base || module == rd_module_of((const void *)is_left_alone))
        return true;
    rd_ascii_of(&module->base_name, name, sizeof name);
    for (unsigned i = 0; i < ARRAYSIZE(names); i++)
        if (pe_same_dll(name, names[i]))
            return true;
    return false;
}

void rd_imports_apply(const rd_ldr_entry_t *module)
{
    pe_view_t view;
    pe_import_t import;
    if (redirection_count == 0 || is_left_alone(module) ||
        pe_view_init_module(&view, module->base) != PE_OK)
        return;
    for (uint32_t i = 0; pe_import_at(&view, i, &import) == PE_OK; i++) {
        size_t bytes = pe_available(&view, import.iat_rva);
        if (import.iat_rva % sizeof(uintptr_t) == 0)
            apply_table((uintptr_t *)((uintptr_t)view.base + import.iat_rva),
                        bytes / sizeof(uintptr_t));
    }
}

void rd_imports_apply_all(void)
{
    const rd_ldr_entry_t *module = NULL;
    while ((module = rd_module_next(module)) != NULL)
        rd_imports_apply(module);
}

void rd_imports_undo(uint8_t owner)
{
    for (unsigned i = 0; i < change_count; i++) {
        change_t *change = &changes[i];
        ULONG old;
        ULONG ignored;
        if (change->slot == NULL || change->owner != owner)
            continue;
        if (*change->slot == change->after &&
            protect(change->slot, change->slot, writable_form(change->slot), &old)) {
            __atomic_store_n(change->slot, change->before, __ATOMIC_RELEASE);
            (void)protect(change->slot, change->slot, old, &ignored);
        }
        change->slot = NULL;
    }
    unsigned kept = 0;
    for (unsigned i = 0; i < redirection_count; i++)
        if (redirections[i].owner != owner)
            redirections[kept++] = redirections[i];
    redirection_count = kept;
}

static bool lies_in(uintptr_t address, const void *base, size_t size)
{
    return address - (uintptr_t)base < size;
}

void rd_imports_forget(const void *base, size_t size)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < change_count; i++)
        if (changes[i].slot != NULL && !lies_in((uintptr_t)changes[i].slot, base, size))
            changes[kept++] = changes[i];
    change_count = kept;
    kept = 0;
    for (unsigned i = 0; i < redirection_count; i++)
        if (!lies_in(redirections[i].from, base, size))
            redirections[kept++] = redirections[i];
    redirection_count = kept;
}

uint32_t rd_imports_count(uint8_t owner)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < change_count; i++)
        count += changes[i].slot != NULL && changes[i].owner == owner;
    return count;
}

uint32_t rd_imports_total(void)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < change_count; i++)
        count += changes[i].slot != NULL;
    return count;
}
