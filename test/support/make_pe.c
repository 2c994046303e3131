// SPDX-License-Identifier: MIT
// The order in the file: DOS header, NT headers, section table, .text, .rdata (imports, exports, load
// configuration, CLR header), .data, extra sections, symbols, overlay, certificate.
#include "support/make_pe.h"

#include <stdio.h>
#include <string.h>

#include "minject/minject.h"

#define TEXT_SIZE 0x20U

typedef struct build {
    const make_pe_t *spec;
    uint8_t *bytes;
    uint32_t size; // of the file so far
    uint32_t section_count;
    uint32_t next_rva;
    uint32_t headers_size;
    uint32_t rdata_rva;
    uint32_t rdata_size;
    uint32_t iat_rva; // the first address table
    pe_directory_t directory[PE_DIRECTORY_MAX];
    pe_section_t sections[PE_SECTION_MAX + 8];
    uint8_t rdata[0x2000];
} build_t;

static uint32_t align_up(uint32_t value, uint32_t alignment)
{
    return (value + alignment - 1) / alignment * alignment;
}

make_pe_t make_pe_default(void)
{
    return (make_pe_t){.is_plus = true,
                       .machine = PE_MACHINE_AMD64,
                       .characteristics = PE_FILE_EXECUTABLE_IMAGE | PE_FILE_RELOCS_STRIPPED | 0x20,
                       .subsystem = PE_SUBSYSTEM_CONSOLE,
                       .nt_off = 0xc0,
                       .section_alignment = 0x1000,
                       .file_alignment = 0x200,
                       .directory_count = PE_DIRECTORY_MAX,
                       .dlls = {"KERNEL32.dll", "ntdll.dll"},
                       .has_lookup = true,
                       .has_iat_directory = true,
                       .import_size = UINT32_MAX};
}

make_pe_t make_pe_default32(void)
{
    make_pe_t spec = make_pe_default();
    spec.is_plus = false;
    spec.machine = PE_MACHINE_I386;
    spec.characteristics |= 0x100;
    return spec;
}

static uint32_t optional_size(const make_pe_t *spec)
{
    uint32_t fixed = spec->is_plus ? (uint32_t)sizeof(pe_optional_header64_t)
                                   : (uint32_t)sizeof(pe_optional_header32_t);
    return fixed + spec->directory_count * (uint32_t)sizeof(pe_directory_t);
}

static uint32_t table_off(const make_pe_t *spec)
{
    return spec->nt_off + 24 + optional_size(spec);
}

// ---- .rdata ----

static uint32_t reserve(build_t *build, uint32_t size)
{
    uint32_t at = align_up(build->rdata_size, 8);
    build->rdata_size = at + size;
    return build->rdata_size <= sizeof build->rdata ? at : 0;
}

static uint32_t place(build_t *build, const void *from, uint32_t size)
{
    uint32_t at = reserve(build, size);
    memcpy(build->rdata + at, from, size);
    return build->rdata_rva + at;
}

static void put_thunk(const build_t *build, uint32_t at, uint32_t value)
{
    memcpy((uint8_t *)build->rdata + at, &value, sizeof value);
}

static uint32_t dll_count(const make_pe_t *spec)
{
    uint32_t count = 0;
    while (count < MAKE_PE_DLLS && spec->dlls[count] != NULL)
        count++;
    return count;
}

static void place_imports(build_t *build)
{
    const make_pe_t *spec = build->spec;
    uint32_t width = spec->is_plus ? 8 : 4;
    uint32_t count = dll_count(spec);
    if (count == 0)
        return;
    uint32_t iat = reserve(build, count * 2 * width);
    uint32_t lookup = reserve(build, count * 2 * width);
    uint32_t descriptors = reserve(build, (count + 1) * (uint32_t)sizeof(pe_import_descriptor_t));
    build->iat_rva = build->rdata_rva + iat;
    for (uint32_t i = 0; i < count; i++) {
        char name[32] = {0};
        snprintf(name + 2, sizeof name - 2, i == 0 ? "ExitProcess" : "RtlGetVersion");
        uint32_t name_rva = place(build, name, sizeof name);
        put_thunk(build, iat + i * 2 * width, name_rva);
        put_thunk(build, lookup + i * 2 * width, name_rva);
        pe_import_descriptor_t descriptor = {
            .lookup_rva = spec->has_lookup ? build->rdata_rva + lookup + i * 2 * width : 0,
            .timestamp = spec->is_bound ? 0x5eedU : 0,
            .name_rva = place(build, spec->dlls[i], (uint32_t)strlen(spec->dlls[i]) + 1),
            .iat_rva = build->rdata_rva + iat + i * 2 * width};
        memcpy(build->rdata + descriptors + i * sizeof descriptor, &descriptor, sizeof descriptor);
    }
    uint32_t size = (count + 1) * (uint32_t)sizeof(pe_import_descriptor_t);
    build->directory[PE_DIR_IMPORT] = (pe_directory_t){
        build->rdata_rva + descriptors, spec->import_size == UINT32_MAX ? size : spec->import_size};
    if (spec->has_iat_directory)
        build->directory[PE_DIR_IAT] = (pe_directory_t){build->iat_rva, count * 2 * width};
}

static void place_exports(build_t *build)
{
    uint32_t count = build->spec->export_count;
    uint32_t names[64];
    uint32_t functions[64];
    uint16_t ordinals[64];
    if (count == 0)
        return;
    uint32_t start = reserve(build, (uint32_t)sizeof(pe_export_directory_t));
    for (uint32_t i = 0; i < count && i < 64; i++) {
        char name[8];
        snprintf(name, sizeof name, "f%02u", i);
        names[i] = place(build, name, sizeof name);
        functions[i] = 0x1000 + i;
        ordinals[i] = (uint16_t)i;
    }
    // The last function is forwarded.
    functions[count - 1] = place(build, "other.target", 13);
    pe_export_directory_t exports = {.name_rva = place(build, "made.dll", 9),
                                     .ordinal_base = 7,
                                     .function_count = count,
                                     .name_count = count};
    exports.functions_rva = place(build, functions, count * 4);
    exports.names_rva = place(build, names, count * 4);
    exports.ordinals_rva = place(build, ordinals, count * 2);
    memcpy(build->rdata + start, &exports, sizeof exports);
    build->directory[PE_DIR_EXPORT] =
        (pe_directory_t){build->rdata_rva + start, build->rdata_size - start};
}

// One fixup that stores four bytes, as the system applies it to an ARM64X image in an x64 process.
static uint32_t place_fixup(build_t *build)
{
    struct {
        uint32_t version;
        uint32_t size;
        uint32_t symbol[2];
        uint32_t entry_size;
        uint32_t page_rva;
        uint32_t block_size;
        uint16_t word;
        uint16_t value[2];
        uint16_t padding;
    } table = {.version = 1,
               .size = 28,
               .symbol = {6, 0},
               .entry_size = 16,
               .block_size = 16,
               .word = (uint16_t)(build->spec->hybrid_target | 1U << 12 | 2U << 14)};
    _Static_assert(sizeof table == 36, "layout");
    return place(build, &table, sizeof table) - build->rdata_rva;
}

static void place_load_config(build_t *build)
{
    uint8_t config[0x100] = {0};
    uint32_t size = sizeof config;
    uint32_t off = build->spec->is_plus ? PE_LOAD64_DEPENDENT_FLAGS : PE_LOAD32_DEPENDENT_FLAGS;
    uint16_t flags = (uint16_t)build->spec->load_flags;
    if (flags == 0 && build->spec->hybrid_target == 0)
        return;
    memcpy(config, &size, sizeof size);
    memcpy(config + off, &flags, sizeof flags);
    if (build->spec->hybrid_target != 0) {
        uint32_t table = place_fixup(build);
        uint16_t section = 2; // .rdata, counted from 1
        memcpy(config + PE_LOAD64_CHPE_POINTER, &size, sizeof size);
        memcpy(config + PE_LOAD64_DVRT_OFFSET, &table, sizeof table);
        memcpy(config + PE_LOAD64_DVRT_OFFSET + 4, &section, sizeof section);
    }
    build->directory[PE_DIR_LOAD_CONFIG] =
        (pe_directory_t){place(build, config, sizeof config), sizeof config};
}

static void place_clr(build_t *build)
{
    pe_clr_header_t clr = {.size = sizeof clr, .runtime_major = 2, .flags = build->spec->clr_flags};
    if (clr.flags != 0)
        build->directory[PE_DIR_CLR] = (pe_directory_t){place(build, &clr, sizeof clr), sizeof clr};
}

// ---- sections ----

static void add_section(build_t *build, const char *name, const void *data, uint32_t size,
                        uint32_t virtual_size, uint32_t characteristics)
{
    const make_pe_t *spec = build->spec;
    pe_section_t *section = &build->sections[build->section_count++];
    memset(section, 0, sizeof *section);
    memcpy(section->name, name, strlen(name) < 8 ? strlen(name) : 8);
    section->rva = build->next_rva;
    section->virtual_size = virtual_size != 0 ? virtual_size : size;
    section->raw_off = build->size;
    section->raw_size = align_up(size, spec->file_alignment);
    section->characteristics = characteristics;
    if (build->size + section->raw_size <= MAKE_PE_CAPACITY)
        memcpy(build->bytes + build->size, data, size);
    build->size += section->raw_size;
    build->next_rva = align_up(section->rva + section->virtual_size, spec->section_alignment);
}

// sub esp/rsp; ExitProcess(42), through the address table.
static uint32_t make_code(const build_t *build, uint32_t rva, uint8_t *code)
{
    static const uint8_t code64[] = {0x48, 0x83, 0xec, 0x28, 0xb9, 42, 0, 0, 0, 0xff, 0x15};
    static const uint8_t code32[] = {0x6a, 42, 0xff, 0x15};
    if (build->spec->machine == PE_MACHINE_AMD64) {
        uint32_t distance = build->iat_rva - (rva + (uint32_t)sizeof code64 + 4);
        memcpy(code, code64, sizeof code64);
        memcpy(code + sizeof code64, &distance, 4);
    } else {
        uint32_t address = 0x400000 + build->iat_rva;
        memcpy(code, code32, sizeof code32);
        memcpy(code + sizeof code32, &address, 4);
    }
    return TEXT_SIZE;
}

static void add_sections(build_t *build)
{
    const make_pe_t *spec = build->spec;
    uint8_t code[TEXT_SIZE] = {0};
    uint32_t text_rva = build->next_rva;
    uint32_t rdata_flags = PE_SECTION_INITIALIZED | PE_SECTION_READ;
    build->rdata_rva = align_up(text_rva + TEXT_SIZE, spec->section_alignment);
    place_imports(build);
    place_exports(build);
    place_load_config(build);
    place_clr(build);
    add_section(build, ".text", code, make_code(build, text_rva, code), 0,
                PE_SECTION_CODE | PE_SECTION_EXECUTE | PE_SECTION_READ);
    add_section(build, ".rdata", build->rdata, build->rdata_size, 0,
                spec->imports_are_writable ? rdata_flags | PE_SECTION_WRITE : rdata_flags);
    uint32_t last = spec->extra_sections;
    for (uint32_t i = 0; i <= last; i++) {
        char name[9] = ".data";
        if (i > 0)
            snprintf(name, sizeof name, ".extra%02u", i % 100);
        uint32_t flags = PE_SECTION_INITIALIZED | PE_SECTION_READ | PE_SECTION_WRITE;
        if (i == last && spec->last_is_code)
            flags = PE_SECTION_CODE | PE_SECTION_READ | PE_SECTION_EXECUTE;
        add_section(build, name, "sixteen bytes....", 16, i == last ? spec->last_virtual_size : 0,
                    flags);
    }
}

// ---- behind the sections ----

static void append(build_t *build, const void *data, uint32_t size)
{
    if (build->size + size <= MAKE_PE_CAPACITY)
        memcpy(build->bytes + build->size, data, size);
    build->size += size;
}

static uint32_t append_symbols(build_t *build)
{
    static const uint8_t symbol[18] = ".file";
    uint32_t off = build->size;
    uint32_t strings = 4;
    for (uint32_t i = 0; i < build->spec->symbols_size / sizeof symbol; i++)
        append(build, symbol, sizeof symbol);
    append(build, &strings, sizeof strings);
    return off;
}

static void append_certificate(build_t *build)
{
    pe_certificate_t certificate = {build->spec->certificate_size, 0x200, 2};
    build->size = align_up(build->size, 8);
    build->directory[PE_DIR_CERTIFICATE] =
        (pe_directory_t){build->size, build->spec->certificate_size};
    append(build, &certificate, sizeof certificate);
    for (uint32_t i = sizeof certificate; i < build->spec->certificate_size; i++)
        append(build, "s", 1);
}

// ---- headers ----

static void write_optional(const build_t *build, uint8_t *to)
{
    const make_pe_t *spec = build->spec;
    pe_optional_header64_t plus = {.magic = PE_MAGIC_32_PLUS,
                                   .linker_major = 14,
                                   .entry_rva = build->sections[0].rva,
                                   .image_base = 0x400000,
                                   .section_alignment = spec->section_alignment,
                                   .file_alignment = spec->file_alignment,
                                   .versions = {6, 0, 0, 0, 6, 0},
                                   .image_size = build->next_rva,
                                   .headers_size = build->headers_size,
                                   .checksum = spec->checksum,
                                   .subsystem = spec->subsystem,
                                   .dll_characteristics = spec->dll_characteristics,
                                   .stack_and_heap = {0x100000, 0x1000, 0x100000, 0x1000},
                                   .directory_count = spec->directory_count};
    pe_optional_header32_t narrow = {.magic = PE_MAGIC_32,
                                     .linker_major = 14,
                                     .entry_rva = plus.entry_rva,
                                     .image_base = 0x400000,
                                     .section_alignment = spec->section_alignment,
                                     .file_alignment = spec->file_alignment,
                                     .versions = {6, 0, 0, 0, 6, 0},
                                     .image_size = plus.image_size,
                                     .headers_size = plus.headers_size,
                                     .checksum = spec->checksum,
                                     .subsystem = spec->subsystem,
                                     .dll_characteristics = spec->dll_characteristics,
                                     .stack_and_heap = {0x100000, 0x1000, 0x100000, 0x1000},
                                     .directory_count = spec->directory_count};
    size_t size = spec->is_plus ? sizeof plus : sizeof narrow;
    memcpy(to, spec->is_plus ? (const void *)&plus : (const void *)&narrow, size);
    memcpy(to + size, build->directory, spec->directory_count * sizeof build->directory[0]);
}

static void write_headers(build_t *build, uint32_t symbols_off)
{
    const make_pe_t *spec = build->spec;
    pe_dos_header_t dos = {.magic = PE_DOS_MAGIC, .nt_off = spec->nt_off};
    uint32_t signature = PE_NT_SIGNATURE;
    pe_file_header_t file = {.machine = spec->machine,
                             .section_count = (uint16_t)build->section_count,
                             .symbol_off = symbols_off,
                             .symbol_count = spec->symbols_size / 18,
                             .optional_size = (uint16_t)optional_size(spec),
                             .characteristics = spec->characteristics};
    memcpy(build->bytes, &dos, sizeof dos);
    for (uint32_t i = sizeof dos; i < spec->nt_off; i++)
        build->bytes[i] = 'd'; // the DOS stub
    memcpy(build->bytes + spec->nt_off, &signature, sizeof signature);
    memcpy(build->bytes + spec->nt_off + 4, &file, sizeof file);
    write_optional(build, build->bytes + spec->nt_off + 24);
    uint32_t table_size = build->section_count * (uint32_t)sizeof build->sections[0];
    memcpy(build->bytes + table_off(spec), build->sections, table_size);
    for (uint32_t i = 0; i < spec->junk_after_table; i++)
        build->bytes[table_off(spec) + table_size + i] = 'j';
}

static void bind(build_t *build)
{
    uint32_t off = table_off(build->spec) + build->section_count * (uint32_t)sizeof(pe_section_t);
    static const uint8_t bound[24] = {0xed, 0x5e, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'K'};
    memcpy(build->bytes + off, bound, sizeof bound);
    pe_directory_t directory = {off, sizeof bound};
    uint32_t fixed =
        optional_size(build->spec) - build->spec->directory_count * (uint32_t)sizeof directory;
    memcpy(build->bytes + build->spec->nt_off + 24 + fixed + PE_DIR_BOUND_IMPORT * sizeof directory,
           &directory, sizeof directory);
}

uint32_t make_pe(const make_pe_t *spec, uint8_t *bytes)
{
    static build_t build;
    uint32_t symbols_off = 0;
    uint32_t sections = 3 + spec->extra_sections;
    uint32_t headers = table_off(spec) + sections * (uint32_t)sizeof(pe_section_t);
    memset(bytes, 0, MAKE_PE_CAPACITY);
    build = (build_t){.spec = spec, .bytes = bytes};
    headers += spec->junk_after_table + (spec->is_bound ? 64U : 0);
    build.headers_size =
        spec->headers_size != 0 ? spec->headers_size : align_up(headers, spec->file_alignment);
    build.size = build.headers_size;
    build.next_rva = align_up(build.headers_size, spec->section_alignment);
    add_sections(&build);
    if (spec->symbols_size != 0)
        symbols_off = append_symbols(&build);
    if (spec->overlay_size != 0)
        append(&build, spec->overlay, spec->overlay_size);
    if (spec->certificate_size != 0)
        append_certificate(&build);
    if (build.size > MAKE_PE_CAPACITY)
        return 0;
    write_headers(&build, symbols_off);
    if (spec->is_bound)
        bind(&build);
    if (spec->checksum == 1) {
        uint32_t at = spec->nt_off + 24 + PE_OFF_CHECKSUM;
        uint32_t sum = mj_pe_checksum(bytes, build.size, at);
        memcpy(bytes + at, &sum, sizeof sum);
    }
    return build.size;
}
