// SPDX-License-Identifier: MIT
// The extended DLL characteristics, for which there was no room in the headers: an entry of the debug
// directory of type 20, whose data is one word of flags (Microsoft's PE specification).
#include "pe/pe.h"

enum { TYPE_EX_CHARACTERISTICS = 20, ENTRY_MAX = 64 };

typedef struct debug_entry {
    uint32_t characteristics;
    uint32_t time;
    uint32_t version;
    uint32_t type;
    uint32_t data_size;
    uint32_t data_rva;
    uint32_t data_off;
} debug_entry_t;

uint32_t pe_ex_characteristics(const pe_view_t *view)
{
    pe_directory_t directory = pe_directory(view, PE_DIR_DEBUG);
    uint32_t count = directory.size / sizeof(debug_entry_t);
    for (uint32_t i = 0; i < count && i < ENTRY_MAX; i++) {
        debug_entry_t entry;
        uint32_t flags;
        if (!pe_read(view, directory.rva + i * (uint32_t)sizeof entry, &entry, sizeof entry))
            return 0;
        if (entry.type == TYPE_EX_CHARACTERISTICS && entry.data_size >= sizeof flags &&
            pe_read(view, entry.data_rva, &flags, sizeof flags))
            return flags;
    }
    return 0;
}
