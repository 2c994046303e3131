// SPDX-License-Identifier: MIT
// Seeds for the fuzzer: a change of one field each, in both widths.
#include "pe_seeds.h"

#include "support/make_pe.h"

static void vary(make_pe_t *spec, uint32_t index)
{
    switch (index) {
    case 0:
        break;
    case 1:
        spec->has_lookup = false;
        break;
    case 2:
        spec->is_bound = true;
        break;
    case 3:
        spec->certificate_size = 0x80;
        break;
    case 4:
        spec->overlay = "PK\005\006..................";
        spec->overlay_size = 22;
        break;
    case 5:
        spec->nt_off = 0x40;
        spec->junk_after_table = 16;
        break;
    case 6:
        spec->junk_after_table = 16;
        spec->last_virtual_size = 0x3000;
        break;
    case 7:
        spec->extra_sections = 1;
        spec->nt_off = 0x40;
        spec->last_is_code = true;
        break;
    case 8:
        spec->section_alignment = 0x200;
        break;
    case 9:
        spec->load_flags = 0x800;
        spec->checksum = 1;
        break;
    case 10:
        spec->export_count = 9;
        spec->symbols_size = 36;
        break;
    case 11:
        spec->dlls[2] = "mimalloc-override.dll";
        break;
    case 12:
        spec->has_iat_directory = false;
        spec->directory_count = 6;
        break;
    case 13:
        spec->clr_flags = 0x10;
        break;
    case 14:
        spec->overlay = "PK\005\006\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        spec->overlay_size = 22;
        break;
    case 15:
        spec->overlay = "\0\0\0\0\xef\xbe\xad\xdeNullsoftInst....data";
        spec->overlay_size = 28;
        spec->extra_sections = 6;
        break;
    default:
        spec->has_iat_directory = false;
        break;
    }
}

uint32_t pe_seed(uint32_t index, uint8_t *bytes)
{
    if (index >= 34)
        return 0;
    make_pe_t spec = index % 2 == 0 ? make_pe_default() : make_pe_default32();
    vary(&spec, index / 2);
    return make_pe(&spec, bytes);
}
