// SPDX-License-Identifier: MIT
// Exports: find by name or ordinal, walk the tables, report forwarders. Following a forwarder is the
// caller's work, as only the caller knows the other modules.
#include "pe/pe.h"

static pe_status_t read_directory(const pe_view_t *view, pe_export_directory_t *exports)
{
    pe_directory_t directory = pe_directory(view, PE_DIR_EXPORT);
    if (directory.rva == 0)
        return PE_END;
    if (!pe_read(view, directory.rva, exports, sizeof *exports))
        return PE_BAD_EXPORT_DIRECTORY;
    return PE_OK;
}

// Entry index of a table of width-byte numbers at rva; the product is checked, as counts are wild.
static bool read_entry(const pe_view_t *view, uint32_t rva, uint32_t index, void *to,
                       uint32_t width)
{
    if (index > (UINT32_MAX - rva) / width)
        return false;
    return pe_read(view, rva + index * width, to, width);
}

// An address inside the export directory itself is the text of a forwarder.
static pe_status_t take_slot(const pe_view_t *view, const pe_export_directory_t *exports,
                             uint32_t index, pe_export_t *found)
{
    pe_directory_t directory = pe_directory(view, PE_DIR_EXPORT);
    found->name = NULL;
    found->forwarder = NULL;
    found->ordinal = exports->ordinal_base + index;
    if (!read_entry(view, exports->functions_rva, index, &found->rva, sizeof found->rva))
        return PE_BAD_EXPORT_DIRECTORY;
    if (found->rva == 0)
        return PE_NOT_FOUND;
    if (found->rva < directory.rva || found->rva - directory.rva >= directory.size)
        return PE_OK;
    found->forwarder = pe_string(view, found->rva);
    return found->forwarder != NULL ? PE_OK : PE_BAD_EXPORT_DIRECTORY;
}

static const char *name_at(const pe_view_t *view, const pe_export_directory_t *exports,
                           uint32_t index)
{
    uint32_t name_rva;
    if (!read_entry(view, exports->names_rva, index, &name_rva, sizeof name_rva))
        return NULL;
    return pe_string(view, name_rva);
}

static pe_status_t take_name(const pe_view_t *view, const pe_export_directory_t *exports,
                             uint32_t index, const char *name, pe_export_t *found)
{
    uint16_t slot;
    if (!read_entry(view, exports->ordinals_rva, index, &slot, sizeof slot))
        return PE_BAD_EXPORT_DIRECTORY;
    if (slot >= exports->function_count)
        return PE_BAD_EXPORT_DIRECTORY;
    pe_status_t status = take_slot(view, exports, slot, found);
    found->name = name;
    return status;
}

pe_status_t pe_export_find(const pe_view_t *view, const char *name, pe_export_t *found)
{
    pe_export_directory_t exports;
    pe_status_t status = read_directory(view, &exports);
    if (status != PE_OK)
        return status;
    uint32_t low = 0;
    uint32_t high = exports.name_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const char *here = name_at(view, &exports, middle);
        if (here == NULL)
            return PE_BAD_EXPORT_DIRECTORY;
        int order = pe_compare(name, here);
        if (order == 0)
            return take_name(view, &exports, middle, here, found);
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return PE_NOT_FOUND;
}

pe_status_t pe_export_find_ordinal(const pe_view_t *view, uint32_t ordinal, pe_export_t *found)
{
    pe_export_directory_t exports;
    pe_status_t status = read_directory(view, &exports);
    if (status != PE_OK)
        return status;
    if (ordinal < exports.ordinal_base || ordinal - exports.ordinal_base >= exports.function_count)
        return PE_NOT_FOUND;
    return take_slot(view, &exports, ordinal - exports.ordinal_base, found);
}

pe_status_t pe_export_name_at(const pe_view_t *view, uint32_t index, pe_export_t *found)
{
    pe_export_directory_t exports;
    pe_status_t status = read_directory(view, &exports);
    if (status != PE_OK)
        return status;
    if (index >= exports.name_count)
        return PE_END;
    const char *name = name_at(view, &exports, index);
    return name != NULL ? take_name(view, &exports, index, name, found) : PE_BAD_EXPORT_DIRECTORY;
}

pe_status_t pe_export_slot_at(const pe_view_t *view, uint32_t index, pe_export_t *found)
{
    pe_export_directory_t exports;
    pe_status_t status = read_directory(view, &exports);
    if (status != PE_OK)
        return status;
    return index < exports.function_count ? take_slot(view, &exports, index, found) : PE_END;
}
