// SPDX-License-Identifier: MIT
// The view: headers are checked once, here, and RVAs become pointers here and nowhere else.
// Whether the image is PE32 or PE32+, a file or mapped, is decided in pe_view_init; pe_import.c and
// pe_export.c build on pe_at and pe_read and need not know.
#include "pe/pe.h"

#include <string.h>

static bool in_bytes(const pe_view_t *view, size_t off, size_t length)
{
    return length <= view->size && off <= view->size - length;
}

static bool is_power_of_two(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

// A file whose second header is not "PE" is of an older format; saying which one helps the user.
static pe_status_t older_format(const uint8_t *magic)
{
    if (magic[0] == 'N' && magic[1] == 'E')
        return PE_NE_PROGRAM;
    if (magic[0] == 'L' && (magic[1] == 'E' || magic[1] == 'X'))
        return PE_LE_PROGRAM;
    return PE_DOS_PROGRAM;
}

static pe_status_t read_nt_headers(pe_view_t *view)
{
    pe_dos_header_t dos;
    if (view->size < 2)
        return PE_NO_DOS_HEADER;
    if (view->base[0] != 'M' || view->base[1] != 'Z')
        return PE_NO_DOS_HEADER;
    if (!in_bytes(view, 0, sizeof dos))
        return PE_TRUNCATED;
    memcpy(&dos, view->base, sizeof dos);
    if (!in_bytes(view, dos.nt_off, 4))
        return PE_TRUNCATED;
    uint32_t signature;
    memcpy(&signature, view->base + dos.nt_off, sizeof signature);
    if (signature != PE_NT_SIGNATURE)
        return older_format(view->base + dos.nt_off);
    // An offset near 4 GiB would wrap the sums below.
    if (!in_bytes(view, dos.nt_off, 4 + sizeof view->file) || dos.nt_off > 0x7fffffffU)
        return PE_TRUNCATED;
    memcpy(&view->file, view->base + dos.nt_off + 4, sizeof view->file);
    view->nt_off = dos.nt_off;
    view->optional_off = dos.nt_off + 4 + (uint32_t)sizeof view->file;
    view->section_off = view->optional_off + view->file.optional_size;
    if (!in_bytes(view, view->optional_off, view->file.optional_size))
        return PE_TRUNCATED;
    return PE_OK;
}

static void take_optional32(pe_view_t *view)
{
    pe_optional_header32_t header;
    memcpy(&header, view->base + view->optional_off, sizeof header);
    view->optional.image_base = header.image_base;
    view->optional.entry_rva = header.entry_rva;
    view->optional.section_alignment = header.section_alignment;
    view->optional.file_alignment = header.file_alignment;
    view->optional.image_size = header.image_size;
    view->optional.headers_size = header.headers_size;
    view->optional.checksum = header.checksum;
    view->optional.subsystem = header.subsystem;
    view->optional.dll_characteristics = header.dll_characteristics;
    view->optional.directory_count = header.directory_count;
    view->directory_off = view->optional_off + (uint32_t)sizeof header;
}

static void take_optional64(pe_view_t *view)
{
    pe_optional_header64_t header;
    memcpy(&header, view->base + view->optional_off, sizeof header);
    view->optional.image_base = header.image_base;
    view->optional.entry_rva = header.entry_rva;
    view->optional.section_alignment = header.section_alignment;
    view->optional.file_alignment = header.file_alignment;
    view->optional.image_size = header.image_size;
    view->optional.headers_size = header.headers_size;
    view->optional.checksum = header.checksum;
    view->optional.subsystem = header.subsystem;
    view->optional.dll_characteristics = header.dll_characteristics;
    view->optional.directory_count = header.directory_count;
    view->directory_off = view->optional_off + (uint32_t)sizeof header;
    view->is_plus = true;
}

static pe_status_t read_optional(pe_view_t *view)
{
    uint16_t magic = 0;
    uint32_t size = view->file.optional_size;
    if (size < sizeof magic)
        return PE_BAD_OPTIONAL_HEADER;
    memcpy(&magic, view->base + view->optional_off, sizeof magic);
    if (magic == PE_MAGIC_32 && size >= sizeof(pe_optional_header32_t))
        take_optional32(view);
    else if (magic == PE_MAGIC_32_PLUS && size >= sizeof(pe_optional_header64_t))
        take_optional64(view);
    else
        return PE_BAD_OPTIONAL_HEADER;

    pe_optional_t *optional = &view->optional;
    optional->directory_count = smaller(optional->directory_count, PE_DIRECTORY_MAX);
    // The loader looks at the count alone; a count that reaches into the section table is a trap.
    uint32_t room = size - (view->directory_off - view->optional_off);
    uint32_t length = optional->directory_count * (uint32_t)sizeof(pe_directory_t);
    if (length > room)
        return PE_BAD_OPTIONAL_HEADER;
    memcpy(optional->directory, view->base + view->directory_off, length);
    return PE_OK;
}

static pe_status_t check_alignment(pe_view_t *view)
{
    const pe_optional_t *optional = &view->optional;
    if (!is_power_of_two(optional->section_alignment) || !is_power_of_two(optional->file_alignment))
        return PE_BAD_ALIGNMENT;
    if (optional->file_alignment > optional->section_alignment)
        return PE_BAD_ALIGNMENT;
    view->is_flat = optional->section_alignment < PE_OS_PAGE;
    return PE_OK;
}

static pe_status_t check_section(const pe_view_t *view, const pe_section_t *section)
{
    uint32_t size = pe_section_virtual_size(section);
    if (size > UINT32_MAX - section->rva)
        return PE_BAD_SECTION;
    if (view->layout == PE_LAYOUT_MAPPED)
        return in_bytes(view, section->rva, size) ? PE_OK : PE_BAD_SECTION;
    if (section->raw_size != 0 && section->raw_off != 0 &&
        !in_bytes(view, section->raw_off, section->raw_size))
        return PE_SECTION_OUTSIDE_FILE;
    return PE_OK;
}

static pe_status_t check_sections(const pe_view_t *view)
{
    uint32_t count = view->file.section_count;
    if (count > PE_SECTION_MAX)
        return PE_BAD_SECTION_COUNT;
    if (!in_bytes(view, view->section_off, count * sizeof(pe_section_t)))
        return PE_TRUNCATED;
    for (uint32_t i = 0; i < count; i++) {
        pe_section_t section;
        pe_section_at(view, i, &section);
        pe_status_t status = check_section(view, &section);
        if (status != PE_OK)
            return status;
    }
    return PE_OK;
}

pe_status_t pe_view_init(pe_view_t *view, const void *base, size_t size, pe_layout_t layout)
{
    memset(view, 0, sizeof *view);
    view->base = base;
    view->size = size;
    view->layout = layout;
    pe_status_t status = read_nt_headers(view);
    if (status == PE_OK)
        status = read_optional(view);
    if (status == PE_OK)
        status = check_alignment(view);
    if (status == PE_OK)
        status = check_sections(view);
    return status;
}

pe_status_t pe_view_init_module(pe_view_t *view, const void *base)
{
    // The loader has checked that the headers lie in the first page, and maps whole OS pages.
    memset(view, 0, sizeof *view);
    view->base = base;
    view->size = PE_OS_PAGE;
    view->layout = PE_LAYOUT_MAPPED;
    pe_status_t status = read_nt_headers(view);
    if (status == PE_OK)
        status = read_optional(view);
    if (status != PE_OK)
        return status;
    return pe_view_init(view, base, view->optional.image_size, PE_LAYOUT_MAPPED);
}

void pe_section_at(const pe_view_t *view, uint32_t index, pe_section_t *section)
{
    memcpy(section, view->base + view->section_off + index * sizeof *section, sizeof *section);
}

uint32_t pe_section_virtual_size(const pe_section_t *section)
{
    return section->virtual_size != 0 ? section->virtual_size : section->raw_size;
}

uint32_t pe_section_mapped_size(const pe_view_t *view, const pe_section_t *section)
{
    uint32_t size = pe_section_virtual_size(section);
    if (view->layout == PE_LAYOUT_MAPPED)
        return size;
    if (section->raw_off == 0)
        return 0;
    // The loader maps whole OS pages, so raw bytes up to the page's end are there as well.
    uint32_t whole =
        size > UINT32_MAX - PE_OS_PAGE ? size : (size + PE_OS_PAGE - 1) & ~(PE_OS_PAGE - 1);
    return smaller(whole, section->raw_size);
}

bool pe_section_of_rva(const pe_view_t *view, uint32_t rva, pe_section_t *section)
{
    for (uint32_t i = 0; i < view->file.section_count; i++) {
        pe_section_at(view, i, section);
        if (rva >= section->rva && rva - section->rva < pe_section_virtual_size(section))
            return true;
    }
    return false;
}

pe_directory_t pe_directory(const pe_view_t *view, enum pe_directory_index index)
{
    return view->optional.directory[index];
}

// The range of bytes from rva to the end of its section or of the headers, in a file.
static uint32_t file_range(const pe_view_t *view, uint32_t rva, uint32_t *off)
{
    for (uint32_t i = 0; i < view->file.section_count && !view->is_flat; i++) {
        pe_section_t section;
        pe_section_at(view, i, &section);
        uint32_t mapped = pe_section_mapped_size(view, &section);
        if (rva < section.rva || rva - section.rva >= mapped)
            continue;
        // The loader reads from whole sectors; a raw pointer inside of one is rounded down.
        *off = (section.raw_off & ~(PE_SECTOR - 1)) + (rva - section.rva);
        return mapped - (rva - section.rva);
    }
    uint32_t limit = view->is_flat ? UINT32_MAX : view->optional.headers_size;
    limit = view->size < limit ? (uint32_t)view->size : limit;
    *off = rva;
    return rva < limit ? limit - rva : 0;
}

static uint32_t range_at(const pe_view_t *view, uint32_t rva, uint32_t *off)
{
    if (view->layout == PE_LAYOUT_FILE)
        return file_range(view, rva, off);
    *off = rva;
    return rva < view->size ? (uint32_t)(view->size - rva) : 0;
}

uint32_t pe_available(const pe_view_t *view, uint32_t rva)
{
    uint32_t off;
    return range_at(view, rva, &off);
}

bool pe_offset_of_rva(const pe_view_t *view, uint32_t rva, uint32_t length, uint32_t *off)
{
    return length <= range_at(view, rva, off);
}

const void *pe_at(const pe_view_t *view, uint32_t rva, uint32_t length)
{
    uint32_t off;
    return pe_offset_of_rva(view, rva, length, &off) ? view->base + off : NULL;
}

bool pe_read(const pe_view_t *view, uint32_t rva, void *to, uint32_t length)
{
    const void *from = pe_at(view, rva, length);
    if (from == NULL)
        return false;
    memcpy(to, from, length);
    return true;
}

const char *pe_string(const pe_view_t *view, uint32_t rva)
{
    uint32_t off;
    uint32_t length = range_at(view, rva, &off);
    const char *text = (const char *)view->base + off;
    for (uint32_t i = 0; i < length; i++) {
        if (text[i] == '\0')
            return text;
    }
    return NULL;
}

int pe_compare(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (int)(uint8_t)*a - (int)(uint8_t)*b;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool pe_same_dll(const char *a, const char *b)
{
    while (*a != '\0' && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return lower(*a) == lower(*b);
}

const char *pe_status_text(pe_status_t status)
{
    static const char *const texts[PE_STATUS_COUNT] = {
        [PE_OK] = "no error",
        [PE_END] = "nothing more",
        [PE_NOT_FOUND] = "not found",
        [PE_TRUNCATED] = "the file ends inside its headers",
        [PE_NO_DOS_HEADER] = "not a Windows program (no MZ header)",
        [PE_DOS_PROGRAM] = "a DOS program or a damaged file (no PE header)",
        [PE_NE_PROGRAM] = "a 16-bit program (NE header)",
        [PE_LE_PROGRAM] = "an OS/2 program or virtual device driver (LE header)",
        [PE_BAD_OPTIONAL_HEADER] = "the optional header is damaged",
        [PE_BAD_ALIGNMENT] = "the section or file alignment is invalid",
        [PE_BAD_SECTION_COUNT] = "more sections than Windows loads",
        [PE_BAD_SECTION] = "a section lies outside the address space of the image",
        [PE_SECTION_OUTSIDE_FILE] = "a section lies behind the end: the file is cut off",
        [PE_BAD_IMPORT_DIRECTORY] = "the import directory is damaged",
        [PE_BAD_THUNK] = "an import table is damaged",
        [PE_BAD_EXPORT_DIRECTORY] = "the export directory is damaged",
    };
    return (unsigned)status < PE_STATUS_COUNT ? texts[status] : "unknown status";
}
