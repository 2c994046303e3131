// SPDX-License-Identifier: MIT
// Property: whatever the bytes are, every reader ends, and reads nothing outside of them; what one
// lookup finds by name, the other finds by ordinal. Both layouts are read.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "pe/pe.h"

#define WALK_MAX                                                                                   \
    12U // entries looked at in each table: the checks are the same for all, and speed counts

static unsigned sink; // keeps the reads

static void touch(const char *text)
{
    if (text != NULL)
        sink += (unsigned)strlen(text);
}

static void walk_imports(const pe_view_t *view)
{
    pe_import_t import;
    pe_thunk_t thunk;
    for (uint32_t i = 0; i < WALK_MAX && pe_import_at(view, i, &import) == PE_OK; i++) {
        touch(import.name);
        for (uint32_t k = 0; k < WALK_MAX && pe_thunk_at(view, &import, k, &thunk) == PE_OK; k++)
            touch(thunk.name);
    }
}

static void walk_delay_imports(const pe_view_t *view)
{
    pe_import_t import;
    pe_thunk_t thunk;
    for (uint32_t i = 0; i < WALK_MAX && pe_delay_import_at(view, i, &import) == PE_OK; i++) {
        touch(import.name);
        for (uint32_t k = 0; k < WALK_MAX && pe_thunk_at(view, &import, k, &thunk) == PE_OK; k++)
            touch(thunk.name);
    }
}

static void walk_exports(const pe_view_t *view)
{
    pe_export_t export;
    pe_export_t other;
    for (uint32_t i = 0; i < WALK_MAX && pe_export_name_at(view, i, &export) != PE_END; i++) {
        if (pe_export_name_at(view, i, &export) != PE_OK)
            continue;
        touch(export.name);
        touch(export.forwarder);
        if (pe_export_find_ordinal(view, export.ordinal, &other) == PE_OK &&
            other.rva != export.rva)
            abort();
        if (pe_export_find(view, export.name, &other) == PE_OK &&
            strcmp(other.name, export.name) != 0)
            abort();
    }
    for (uint32_t i = 0; i < WALK_MAX && pe_export_slot_at(view, i, &export) != PE_END; i++)
        sink += i;
}

static void read_layout(const uint8_t *bytes, size_t size, pe_layout_t layout)
{
    pe_view_t view;
    pe_section_t section;
    pe_load_config_t config;
    if (pe_view_init(&view, bytes, size, layout) != PE_OK)
        return;
    walk_imports(&view);
    walk_delay_imports(&view);
    walk_exports(&view);
    sink += pe_ex_characteristics(&view);
    sink += pe_load_config(&view, &config) == PE_OK;
    for (uint32_t i = 0; i < view.file.section_count; i++) {
        pe_code_range_t range;
        pe_section_at(&view, i, &section);
        if (pe_code_range_of_rva(&view, section.rva, &range) == PE_OK &&
            section.rva - range.rva >= range.size)
            abort();
        uint32_t there = pe_available(&view, section.rva);
        const uint8_t *first = pe_at(&view, section.rva, there);
        if (there != 0)
            sink += first[0] + first[there - 1];
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_layout(data, size, PE_LAYOUT_FILE);
    read_layout(data, size, PE_LAYOUT_MAPPED);
    return 0;
}
