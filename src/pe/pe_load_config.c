// SPDX-License-Identifier: MIT
// The load configuration's fields that decide whether imports may be added. The structure begins with
// its own size and has grown over the years: what lies behind that size is absent, not zero bytes.
#include "pe/pe.h"

static bool has_field(uint32_t size, uint32_t off, uint32_t length)
{
    return length <= size && off <= size - length;
}

// The table's place is given as a section number (from 1) and an offset in that section.
static uint32_t dynamic_relocations_rva(const pe_view_t *view, uint32_t field_rva)
{
    struct {
        uint32_t off;
        uint16_t section;
    } place = {0, 0};
    pe_section_t section;
    if (!pe_read(view, field_rva, &place.off, sizeof place.off) ||
        !pe_read(view, field_rva + 4, &place.section, sizeof place.section))
        return 0;
    if (place.section == 0 || place.section > view->file.section_count)
        return 0;
    pe_section_at(view, place.section - 1U, &section);
    return place.off <= UINT32_MAX - section.rva ? section.rva + place.off : 0;
}

// An address in the image; in a mapped one it may have been relocated, whatever its headers say.
static uint32_t rva_of_address(const pe_view_t *view, uint64_t address)
{
    uint64_t mapped = address - (uintptr_t)view->base;
    uint64_t rva = address - view->optional.image_base;
    if (view->layout == PE_LAYOUT_MAPPED && mapped < view->optional.image_size)
        return (uint32_t)mapped;
    return rva < view->optional.image_size ? (uint32_t)rva : 0;
}

pe_status_t pe_load_config(const pe_view_t *view, pe_load_config_t *config)
{
    uint32_t rva = pe_directory(view, PE_DIR_LOAD_CONFIG).rva;
    uint32_t size = 0;
    *config = (pe_load_config_t){0};
    if (rva == 0 || !pe_read(view, rva, &size, sizeof size))
        return PE_END;
    uint32_t available = pe_available(view, rva);
    size = size < available ? size : available;

    uint32_t flags_off = view->is_plus ? PE_LOAD64_DEPENDENT_FLAGS : PE_LOAD32_DEPENDENT_FLAGS;
    uint16_t flags = 0;
    if (has_field(size, flags_off, sizeof flags) &&
        pe_read(view, rva + flags_off, &flags, sizeof flags)) {
        config->dependent_load_flags = flags;
        config->dependent_load_flags_rva = rva + flags_off;
    }
    uint32_t chpe_off = view->is_plus ? PE_LOAD64_CHPE_POINTER : PE_LOAD32_CHPE_POINTER;
    uint64_t pointer = 0;
    if (has_field(size, chpe_off, pe_thunk_width(view)) &&
        pe_read(view, rva + chpe_off, &pointer, pe_thunk_width(view)) && pointer != 0) {
        config->is_hybrid = true;
        config->hybrid_metadata_rva = rva_of_address(view, pointer);
    }
    uint32_t table_off = view->is_plus ? PE_LOAD64_DVRT_OFFSET : PE_LOAD32_DVRT_OFFSET;
    if (has_field(size, table_off, 6))
        config->dynamic_relocations_rva = dynamic_relocations_rva(view, rva + table_off);
    return PE_OK;
}
