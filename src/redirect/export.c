// SPDX-License-Identifier: MIT
// The export walk with forwarders. API-set names in a forwarder cannot be followed without the
// loader; such an export counts as forwarded, and whoever asked looks at the real module instead.
#include "redirect/export.h"
#include "redirect/process.h"

static const rd_ldr_entry_t *find_module(const char *name)
{
    const rd_ldr_entry_t *entry = NULL;
    while ((entry = rd_module_next(entry)) != NULL) {
        char found[64];
        rd_ascii_of(&entry->base_name, found, sizeof found);
        if (pe_same_dll(found, name))
            return entry;
    }
    return NULL;
}

// Splits "DLL.name" into "DLL.dll" and the name.
static const char *split_forwarder(const char *forwarder, char *dll, size_t size)
{
    size_t i = 0;
    for (; forwarder[i] != 0 && forwarder[i] != '.' && i + 5 < size; i++)
        dll[i] = forwarder[i];
    if (forwarder[i] != '.')
        return NULL;
    for (const char *suffix = ".dll"; *suffix != 0;)
        dll[i++] = *suffix++;
    dll[i] = 0;
    return forwarder + (i - 4) + 1;
}

static rd_status_t follow_forwarder(const pe_view_t *from, const char *forwarder, void **address,
                                    unsigned depth);

static rd_status_t find(const pe_view_t *module, const char *name, void **address, unsigned depth)
{
    pe_export_t found;
    if (pe_export_find(module, name, &found) != PE_OK)
        return RD_NOT_EXPORTED;
    if (found.forwarder != NULL)
        return follow_forwarder(module, found.forwarder, address, depth);
    *address = (void *)((uintptr_t)module->base + found.rva);
    return RD_OK;
}

static rd_status_t follow_forwarder(const pe_view_t *from, const char *forwarder, void **address,
                                    unsigned depth)
{
    char dll[64];
    const char *name = split_forwarder(forwarder, dll, sizeof dll);
    const rd_ldr_entry_t *entry = name != NULL && depth < 4 ? find_module(dll) : NULL;
    pe_view_t view;
    if (entry == NULL || entry->base == from->base ||
        pe_view_init_module(&view, entry->base) != PE_OK)
        return RD_FORWARDED;
    return find(&view, name, address, depth + 1);
}

rd_status_t rd_export_find(const pe_view_t *module, const char *name, void **address)
{
    *address = NULL;
    return find(module, name, address, 0);
}

void *rd_system_export(const char *module, const char *name)
{
    const rd_ldr_entry_t *entry = find_module(module);
    pe_view_t view;
    void *address = NULL;
    if (entry == NULL || pe_view_init_module(&view, entry->base) != PE_OK ||
        rd_export_find(&view, name, &address) != RD_OK)
        return NULL;
    return address;
}
