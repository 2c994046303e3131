// SPDX-License-Identifier: MIT
// Goes through import address tables and exchanges addresses. Entries are recognized by the address
// they hold, so forwarders, API sets and ordinals need no thought. Of delay-loaded imports, those that
// were used already are recognized so, too; for the others imports_delayed.c knows what they will be.
#include "redirect/imports.h"
#include "compiler/atomics.h"
#include "pe/pe.h"
#include "redirect/allocator.h"
#include "redirect/freestanding.h"
#include "redirect/imports_delayed.h"
#include "redirect/log.h"
#include "redirect/process.h"
#include "redirect/runtime.h"
#include "redirect/settings.h"

enum {
    REDIRECTIONS_MAX = RD_RUNTIME_MAX * RD_TARGET_MAX + 32, // and the guard's and the lookups'
    CHANGES_MAX = 16384,
    BATCH_MAX = 64,
};

typedef struct redirection {
    uintptr_t from;
    uintptr_t to;
    uint8_t owner;
} redirection_t;

typedef struct change {
    uintptr_t slot; // its address; 0: forgotten
    uintptr_t before;
    uintptr_t after;
    uint8_t owner;
} change_t;

// Changed under the loader lock. rd_imports_target reads the first two without it: the version is odd
// while they change.
static redirection_t redirections[REDIRECTIONS_MAX]; // sorted by from
static unsigned redirection_count;
static _Atomic(uint32_t) redirections_version;
static change_t changes[CHANGES_MAX]; // loader lock only
static unsigned change_count;
static unsigned refused_count; // loader lock only: entries that could not be changed

static void begin_change(void)
{
    uint32_t version = atomic_load_explicit(&redirections_version, memory_order_relaxed);
    atomic_store_explicit(&redirections_version, version + 1, memory_order_relaxed);
    // release: pairs with the acquire fence in rd_imports_target; who sees a new field sees the odd
    // version.
    atomic_thread_fence(memory_order_release);
}

static void end_change(void)
{
    uint32_t version = atomic_load_explicit(&redirections_version, memory_order_relaxed);
    // release: pairs with the acquire load in rd_imports_target; it publishes the fields.
    atomic_store_explicit(&redirections_version, version + 1, memory_order_release);
}

static void put(unsigned at, redirection_t redirection)
{
    mi_plain_store_relaxed(&redirections[at].from, redirection.from);
    mi_plain_store_relaxed(&redirections[at].to, redirection.to);
    mi_plain_store_relaxed(&redirections[at].owner, redirection.owner);
}

static void put_count(unsigned count)
{
    mi_plain_store_relaxed(&redirection_count, count);
}

// Keeps those for which `keeps` holds.
static void keep_redirections(bool (*keeps)(const redirection_t *redirection, const void *arg),
                              const void *arg)
{
    unsigned kept = 0;
    begin_change();
    for (unsigned i = 0; i < redirection_count; i++)
        if (keeps(&redirections[i], arg))
            put(kept++, redirections[i]);
    put_count(kept);
    end_change();
}

bool rd_import_redirect(const void *from, void *to, uint8_t owner)
{
    unsigned at = redirection_count;
    for (unsigned i = 0; i < redirection_count; i++)
        if (redirections[i].from == (uintptr_t)from)
            return true;
    if (redirection_count == REDIRECTIONS_MAX)
        return false;
    begin_change();
    while (at > 0 && redirections[at - 1].from > (uintptr_t)from) {
        put(at, redirections[at - 1]);
        at--;
    }
    put(at, (redirection_t){(uintptr_t)from, (uintptr_t)to, owner});
    put_count(redirection_count + 1);
    end_change();
    return true;
}

// Where the guard is switched off it stays at the imports of the runtimes themselves: newer ones free
// our blocks by them (docs/redirect.md).
static bool is_guarded(const rd_ldr_entry_t *module)
{
    return rd_settings.guards_heap || rd_runtime_at(module->base) != NULL;
}

static const redirection_t *find(const rd_ldr_entry_t *module, uintptr_t from)
{
    unsigned low = 0;
    unsigned high = redirection_count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (redirections[middle].from == from)
            return redirections[middle].owner != RD_IMPORT_GUARD || is_guarded(module)
                       ? &redirections[middle]
                       : NULL;
        if (redirections[middle].from < from)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

// One attempt without the lock; what was read in the middle of a change is not used.
static bool try_target(uintptr_t from, uintptr_t *to)
{
    // acquire: pairs with the release store in end_change.
    uint32_t version = atomic_load_explicit(&redirections_version, memory_order_acquire);
    unsigned count = mi_plain_load_relaxed(&redirection_count);
    *to = 0;
    for (unsigned i = 0; i < count && i < REDIRECTIONS_MAX; i++)
        if (mi_plain_load_relaxed(&redirections[i].from) == from &&
            mi_plain_load_relaxed(&redirections[i].owner) != RD_IMPORT_GUARD)
            *to = mi_plain_load_relaxed(&redirections[i].to);
    // acquire: pairs with the release fence in begin_change.
    atomic_thread_fence(memory_order_acquire);
    return version % 2 == 0 &&
           version == atomic_load_explicit(&redirections_version, memory_order_relaxed);
}

void *rd_imports_target(const void *from)
{
    uintptr_t to;
    while (!try_target((uintptr_t)from, &to))
        (void)NtYieldExecution();
    return (void *)to;
}

// Some linkers put tables where they are not aligned.
static bool is_aligned(uintptr_t slot)
{
    return slot % sizeof(uintptr_t) == 0;
}

static uintptr_t value_of(uintptr_t slot)
{
    uintptr_t value;
    if (is_aligned(slot))
        return mi_plain_load_relaxed((const uintptr_t *)slot);
    memcpy(&value, (const void *)slot, sizeof value);
    return value;
}

static void set_value(uintptr_t slot, uintptr_t value)
{
    if (is_aligned(slot))
        mi_plain_store_release((uintptr_t *)slot, value);
    else
        memcpy((void *)slot, &value, sizeof value);
}

// What is not aligned may be seen half written: it is changed only where nobody runs yet.
static bool may_change(const rd_ldr_entry_t *module, uintptr_t slot)
{
    return is_aligned(slot) || (module->flags & RD_LDR_ATTACHED) == 0;
}

static bool protect(uintptr_t first, uintptr_t last, ULONG protection, ULONG *old)
{
    void *base = (void *)first;
    SIZE_T size = last + sizeof(uintptr_t) - first;
    return RD_NT_SUCCESS(NtProtectVirtualMemory(RD_CURRENT_PROCESS, &base, &size, protection, old));
}

// A page of data that is mapped executable stays executable.
static ULONG writable_form(uintptr_t address)
{
    MEMORY_BASIC_INFORMATION info;
    const ULONG executable =
        PAGE_EXECUTE | PAGE_EXECUTE_READ | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY;
    if (RD_NT_SUCCESS(NtQueryVirtualMemory(RD_CURRENT_PROCESS, (const void *)address, 0, &info,
                                           sizeof info, NULL)) &&
        (info.Protect & executable) != 0)
        return PAGE_EXECUTE_READWRITE;
    return PAGE_READWRITE;
}

// Writes changes[from..change_count) of which all slots lie in one import address table.
static void write_batch(unsigned from)
{
    uintptr_t first = changes[from].slot;
    uintptr_t last = changes[change_count - 1].slot;
    ULONG old;
    ULONG ignored;
    if (!protect(first, last, writable_form(first), &old)) {
        refused_count += change_count - from;
        change_count = from;
        return;
    }
    for (unsigned i = from; i < change_count; i++)
        set_value(changes[i].slot, changes[i].after);
    (void)protect(first, last, old, &ignored);
}

// False, and counted: there is no room to remember one more.
static bool add_change(uintptr_t slot, const redirection_t *redirection)
{
    if (change_count == CHANGES_MAX) {
        refused_count++;
        return false;
    }
    changes[change_count++] = (change_t){slot, value_of(slot), redirection->to, redirection->owner};
    return true;
}

static void apply_table(const rd_ldr_entry_t *module, uintptr_t table, size_t count)
{
    unsigned from = change_count;
    if (!may_change(module, table))
        return;
    for (size_t i = 0; i < count; i++) {
        uintptr_t slot = table + i * sizeof(uintptr_t);
        uintptr_t value = value_of(slot);
        if (value == 0)
            break;
        const redirection_t *redirection = find(module, value);
        if (redirection != NULL && add_change(slot, redirection) &&
            change_count - from == BATCH_MAX) {
            write_batch(from);
            from = change_count;
        }
    }
    if (change_count > from)
        write_batch(from);
}

static bool is_writable(const void *address)
{
    MEMORY_BASIC_INFORMATION info;
    return RD_NT_SUCCESS(
               NtQueryVirtualMemory(RD_CURRENT_PROCESS, address, 0, &info, sizeof info, NULL)) &&
           (info.Protect & (PAGE_READWRITE | PAGE_WRITECOPY)) != 0;
}

// An entry that was used holds the function; before, the address of code of the module itself that
// will find the function by its name.
static void apply_delayed_entry(const rd_ldr_entry_t *module, const pe_view_t *view,
                                const char *dll, const pe_thunk_t *thunk)
{
    uintptr_t slot = (uintptr_t)view->base + thunk->slot_rva;
    uintptr_t value = value_of(slot);
    const redirection_t *redirection = find(module, value);
    if (redirection == NULL && thunk->name != NULL &&
        value - (uintptr_t)view->base < view->optional.image_size)
        redirection = find(module, (uintptr_t)rd_delayed_function(dll, thunk->name));
    if (redirection != NULL && add_change(slot, redirection))
        write_batch(change_count - 1);
}

static void apply_delayed(const rd_ldr_entry_t *module, const pe_view_t *view)
{
    pe_import_t import;
    for (uint32_t i = 0; pe_delay_import_at(view, i, &import) == PE_OK; i++) {
        pe_thunk_t thunk;
        if (!import.has_lookup || !may_change(module, (uintptr_t)view->base + import.iat_rva) ||
            pe_at(view, import.iat_rva, sizeof(uintptr_t)) == NULL)
            continue;
        // Where the table is read-only, a thread that is just filling it in changes the protection as
        // we would, and one of the two would write to a page that the other has closed again.
        if ((module->flags & RD_LDR_ATTACHED) != 0 &&
            !is_writable((const void *)((uintptr_t)view->base + import.iat_rva)))
            continue;
        for (uint32_t t = 0; pe_thunk_at(view, &import, t, &thunk) == PE_OK; t++)
            if (pe_at(view, thunk.slot_rva, sizeof(uintptr_t)) != NULL)
                apply_delayed_entry(module, view, import.name, &thunk);
    }
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

static void report_refusal(const rd_ldr_entry_t *module)
{
    char name[64];
    rd_ascii_of(&module->base_name, name, sizeof name);
    rd_log(1, "%s at %p: some import entries cannot be changed and stay as they are", name,
           module->base);
}

void rd_imports_apply(const rd_ldr_entry_t *module)
{
    pe_view_t view;
    pe_import_t import;
    unsigned refused_before = refused_count;
    if (redirection_count == 0 || is_left_alone(module) || !rd_module_view(module, &view))
        return;
    for (uint32_t i = 0; pe_import_at(&view, i, &import) == PE_OK; i++) {
        size_t bytes = pe_available(&view, import.iat_rva);
        apply_table(module, (uintptr_t)view.base + import.iat_rva, bytes / sizeof(uintptr_t));
    }
    apply_delayed(module, &view);
    if (refused_count != refused_before)
        report_refusal(module);
}

void rd_imports_apply_all(void)
{
    const rd_ldr_entry_t *module = NULL;
    while ((module = rd_module_next(module)) != NULL)
        rd_imports_apply(module);
}

uint32_t rd_imports_refused(void)
{
    return refused_count;
}

static bool is_not_of(const redirection_t *redirection, const void *owner)
{
    return redirection->owner != *(const uint8_t *)owner;
}

void rd_imports_undo(uint8_t owner)
{
    for (unsigned i = 0; i < change_count; i++) {
        change_t *change = &changes[i];
        ULONG old;
        ULONG ignored;
        if (change->slot == 0 || change->owner != owner)
            continue;
        if (value_of(change->slot) == change->after &&
            protect(change->slot, change->slot, writable_form(change->slot), &old)) {
            set_value(change->slot, change->before);
            (void)protect(change->slot, change->slot, old, &ignored);
        }
        change->slot = 0;
    }
    keep_redirections(is_not_of, &owner);
}

static bool lies_in(uintptr_t address, const void *base, size_t size)
{
    return address - (uintptr_t)base < size;
}

typedef struct range {
    const void *base;
    size_t size;
} range_t;

static bool is_not_in(const redirection_t *redirection, const void *arg)
{
    const range_t *range = arg;
    return !lies_in(redirection->from, range->base, range->size);
}

void rd_imports_forget(const void *base, size_t size)
{
    unsigned kept = 0;
    // Nor can an entry get an address back that leads there.
    for (unsigned i = 0; i < change_count; i++)
        if (changes[i].slot != 0 && !lies_in(changes[i].slot, base, size) &&
            !lies_in(changes[i].before, base, size))
            changes[kept++] = changes[i];
    change_count = kept;
    keep_redirections(is_not_in, &(range_t){base, size});
}

uint32_t rd_imports_count(uint8_t owner)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < change_count; i++)
        count += changes[i].slot != 0 && changes[i].owner == owner;
    return count;
}

uint32_t rd_imports_total(void)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < change_count; i++)
        count += changes[i].slot != 0;
    return count;
}
