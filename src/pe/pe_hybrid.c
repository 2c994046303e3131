// SPDX-License-Identifier: MIT
// Hybrid images (ARM64EC, ARM64X) hold code of more than one processor. Their metadata, to which the
// load configuration points, begins with a version and a map of the code: ranges in ascending order,
// the kind in the two low bits of each start. The structure is in Microsoft's winnt.h
// (IMAGE_ARM64EC_METADATA, IMAGE_CHPE_RANGE_ENTRY).
#include "pe/pe.h"

enum { CODE_MAP_OFF = 4, RANGE_SIZE = 8, KIND_MASK = 3, RANGE_MAX = 4096 };

pe_status_t pe_code_range_of_rva(const pe_view_t *view, uint32_t rva, pe_code_range_t *range)
{
    pe_load_config_t config;
    struct {
        uint32_t map_rva;
        uint32_t count;
    } map;
    if (pe_load_config(view, &config) != PE_OK || !config.is_hybrid)
        return PE_END;
    uint32_t at = config.hybrid_metadata_rva;
    if (at == 0 || !view->is_plus || !pe_read(view, at + CODE_MAP_OFF, &map, sizeof map) ||
        map.count > RANGE_MAX)
        return PE_NOT_FOUND;
    for (uint32_t i = 0; i < map.count; i++) {
        struct {
            uint32_t start;
            uint32_t size;
        } entry;
        if (!pe_read(view, map.map_rva + i * RANGE_SIZE, &entry, sizeof entry))
            return PE_NOT_FOUND;
        uint32_t start = entry.start & ~(uint32_t)KIND_MASK;
        if (rva < start || rva - start >= entry.size)
            continue;
        *range = (pe_code_range_t){start, entry.size, (pe_code_kind_t)(entry.start & KIND_MASK)};
        return PE_OK;
    }
    return PE_NOT_FOUND;
}
