// SPDX-License-Identifier: MIT
// The PE format as it lies on disk and in memory: structures and constants, nothing else.
// Little endian; every structure has its natural alignment, but a file may place it at any offset,
// so it is always copied out (pe_read), never pointed at. Field names follow house words: rva is
// relative to the image, off to the file. Source: Microsoft's PE format specification.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PE_DOS_MAGIC         0x5a4dU     // "MZ"
#define PE_NT_SIGNATURE      0x00004550U // "PE\0\0"
#define PE_MAGIC_32          0x010bU
#define PE_MAGIC_32_PLUS     0x020bU
#define PE_DIRECTORY_MAX     16U
#define PE_SECTION_MAX       96U     // the loaders of all Windows versions take this many
#define PE_OS_PAGE           0x1000U // the OS page of all machines that Windows runs on
#define PE_SECTOR            0x200U  // the loader rounds raw pointers down to this
#define PE_SECTION_NAME_SIZE 8U
#define PE_MACHINE_I386      0x014cU
#define PE_MACHINE_ARMNT     0x01c4U
#define PE_MACHINE_AMD64     0x8664U
#define PE_MACHINE_ARM64     0xaa64U
#define PE_MACHINE_ARM64EC   0xa641U
#define PE_MACHINE_ARM64X    0xa64eU

#define PE_FILE_RELOCS_STRIPPED  0x0001U
#define PE_FILE_EXECUTABLE_IMAGE 0x0002U
#define PE_FILE_SYSTEM           0x1000U
#define PE_FILE_DLL              0x2000U

#define PE_SUBSYSTEM_NATIVE    1U
#define PE_SUBSYSTEM_GUI       2U
#define PE_SUBSYSTEM_CONSOLE   3U
#define PE_SUBSYSTEM_EFI_FIRST 10U
#define PE_SUBSYSTEM_EFI_LAST  13U
#define PE_SUBSYSTEM_BOOT      16U

#define PE_DLL_DYNAMIC_BASE    0x0040U
#define PE_DLL_FORCE_INTEGRITY 0x0080U
#define PE_DLL_APPCONTAINER    0x1000U

#define PE_SECTION_CODE          0x00000020U
#define PE_SECTION_INITIALIZED   0x00000040U
#define PE_SECTION_UNINITIALIZED 0x00000080U
#define PE_SECTION_DISCARDABLE   0x02000000U
#define PE_SECTION_EXECUTE       0x20000000U
#define PE_SECTION_READ          0x40000000U
#define PE_SECTION_WRITE         0x80000000U

#define PE_THUNK_ORDINAL_32 0x80000000U
#define PE_THUNK_ORDINAL_64 0x8000000000000000U

enum pe_directory_index {
    PE_DIR_EXPORT = 0,
    PE_DIR_IMPORT = 1,
    PE_DIR_RESOURCE = 2,
    PE_DIR_EXCEPTION = 3,
    PE_DIR_CERTIFICATE = 4, // its rva is a file offset
    PE_DIR_RELOCATION = 5,
    PE_DIR_DEBUG = 6,
    PE_DIR_TLS = 9,
    PE_DIR_LOAD_CONFIG = 10,
    PE_DIR_BOUND_IMPORT = 11,
    PE_DIR_IAT = 12,
    PE_DIR_DELAY_IMPORT = 13,
    PE_DIR_CLR = 14,
};

typedef struct pe_dos_header {
    uint16_t magic;
    uint16_t unused[29];
    uint32_t nt_off; // e_lfanew
} pe_dos_header_t;

typedef struct pe_file_header {
    uint16_t machine;
    uint16_t section_count;
    uint32_t timestamp;
    uint32_t symbol_off;
    uint32_t symbol_count;
    uint16_t optional_size;
    uint16_t characteristics;
} pe_file_header_t;

typedef struct pe_directory {
    uint32_t rva;
    uint32_t size;
} pe_directory_t;

typedef struct pe_optional_header32 {
    uint16_t magic;
    uint8_t linker_major;
    uint8_t linker_minor;
    uint32_t code_size;
    uint32_t initialized_size;
    uint32_t uninitialized_size;
    uint32_t entry_rva;
    uint32_t code_rva;
    uint32_t data_rva;
    uint32_t image_base;
    uint32_t section_alignment;
    uint32_t file_alignment;
    uint16_t versions[6];
    uint32_t win32_version;
    uint32_t image_size;
    uint32_t headers_size;
    uint32_t checksum;
    uint16_t subsystem;
    uint16_t dll_characteristics;
    uint32_t stack_and_heap[4];
    uint32_t loader_flags;
    uint32_t directory_count;
} pe_optional_header32_t;

typedef struct pe_optional_header64 {
    uint16_t magic;
    uint8_t linker_major;
    uint8_t linker_minor;
    uint32_t code_size;
    uint32_t initialized_size;
    uint32_t uninitialized_size;
    uint32_t entry_rva;
    uint32_t code_rva;
    uint64_t image_base;
    uint32_t section_alignment;
    uint32_t file_alignment;
    uint16_t versions[6];
    uint32_t win32_version;
    uint32_t image_size;
    uint32_t headers_size;
    uint32_t checksum;
    uint16_t subsystem;
    uint16_t dll_characteristics;
    uint64_t stack_and_heap[4];
    uint32_t loader_flags;
    uint32_t directory_count;
} pe_optional_header64_t;

typedef struct pe_section {
    char name[PE_SECTION_NAME_SIZE]; // not terminated when all eight are used
    uint32_t virtual_size;
    uint32_t rva;
    uint32_t raw_size;
    uint32_t raw_off;
    uint32_t relocation_off;
    uint32_t line_number_off;
    uint16_t relocation_count;
    uint16_t line_number_count;
    uint32_t characteristics;
} pe_section_t;

typedef struct pe_export_directory {
    uint32_t characteristics;
    uint32_t timestamp;
    uint16_t version_major;
    uint16_t version_minor;
    uint32_t name_rva;
    uint32_t ordinal_base;
    uint32_t function_count;
    uint32_t name_count;
    uint32_t functions_rva; // uint32_t rva each
    uint32_t names_rva;     // uint32_t rva each, the strings sorted by byte value
    uint32_t ordinals_rva;  // uint16_t index into functions each
} pe_export_directory_t;

typedef struct pe_import_descriptor {
    uint32_t lookup_rva; // OriginalFirstThunk; 0 in files of old linkers
    uint32_t timestamp;  // not 0: bound
    uint32_t forwarder_chain;
    uint32_t name_rva;
    uint32_t iat_rva; // FirstThunk
} pe_import_descriptor_t;

typedef struct pe_delay_descriptor {
    uint32_t
        attributes; // bit 0: the fields are RVAs; without it, in files of Visual C++ 6, addresses
    uint32_t name_rva;
    uint32_t module_rva; // where the program keeps the DLL's handle
    uint32_t iat_rva;
    uint32_t lookup_rva;
    uint32_t bound_rva;
    uint32_t unload_rva;
    uint32_t timestamp;
} pe_delay_descriptor_t;

#define PE_DELAY_HAS_RVAS 1u

typedef struct pe_debug_entry {
    uint32_t characteristics;
    uint32_t timestamp;
    uint16_t version_major;
    uint16_t version_minor;
    uint32_t type;
    uint32_t size;
    uint32_t data_rva;
    uint32_t data_off;
} pe_debug_entry_t;

typedef struct pe_certificate {
    uint32_t length; // with this header; the next entry starts at the next multiple of 8
    uint16_t revision;
    uint16_t type;
} pe_certificate_t;

typedef struct pe_clr_header {
    uint32_t size;
    uint16_t runtime_major;
    uint16_t runtime_minor;
    pe_directory_t metadata;
    uint32_t flags;
    uint32_t entry_point;
    pe_directory_t others[6];
} pe_clr_header_t;

#define PE_CLR_IL_ONLY 0x00000001U

// Fields of the optional header that have the same place in both forms.
#define PE_OFF_INITIALIZED_SIZE    8U
#define PE_OFF_IMAGE_SIZE          56U
#define PE_OFF_HEADERS_SIZE        60U
#define PE_OFF_CHECKSUM            64U
#define PE_OFF_DLL_CHARACTERISTICS 70U

// Fields of the load configuration, whose two forms grow apart.
#define PE_LOAD32_DEPENDENT_FLAGS 54U
#define PE_LOAD64_DEPENDENT_FLAGS 78U
#define PE_LOAD32_CHPE_POINTER    124U
#define PE_LOAD64_CHPE_POINTER    200U
#define PE_LOAD32_DVRT_OFFSET     136U
#define PE_LOAD64_DVRT_OFFSET     224U

_Static_assert(sizeof(pe_dos_header_t) == 64, "layout");
_Static_assert(sizeof(pe_file_header_t) == 20, "layout");
_Static_assert(sizeof(pe_optional_header32_t) == 96, "layout");
_Static_assert(sizeof(pe_optional_header64_t) == 112, "layout");
_Static_assert(offsetof(pe_optional_header32_t, image_size) == PE_OFF_IMAGE_SIZE, "layout");
_Static_assert(offsetof(pe_optional_header64_t, image_size) == PE_OFF_IMAGE_SIZE, "layout");
_Static_assert(offsetof(pe_optional_header32_t, checksum) == PE_OFF_CHECKSUM, "layout");
_Static_assert(offsetof(pe_optional_header64_t, checksum) == PE_OFF_CHECKSUM, "layout");
_Static_assert(sizeof(pe_section_t) == 40, "layout");
_Static_assert(sizeof(pe_export_directory_t) == 40, "layout");
_Static_assert(sizeof(pe_import_descriptor_t) == 20, "layout");
_Static_assert(sizeof(pe_delay_descriptor_t) == 32, "layout");
_Static_assert(sizeof(pe_debug_entry_t) == 28, "layout");
_Static_assert(sizeof(pe_clr_header_t) == 72, "layout");
