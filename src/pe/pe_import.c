// SPDX-License-Identifier: MIT
// Imports: the descriptors of the DLLs and the functions taken from each. Follows the loader where it
// is lax: the directory's size is ignored, a descriptor without a name or without an address table
// ends the list, and a missing lookup table is replaced by the address table.
#include "pe/pe.h"

#include <string.h>

// Old Borland linkers leave 0 or junk in OriginalFirstThunk; the loader then reads FirstThunk.
static bool is_lookup_usable(const pe_view_t *view, uint32_t rva)
{
    return rva >= view->optional.headers_size && rva < view->optional.image_size;
}

pe_status_t pe_import_at(const pe_view_t *view, uint32_t index, pe_import_t *import)
{
    pe_directory_t directory = pe_directory(view, PE_DIR_IMPORT);
    uint32_t width = (uint32_t)sizeof import->descriptor;
    if (directory.rva == 0)
        return PE_END;
    if (index > (UINT32_MAX - directory.rva) / width)
        return PE_BAD_IMPORT_DIRECTORY;
    import->index = index;
    import->descriptor_rva = directory.rva + index * width;
    if (!pe_read(view, import->descriptor_rva, &import->descriptor, width))
        return PE_BAD_IMPORT_DIRECTORY;
    if (import->descriptor.name_rva == 0 || import->descriptor.iat_rva == 0)
        return PE_END;
    import->name = pe_string(view, import->descriptor.name_rva);
    if (import->name == NULL)
        return PE_BAD_IMPORT_DIRECTORY;
    import->iat_rva = import->descriptor.iat_rva;
    import->has_lookup = is_lookup_usable(view, import->descriptor.lookup_rva);
    import->lookup_rva = import->has_lookup ? import->descriptor.lookup_rva : import->iat_rva;
    return PE_OK;
}

pe_status_t pe_import_find(const pe_view_t *view, const char *dll, pe_import_t *import)
{
    for (uint32_t i = 0;; i++) {
        pe_status_t status = pe_import_at(view, i, import);
        if (status == PE_END)
            return PE_NOT_FOUND;
        if (status != PE_OK || pe_same_dll(import->name, dll))
            return status;
    }
}

pe_status_t pe_delay_import_at(const pe_view_t *view, uint32_t index, pe_import_t *import)
{
    pe_directory_t directory = pe_directory(view, PE_DIR_DELAY_IMPORT);
    pe_delay_descriptor_t delay;
    uint32_t width = (uint32_t)sizeof delay;
    if (directory.rva == 0)
        return PE_END;
    if (index > (UINT32_MAX - directory.rva) / width ||
        !pe_read(view, directory.rva + index * width, &delay, width))
        return PE_BAD_IMPORT_DIRECTORY;
    if (delay.name_rva == 0 || delay.iat_rva == 0 || (delay.attributes & PE_DELAY_HAS_RVAS) == 0)
        return PE_END;
    *import = (pe_import_t){
        .index = index,
        .descriptor_rva = directory.rva + index * width,
        .lookup_rva = delay.lookup_rva,
        .iat_rva = delay.iat_rva,
        .has_lookup = is_lookup_usable(view, delay.lookup_rva),
        .name = pe_string(view, delay.name_rva),
    };
    return import->name != NULL ? PE_OK : PE_BAD_IMPORT_DIRECTORY;
}

static bool read_thunk(const pe_view_t *view, uint32_t rva, uint64_t *value)
{
    uint32_t narrow = 0;
    if (view->is_plus)
        return pe_read(view, rva, value, sizeof *value);
    if (!pe_read(view, rva, &narrow, sizeof narrow))
        return false;
    // One form for both widths: the ordinal flag is moved to its place in the wide one.
    *value = narrow & ~PE_THUNK_ORDINAL_32;
    if ((narrow & PE_THUNK_ORDINAL_32) != 0)
        *value |= PE_THUNK_ORDINAL_64;
    return true;
}

pe_status_t pe_thunk_at(const pe_view_t *view, const pe_import_t *import, uint32_t index,
                        pe_thunk_t *thunk)
{
    uint32_t width = pe_thunk_width(view);
    uint32_t top = import->lookup_rva > import->iat_rva ? import->lookup_rva : import->iat_rva;
    uint64_t value = 0;
    if (index > (UINT32_MAX - top) / width)
        return PE_BAD_THUNK;
    if (!read_thunk(view, import->lookup_rva + index * width, &value))
        return PE_BAD_THUNK;
    if (value == 0)
        return PE_END;
    thunk->slot_rva = import->iat_rva + index * width;
    thunk->is_ordinal = (value & PE_THUNK_ORDINAL_64) != 0;
    thunk->ordinal = (uint16_t)value;
    thunk->name = NULL;
    if (thunk->is_ordinal)
        return PE_OK;
    if (value > UINT32_MAX - sizeof thunk->ordinal)
        return PE_BAD_THUNK;
    if (!pe_read(view, (uint32_t)value, &thunk->ordinal, sizeof thunk->ordinal))
        return PE_BAD_THUNK;
    thunk->name = pe_string(view, (uint32_t)value + (uint32_t)sizeof thunk->ordinal);
    return thunk->name != NULL ? PE_OK : PE_BAD_THUNK;
}

uint32_t pe_thunk_width(const pe_view_t *view)
{
    return view->is_plus ? 8 : 4;
}

void pe_thunk_put(const pe_view_t *view, void *to, uint32_t value, bool is_ordinal)
{
    uint64_t wide = is_ordinal ? value | PE_THUNK_ORDINAL_64 : value;
    uint32_t narrow = is_ordinal ? value | PE_THUNK_ORDINAL_32 : value;
    if (view->is_plus)
        memcpy(to, &wide, sizeof wide);
    else
        memcpy(to, &narrow, sizeof narrow);
}
