// SPDX-License-Identifier: MIT
// Seeds for the fuzzer: first a change of one field each, then combinations; all in both widths.
#include "pe_seeds.h"

#include <string.h>

#include "inject.h"
#include "support/make_pe.h"

#define MADE_COUNT     56U
#define INJECTED_COUNT 34U // the first ones once more, as minject leaves them

static const char bundle[] = "data\n---- Bun! ----\n";

// Several peculiarities at once: a single change of a byte does not get there.
static void vary_much(make_pe_t *spec, uint32_t index)
{
    switch (index) {
    case 17: // mapped as it is: the reader for modules in memory sees every table
        spec->section_alignment = 0x200;
        spec->export_count = 5;
        spec->load_flags = 0x800;
        break;
    case 18:
        spec->machine = PE_MACHINE_ARM64;
        spec->hybrid_target = 0x150;
        break;
    case 19:
        spec->machine = PE_MACHINE_ARM64;
        spec->hybrid_target = spec->nt_off + 24 + PE_OFF_IMAGE_SIZE;
        spec->section_alignment = 0x200;
        break;
    case 20:
        for (uint32_t i = 2; i < MAKE_PE_DLLS; i++)
            spec->dlls[i] = i % 2 == 0 ? "KERNEL32.dll" : "ucrtbase.dll";
        spec->import_size = 0;
        break;
    case 21: // as many sections as there may be, in little space
        spec->extra_sections = PE_SECTION_MAX - 3;
        spec->section_alignment = 0x10;
        spec->file_alignment = 0x10;
        break;
    case 22:
        spec->extra_sections = PE_SECTION_MAX - 3;
        spec->file_alignment = 0x10;
        break;
    case 23:
        spec->dll_characteristics = PE_DLL_FORCE_INTEGRITY;
        spec->load_flags = 0x800;
        spec->certificate_size = 0x40;
        break;
    case 24:
        spec->overlay = bundle;
        spec->overlay_size = sizeof bundle - 1;
        break;
    case 25:
        spec->characteristics |= PE_FILE_DLL;
        spec->imports_are_writable = true;
        spec->is_bound = true;
        break;
    case 26:
        spec->has_lookup = false;
        spec->section_alignment = 0x200;
        spec->checksum = 1;
        break;
    default:
        spec->dlls[0] = "mimalloc-redirect.dll";
        spec->dlls[1] = "mimalloc-override.dll";
        spec->section_alignment = 0x200;
        break;
    }
}

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
    case 16:
        spec->has_iat_directory = false;
        break;
    default:
        vary_much(spec, index);
        break;
    }
}

static uint32_t injected_seed(uint32_t index, uint8_t *bytes)
{
    mj_options_t options = options_of("--force", NULL);
    uint32_t size = pe_seed(index, bytes);
    injected_t injected = inject_bytes(bytes, size, &options);
    if (injected.status == MJ_OK && injected.size <= MAKE_PE_CAPACITY) {
        size = injected.size;
        memcpy(bytes, injected.bytes, size);
    }
    injected_free(&injected);
    return size;
}

uint32_t pe_seed(uint32_t index, uint8_t *bytes)
{
    if (index >= MADE_COUNT + INJECTED_COUNT)
        return 0;
    if (index >= MADE_COUNT)
        return injected_seed(index - MADE_COUNT, bytes);
    make_pe_t spec = index % 2 == 0 ? make_pe_default() : make_pe_default32();
    vary(&spec, index / 2);
    return make_pe(&spec, bytes);
}
