// SPDX-License-Identifier: MIT
// Reading PE images: one view for PE32 and PE32+, for files and for mapped modules.
// Pure: bytes in, values out. No allocation, no lock, no system call, no C runtime beyond memcpy and
// memcmp, no windows.h; so it may run under the loader lock and in a process without a runtime.
// Any thread may call anything here; a view is constant once made, and the bytes below it must not
// change meanwhile (the loader's own writes to address tables of a mapped module are harmless).
// Every byte read lies in [base, base + size): wild values in a file give a status, never a fault.
//
//     pe_view_t view;
//     if (pe_view_init_module(&view, module_base) == PE_OK &&
//         pe_export_find(&view, "malloc", &export) == PE_OK && export.forwarder == NULL)
//         address = module_base + export.rva;
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pe/pe_format.h"

typedef enum pe_status {
    PE_OK = 0,
    PE_END,                  // an iteration is over, or there is no such directory
    PE_NOT_FOUND,            // no export of that name or ordinal
    PE_TRUNCATED,            // the headers do not fit into the bytes
    PE_NO_DOS_HEADER,        // does not begin with "MZ"
    PE_DOS_PROGRAM,          // "MZ" without a header of a later format
    PE_NE_PROGRAM,           // 16-bit Windows or OS/2
    PE_LE_PROGRAM,           // OS/2 or a virtual device driver
    PE_BAD_OPTIONAL_HEADER,  // unknown magic, or too small for the directories it declares
    PE_BAD_ALIGNMENT,        // an alignment is no power of two, or file above section alignment
    PE_BAD_SECTION_COUNT,    // more than PE_SECTION_MAX
    PE_BAD_SECTION,          // a section's address range wraps or leaves the image
    PE_SECTION_OUTSIDE_FILE, // a section's bytes lie behind the end: the file is cut off
    PE_BAD_IMPORT_DIRECTORY, // a descriptor or a DLL's name lies outside the image
    PE_BAD_THUNK,            // an import's lookup table or name lies outside the image
    PE_BAD_EXPORT_DIRECTORY, // a table, a name or an entry lies outside the image
    PE_STATUS_COUNT
} pe_status_t;

typedef enum pe_layout {
    PE_LAYOUT_FILE,  // bytes as on disk: an RVA is translated through the section table
    PE_LAYOUT_MAPPED // bytes as the loader maps them: an RVA is an offset
} pe_layout_t;

// The optional header's fields of interest, one form for PE32 and PE32+.
typedef struct pe_optional {
    uint64_t image_base;
    uint32_t entry_rva;
    uint32_t section_alignment;
    uint32_t file_alignment;
    uint32_t image_size;
    uint32_t headers_size;
    uint32_t checksum;
    uint16_t subsystem;
    uint16_t dll_characteristics;
    uint32_t directory_count; // directories at and above this are absent and read as zero
    pe_directory_t directory[PE_DIRECTORY_MAX];
} pe_optional_t;

typedef struct pe_view { // all const after pe_view_init
    const uint8_t *base;
    size_t size;
    pe_layout_t layout;
    bool is_plus;    // thunks and addresses are 8 bytes wide, else 4
    bool is_flat;    // section alignment below an OS page: the loader maps the file as it is
    uint32_t nt_off; // of the signature
    uint32_t optional_off;
    uint32_t directory_off; // of directory[0]
    uint32_t section_off;   // of the section table
    pe_file_header_t file;
    pe_optional_t optional;
} pe_view_t;

typedef struct pe_export {
    uint32_t rva;          // of the function or datum; of the forwarder's text if forwarded
    uint32_t ordinal;      // as importers use it, with the base added
    const char *name;      // NULL when exported by ordinal only or found by ordinal
    const char *forwarder; // "DLL.name" or "DLL.#ordinal" when forwarded, else NULL
} pe_export_t;

typedef struct pe_import {
    uint32_t index; // of the descriptor, 0 first
    uint32_t descriptor_rva;
    uint32_t lookup_rva; // where names are read: OriginalFirstThunk, or FirstThunk where 0
    uint32_t iat_rva;    // FirstThunk
    bool has_lookup;     // false: the names are in the IAT itself and gone once resolved
    pe_import_descriptor_t descriptor;
    const char *name; // of the DLL
} pe_import_t;

typedef struct pe_thunk {
    uint32_t slot_rva; // of the IAT entry
    bool is_ordinal;
    uint16_t ordinal; // the ordinal, or the hint of a name
    const char *name; // NULL for an ordinal
} pe_thunk_t;

// ---- view ----

// Checks the headers and fills the view, which refers to the bytes and must not outlive them.
// For PE_LAYOUT_MAPPED size is at least SizeOfImage. On failure the view is not to be used.
pe_status_t pe_view_init(pe_view_t *view, const void *base, size_t size, pe_layout_t layout);

// The same for a module that the loader has mapped at base: the size is taken from its own headers.
pe_status_t pe_view_init_module(pe_view_t *view, const void *base);

// A short text for the status, such as "the file is cut off"; never NULL.
const char *pe_status_text(pe_status_t status);

// Copies section number index (below view->file.section_count).
void pe_section_at(const pe_view_t *view, uint32_t index, pe_section_t *section);

// The bytes of the image that the section's raw data gives: the smaller of raw and virtual size.
uint32_t pe_section_mapped_size(const pe_view_t *view, const pe_section_t *section);

// The section's length in the address space; an old linker's VirtualSize of 0 means the raw size.
uint32_t pe_section_virtual_size(const pe_section_t *section);

// True and a copy when a section's address range holds rva.
bool pe_section_of_rva(const pe_view_t *view, uint32_t rva, pe_section_t *section);

// The directory, all zero when the file has no such one.
pe_directory_t pe_directory(const pe_view_t *view, enum pe_directory_index index);

// A pointer to length bytes at rva, or NULL when they are not all there (in a file also: when they
// lie in the zero-filled end of a section). The pointer may be unaligned.
const void *pe_at(const pe_view_t *view, uint32_t rva, uint32_t length);

// The number of bytes readable from rva on without a gap; 0 when there is none.
uint32_t pe_available(const pe_view_t *view, uint32_t rva);

// True and the offset of rva in the view's bytes, when length bytes are there.
bool pe_offset_of_rva(const pe_view_t *view, uint32_t rva, uint32_t length, uint32_t *off);

// Copies length bytes from rva; false when they are not all there.
bool pe_read(const pe_view_t *view, uint32_t rva, void *to, uint32_t length);

// The terminated string at rva, or NULL when its end is not within the image.
const char *pe_string(const pe_view_t *view, uint32_t rva);

// Orders by byte value as the loader does. Letters A-Z and a-z differ.
int pe_compare(const char *a, const char *b);

// DLL names: equal when they differ only in the case of ASCII letters.
bool pe_same_dll(const char *a, const char *b);

// ---- exports ----

// Finds an export by name with a binary search, as the loader does (the names must be sorted).
// PE_END: no exports at all. PE_NOT_FOUND: not this one. Forwarders are reported, not followed.
pe_status_t pe_export_find(const pe_view_t *view, const char *name, pe_export_t *found);

// Finds an export by ordinal (with the base, as importers write it).
pe_status_t pe_export_find_ordinal(const pe_view_t *view, uint32_t ordinal, pe_export_t *found);

// Names number 0, 1, ... in the order of the name table; PE_END behind the last.
pe_status_t pe_export_name_at(const pe_view_t *view, uint32_t index, pe_export_t *found);

// Entries number 0, 1, ... of the function table, with or without names (found->name is NULL);
// PE_NOT_FOUND for an empty slot, PE_END behind the last.
pe_status_t pe_export_slot_at(const pe_view_t *view, uint32_t index, pe_export_t *found);

// ---- imports ----

// The DLLs imported, number 0, 1, ...; PE_END behind the last. Delay-loaded ones are not among them.
pe_status_t pe_import_at(const pe_view_t *view, uint32_t index, pe_import_t *import);

// Finds the first descriptor of that DLL; PE_NOT_FOUND when there is none.
pe_status_t pe_import_find(const pe_view_t *view, const char *dll, pe_import_t *import);

// The delay-loaded ones in the same way, but for the descriptor: it has another form and stays zero.
// PE_END also at one of the old form, with addresses.
pe_status_t pe_delay_import_at(const pe_view_t *view, uint32_t index, pe_import_t *import);

// The functions imported from one DLL, number 0, 1, ...; PE_END behind the last. In a module that is
// already resolved, only meaningful when import->has_lookup.
pe_status_t pe_thunk_at(const pe_view_t *view, const pe_import_t *import, uint32_t index,
                        pe_thunk_t *thunk);

// The width of an entry of the lookup and address tables: 4 or 8.
uint32_t pe_thunk_width(const pe_view_t *view);

// Writes such an entry: an ordinal, or the RVA of a hint and name.
void pe_thunk_put(const pe_view_t *view, void *to, uint32_t value, bool is_ordinal);

// ---- load configuration ----

typedef struct pe_load_config { // fields that the file's structure is too short for read as zero
    uint32_t dependent_load_flags;
    uint32_t dependent_load_flags_rva; // of the 16-bit field; 0 when absent
    bool is_hybrid;                    // has CHPE metadata: ARM64EC or ARM64X
    uint32_t hybrid_metadata_rva;      // of that metadata; 0 when absent or out of the image
    uint32_t dynamic_relocations_rva;  // of the dynamic value relocation table; 0 when absent
} pe_load_config_t;

// PE_END when the image has no load configuration.
pe_status_t pe_load_config(const pe_view_t *view, pe_load_config_t *config);

// ---- hybrid images ----

typedef enum pe_code_kind {
    PE_CODE_ARM64 = 0,
    PE_CODE_ARM64EC = 1,
    PE_CODE_AMD64 = 2
} pe_code_kind_t;

typedef struct pe_code_range {
    uint32_t rva;
    uint32_t size;
    pe_code_kind_t kind;
} pe_code_range_t;

// What kind of code a hybrid image has at rva. PE_END: the image is not hybrid. PE_NOT_FOUND: it has no
// code there, or its map cannot be read.
pe_status_t pe_code_range_of_rva(const pe_view_t *view, uint32_t rva, pe_code_range_t *range);

// ---- extended characteristics ----

#define PE_EX_FORWARD_CFI 0x40U // indirect branches must land on instructions made for them

// The flags, 0 when the image has none.
uint32_t pe_ex_characteristics(const pe_view_t *view);
