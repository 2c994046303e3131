// SPDX-License-Identifier: MIT
// Builds a PE file field by field. make_pe_default gives a small, sound program whose entry point
// calls ExitProcess(42); a test changes a field before building, or bytes after it, to get the one
// case that it is about. The same specification gives the same bytes.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pe/pe_format.h"

#define MAKE_PE_CAPACITY 0x80000U
#define MAKE_PE_DLLS     8U

typedef struct make_pe {
    bool is_plus;
    uint16_t machine;
    uint16_t characteristics;
    uint16_t subsystem;
    uint16_t dll_characteristics;
    uint32_t nt_off;
    uint32_t section_alignment;
    uint32_t file_alignment;
    uint32_t headers_size; // 0: as large as the table needs
    uint32_t directory_count;
    uint32_t checksum;              // 0: none; 1: the right one
    const char *dlls[MAKE_PE_DLLS]; // NULL ends; the first gives ExitProcess, the others one name
    bool has_lookup;                // else OriginalFirstThunk is 0
    bool has_iat_directory;
    bool imports_are_writable;  // the section that holds them
    bool is_bound;              // time stamps in the descriptors and a bound import directory
    uint32_t import_size;       // of the directory; UINT32_MAX: the right one
    uint32_t extra_sections;    // behind .text, .rdata and .data, 16 bytes each
    bool last_is_code;          // the last section is executable
    uint32_t last_virtual_size; // 0: as its data
    uint32_t junk_after_table;  // so many non-zero bytes behind the section table
    uint32_t load_flags;        // DependentLoadFlags; 0: no load configuration
    uint32_t hybrid_target;     // ARM64X: the fixup's target, an offset in the headers; 0: none
    uint32_t clr_flags;         // 0: no CLR header
    uint32_t export_count;      // functions f00, f01, ...; 0: no exports
    uint32_t symbols_size;      // COFF symbol and string table behind the sections
    const char *overlay;        // appended bytes
    uint32_t overlay_size;
    uint32_t certificate_size; // at the end
} make_pe_t;

// A console program for x64 that imports kernel32.dll and a runtime DLL.
make_pe_t make_pe_default(void);

// The same for x86.
make_pe_t make_pe_default32(void);

// Writes the file to bytes, which hold MAKE_PE_CAPACITY; gives its size, 0 if it does not fit.
uint32_t make_pe(const make_pe_t *spec, uint8_t *bytes);
