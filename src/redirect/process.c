// SPDX-License-Identifier: MIT
// Walks over the loader's list and the environment block. No string is converted through the
// system's tables: they may not be there yet when the first DLLs are started.
#include "redirect/process.h"

#include "compiler/intrinsics.h"

const rd_peb_t *rd_process(void)
{
    const uint32_t peb_offset = sizeof(void *) == 8 ? 0x60 : 0x30;
    return (const rd_peb_t *)mi_teb_word(peb_offset);
}

const rd_ldr_entry_t *rd_module_next(const rd_ldr_entry_t *entry)
{
    const rd_ldr_data_t *ldr = rd_process()->ldr;
    if (ldr == NULL)
        return NULL;
    const LIST_ENTRY *head = &ldr->load_order;
    const LIST_ENTRY *next = entry != NULL ? entry->load_order.Flink : head->Flink;
    if (next == NULL || next == head)
        return NULL;
    return CONTAINING_RECORD(next, rd_ldr_entry_t, load_order);
}

const rd_ldr_entry_t *rd_module_of(const void *address)
{
    const rd_ldr_entry_t *entry = NULL;
    while ((entry = rd_module_next(entry)) != NULL)
        if ((uintptr_t)address - (uintptr_t)entry->base < entry->image_size)
            return entry;
    return NULL;
}

static bool is_readable(const void *base, size_t size)
{
    uintptr_t at = (uintptr_t)base;
    uintptr_t end = at + size;
    while (at < end) {
        MEMORY_BASIC_INFORMATION info;
        if (!RD_NT_SUCCESS(NtQueryVirtualMemory(RD_CURRENT_PROCESS, (void *)at, 0, &info,
                                                sizeof info, NULL)) ||
            info.State != MEM_COMMIT || (info.Protect & (PAGE_NOACCESS | PAGE_GUARD)) != 0)
            return false;
        at = (uintptr_t)info.BaseAddress + info.RegionSize;
    }
    return true;
}

// Of the program itself the loader's record never says it.
static bool may_have_run(const rd_ldr_entry_t *module)
{
    return (module->flags & RD_LDR_ATTACHED) != 0 || module == rd_module_next(NULL);
}

bool rd_module_view(const rd_ldr_entry_t *module, pe_view_t *view)
{
    // What the loader has just mapped is as it should be.
    if (may_have_run(module) && !is_readable(module->base, module->image_size))
        return false;
    return pe_view_init_module(view, module->base) == PE_OK &&
           view->optional.image_size <= module->image_size;
}

void rd_ascii_of(const rd_unicode_t *name, char *out, size_t size)
{
    size_t length = name->text != NULL ? name->length / sizeof(WCHAR) : 0;
    size_t i = 0;
    for (; i < length && i + 1 < size; i++)
        out[i] = name->text[i] < 0x7F && name->text[i] >= ' ' ? (char)name->text[i] : '?';
    out[i] = 0;
}

static WCHAR upper(WCHAR c)
{
    return c >= 'a' && c <= 'z' ? (WCHAR)(c - 'a' + 'A') : c;
}

// The text behind "NAME=", or NULL.
static const WCHAR *value_if_named(const WCHAR *variable, const char *name)
{
    while (*name != 0) {
        if (upper(*variable) != upper((WCHAR)*name))
            return NULL;
        variable++;
        name++;
    }
    return *variable == '=' ? variable + 1 : NULL;
}

static bool find_variable(const char *name, WCHAR *value, size_t capacity)
{
    const rd_process_parameters_t *parameters = rd_process()->parameters;
    const WCHAR *variable = parameters != NULL ? parameters->environment : NULL;
    while (variable != NULL && *variable != 0) {
        const WCHAR *found = value_if_named(variable, name);
        if (found != NULL) {
            size_t i = 0;
            for (; found[i] != 0 && i + 1 < capacity; i++)
                value[i] = found[i];
            value[i] = 0;
            return true;
        }
        while (*variable++ != 0) {
        }
    }
    return false;
}

bool rd_environment(const char *name, WCHAR *value, size_t capacity)
{
    // Of a program that is running already, other threads may be changing it.
    RtlAcquirePebLock();
    bool is_found = find_variable(name, value, capacity);
    RtlReleasePebLock();
    return is_found;
}
