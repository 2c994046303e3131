// SPDX-License-Identifier: MIT
// The PE reader: a sound file is read in both widths and both layouts; a file with one wrong field
// gives the status of the check that it must reach.
#include "check.h"

#include "pe/pe.h"
#include "support/make_pe.h"

#define NT_OFF   0xc0U
#define OPTIONAL (NT_OFF + 24)
#define TABLE    (OPTIONAL + 240)

static uint8_t file[MAKE_PE_CAPACITY];
static uint8_t image[MAKE_PE_CAPACITY];
static uint32_t size;

static void make(make_pe_t spec)
{
    size = make_pe(&spec, file);
    REQUIRE(size != 0);
}

static pe_status_t status_of(uint32_t length)
{
    pe_view_t view;
    return pe_view_init(&view, file, length, PE_LAYOUT_FILE);
}

static void set16(uint32_t off, uint16_t value)
{
    memcpy(file + off, &value, sizeof value);
}

static void set32(uint32_t off, uint32_t value)
{
    memcpy(file + off, &value, sizeof value);
}

static pe_view_t file_view(void)
{
    pe_view_t view = {0};
    REQUIRE(pe_view_init(&view, file, size, PE_LAYOUT_FILE) == PE_OK);
    return view;
}

// As the loader would: headers and sections at their addresses.
static void map_image(void)
{
    pe_view_t view = file_view();
    memset(image, 0, sizeof image);
    memcpy(image, file, view.optional.headers_size);
    for (uint32_t i = 0; i < view.file.section_count; i++) {
        pe_section_t section;
        pe_section_at(&view, i, &section);
        memcpy(image + section.rva, file + section.raw_off, section.raw_size);
    }
}

TEST(reads_both_widths)
{
    make(make_pe_default());
    CHECK(file_view().is_plus);
    make(make_pe_default32());
    CHECK(!file_view().is_plus);
}

TEST(finds_the_same_in_a_mapped_module)
{
    make_pe_t spec = make_pe_default();
    pe_view_t view;
    pe_import_t import;
    pe_export_t export;
    spec.export_count = 5;
    make(spec);
    map_image();
    REQUIRE(pe_view_init_module(&view, image) == PE_OK);
    REQUIRE(pe_import_at(&view, 1, &import) == PE_OK);
    CHECK_STR_EQ(import.name, "ntdll.dll");
    REQUIRE(pe_export_find(&view, "f03", &export) == PE_OK);
    CHECK_EQ(export.rva, 0x1003);
}

TEST(says_what_a_foreign_file_is)
{
    make(make_pe_default());
    CHECK_EQ(status_of(0), PE_NO_DOS_HEADER);
    CHECK_EQ(status_of(1), PE_NO_DOS_HEADER);
    CHECK_EQ(status_of(63), PE_TRUNCATED);
    set16(NT_OFF, 0x454e);
    CHECK_EQ(status_of(size), PE_NE_PROGRAM);
    set16(NT_OFF, 0x454c);
    CHECK_EQ(status_of(size), PE_LE_PROGRAM);
    set16(NT_OFF, 0);
    CHECK_EQ(status_of(size), PE_DOS_PROGRAM);
    set16(0, 0x4142);
    CHECK_EQ(status_of(size), PE_NO_DOS_HEADER);
}

TEST(refuses_an_nt_header_outside_the_file)
{
    make(make_pe_default());
    set32(60, size - 3);
    CHECK_EQ(status_of(size), PE_TRUNCATED);
    set32(60, UINT32_MAX);
    CHECK_EQ(status_of(size), PE_TRUNCATED);
}

TEST(refuses_every_cut_of_a_file)
{
    make(make_pe_default());
    unsigned accepted = 0;
    for (uint32_t length = 0; length < size; length++)
        accepted += status_of(length) == PE_OK;
    CHECK_EQ(accepted, 0);
}

TEST(says_when_a_section_is_cut_off)
{
    make(make_pe_default());
    CHECK_EQ(status_of(size - 1), PE_SECTION_OUTSIDE_FILE);
}

TEST(refuses_an_unknown_magic)
{
    make(make_pe_default());
    set16(OPTIONAL, 0x107);
    CHECK_EQ(status_of(size), PE_BAD_OPTIONAL_HEADER);
}

TEST(refuses_an_optional_header_without_room_for_its_directories)
{
    make(make_pe_default());
    set16(NT_OFF + 20, 112 + 15 * 8);
    CHECK_EQ(status_of(size), PE_BAD_OPTIONAL_HEADER);
}

TEST(directories_beyond_the_count_are_absent)
{
    make_pe_t spec = make_pe_default();
    spec.directory_count = 2;
    make(spec);
    CHECK_EQ(pe_directory(&(pe_view_t){0}, PE_DIR_IAT).rva, 0);
    pe_view_t view = file_view();
    CHECK(pe_directory(&view, PE_DIR_IMPORT).rva != 0);
    CHECK_EQ(pe_directory(&view, PE_DIR_IAT).rva, 0);
}

TEST(refuses_alignments_that_are_no_powers_of_two)
{
    make(make_pe_default());
    set32(OPTIONAL + 32, 0x1800);
    CHECK_EQ(status_of(size), PE_BAD_ALIGNMENT);
    set32(OPTIONAL + 32, 0);
    CHECK_EQ(status_of(size), PE_BAD_ALIGNMENT);
    set32(OPTIONAL + 32, 0x100); // below the file alignment
    CHECK_EQ(status_of(size), PE_BAD_ALIGNMENT);
}

TEST(refuses_65535_sections)
{
    make(make_pe_default());
    set16(NT_OFF + 6, 0xffff);
    CHECK_EQ(status_of(size), PE_BAD_SECTION_COUNT);
}

TEST(refuses_a_section_whose_addresses_wrap)
{
    make(make_pe_default());
    set32(TABLE + 8, UINT32_MAX);
    CHECK_EQ(status_of(size), PE_BAD_SECTION);
}

TEST(a_raw_pointer_inside_a_sector_is_rounded_down)
{
    uint32_t off;
    make(make_pe_default());
    pe_view_t before = file_view();
    pe_section_t text;
    pe_section_at(&before, 0, &text);
    set32(TABLE + 20, text.raw_off + 0x10);
    pe_view_t view = file_view();
    REQUIRE(pe_offset_of_rva(&view, text.rva, 1, &off));
    CHECK_EQ(off, text.raw_off);
}

TEST(no_byte_is_readable_behind_the_raw_data)
{
    make_pe_t spec = make_pe_default();
    spec.last_virtual_size = 0x3000;
    make(spec);
    pe_view_t view = file_view();
    pe_section_t data;
    pe_section_at(&view, 2, &data);
    CHECK_EQ(pe_available(&view, data.rva), data.raw_size);
    CHECK(pe_at(&view, data.rva + data.raw_size - 1, 1) != NULL);
    CHECK(pe_at(&view, data.rva + data.raw_size - 1, 2) == NULL);
    CHECK(pe_at(&view, data.rva + data.raw_size, 1) == NULL);
    CHECK(pe_at(&view, UINT32_MAX, UINT32_MAX) == NULL);
}

TEST(a_string_without_end_is_none)
{
    make(make_pe_default());
    memset(file + size - 0x200, 'x', 0x200);
    pe_view_t view = file_view();
    pe_section_t data;
    pe_section_at(&view, 2, &data);
    CHECK(pe_string(&view, data.rva) == NULL);
    file[size - 1] = 0;
    CHECK(pe_string(&view, data.rva) != NULL);
}

TEST(walks_the_imports_to_their_end)
{
    make_pe_t spec = make_pe_default();
    pe_import_t import;
    spec.dlls[2] = "third.dll";
    make(spec);
    pe_view_t view = file_view();
    CHECK_EQ(pe_import_find(&view, "THIRD.DLL", &import), PE_OK);
    CHECK_EQ(import.index, 2);
    CHECK_EQ(pe_import_find(&view, "fourth.dll", &import), PE_NOT_FOUND);
    CHECK_EQ(pe_import_at(&view, 3, &import), PE_END);
}

TEST(reads_names_from_the_address_table_when_there_is_no_other)
{
    make_pe_t spec = make_pe_default32();
    pe_import_t import;
    pe_thunk_t thunk;
    spec.has_lookup = false;
    make(spec);
    pe_view_t view = file_view();
    REQUIRE(pe_import_at(&view, 0, &import) == PE_OK);
    CHECK(!import.has_lookup);
    REQUIRE(pe_thunk_at(&view, &import, 0, &thunk) == PE_OK);
    CHECK_STR_EQ(thunk.name, "ExitProcess");
    CHECK_EQ(thunk.slot_rva, import.iat_rva);
    CHECK_EQ(pe_thunk_at(&view, &import, 1, &thunk), PE_END);
}

TEST(a_wild_import_directory_is_reported)
{
    pe_import_t import;
    make(make_pe_default());
    set32(OPTIONAL + 112 + 8, 0x7ffffff0);
    pe_view_t view = file_view();
    CHECK_EQ(pe_import_at(&view, 0, &import), PE_BAD_IMPORT_DIRECTORY);
    set32(OPTIONAL + 112 + 8, 0xfffffff0);
    view = file_view();
    CHECK_EQ(pe_import_at(&view, 1, &import), PE_BAD_IMPORT_DIRECTORY);
}

TEST(thunks_are_written_as_they_are_read)
{
    uint64_t wide = 0;
    make(make_pe_default());
    pe_view_t view = file_view();
    pe_thunk_put(&view, &wide, 3, true);
    CHECK_EQ(wide, 0x8000000000000003U);
    make(make_pe_default32());
    view = file_view();
    wide = 0;
    pe_thunk_put(&view, &wide, 3, true);
    CHECK_EQ(wide, 0x80000003U);
    CHECK_EQ(pe_thunk_width(&view), 4);
}

TEST(finds_every_export_by_name_and_ordinal)
{
    make_pe_t spec = make_pe_default();
    pe_export_t export;
    spec.export_count = 20;
    make(spec);
    pe_view_t view = file_view();
    for (uint32_t i = 0; i < 19; i++) {
        char name[8];
        snprintf(name, sizeof name, "f%02u", i);
        REQUIRE(pe_export_find(&view, name, &export) == PE_OK);
        CHECK_EQ(export.rva, 0x1000 + i);
        REQUIRE(pe_export_find_ordinal(&view, 7 + i, &export) == PE_OK);
        CHECK_EQ(export.rva, 0x1000 + i);
    }
    CHECK_EQ(pe_export_find(&view, "f20", &export), PE_NOT_FOUND);
    CHECK_EQ(pe_export_find(&view, "", &export), PE_NOT_FOUND);
    CHECK_EQ(pe_export_find_ordinal(&view, 6, &export), PE_NOT_FOUND);
    CHECK_EQ(pe_export_find_ordinal(&view, 27, &export), PE_NOT_FOUND);
}

TEST(reports_forwarders_with_their_text)
{
    make_pe_t spec = make_pe_default();
    pe_export_t export;
    spec.export_count = 2;
    make(spec);
    pe_view_t view = file_view();
    REQUIRE(pe_export_find(&view, "f01", &export) == PE_OK);
    CHECK_STR_EQ(export.forwarder, "other.target");
    REQUIRE(pe_export_name_at(&view, 0, &export) == PE_OK);
    CHECK_STR_EQ(export.name, "f00");
    CHECK(export.forwarder == NULL);
    CHECK_EQ(pe_export_name_at(&view, 2, &export), PE_END);
    CHECK_EQ(pe_export_slot_at(&view, 2, &export), PE_END);
}

TEST(an_image_without_exports_says_so)
{
    pe_export_t export;
    make(make_pe_default());
    pe_view_t view = file_view();
    CHECK_EQ(pe_export_find(&view, "malloc", &export), PE_END);
}

TEST(wild_export_tables_are_reported)
{
    make_pe_t spec = make_pe_default();
    pe_export_t export;
    uint32_t off;
    spec.export_count = 4;
    make(spec);
    pe_view_t view = file_view();
    REQUIRE(pe_offset_of_rva(&view, pe_directory(&view, PE_DIR_EXPORT).rva, 40, &off));
    set32(off + 24, UINT32_MAX); // NumberOfNames
    set32(off + 20, UINT32_MAX); // NumberOfFunctions
    CHECK_EQ(pe_export_find(&view, "zz", &export), PE_BAD_EXPORT_DIRECTORY);
    CHECK_EQ(pe_export_find_ordinal(&view, 0x40000000, &export), PE_BAD_EXPORT_DIRECTORY);
    set32(off + 32, 0xfffffffe); // AddressOfNames
    CHECK_EQ(pe_export_find(&view, "f00", &export), PE_BAD_EXPORT_DIRECTORY);
}

TEST(reads_the_load_flags_of_both_widths)
{
    make_pe_t spec = make_pe_default();
    pe_load_config_t config;
    spec.load_flags = 0x800;
    make(spec);
    pe_view_t view = file_view();
    REQUIRE(pe_load_config(&view, &config) == PE_OK);
    CHECK_EQ(config.dependent_load_flags, 0x800);
    spec = make_pe_default32();
    spec.load_flags = 0x1000;
    make(spec);
    view = file_view();
    REQUIRE(pe_load_config(&view, &config) == PE_OK);
    CHECK_EQ(config.dependent_load_flags, 0x1000);
}

TEST(dll_names_differ_in_more_than_case)
{
    CHECK(pe_same_dll("KERNEL32.dll", "kernel32.DLL"));
    CHECK(!pe_same_dll("kernel32.dll", "kernel32.dl"));
    CHECK(!pe_same_dll("kernel32", "kernel32.dll"));
    CHECK(!pe_same_dll("a@.dll", "a`.dll"));
}

TEST(every_status_has_a_text)
{
    for (unsigned i = 0; i < PE_STATUS_COUNT; i++)
        CHECK(pe_status_text((pe_status_t)i)[0] != '\0');
    CHECK_STR_EQ(pe_status_text((pe_status_t)999), "unknown status");
}

// clang-format off
TEST_MAIN(
    RUN(reads_both_widths)
    RUN(finds_the_same_in_a_mapped_module)
    RUN(says_what_a_foreign_file_is)
    RUN(refuses_an_nt_header_outside_the_file)
    RUN(refuses_every_cut_of_a_file)
    RUN(says_when_a_section_is_cut_off)
    RUN(refuses_an_unknown_magic)
    RUN(refuses_an_optional_header_without_room_for_its_directories)
    RUN(directories_beyond_the_count_are_absent)
    RUN(refuses_alignments_that_are_no_powers_of_two)
    RUN(refuses_65535_sections)
    RUN(refuses_a_section_whose_addresses_wrap)
    RUN(a_raw_pointer_inside_a_sector_is_rounded_down)
    RUN(no_byte_is_readable_behind_the_raw_data)
    RUN(a_string_without_end_is_none)
    RUN(walks_the_imports_to_their_end)
    RUN(reads_names_from_the_address_table_when_there_is_no_other)
    RUN(a_wild_import_directory_is_reported)
    RUN(thunks_are_written_as_they_are_read)
    RUN(finds_every_export_by_name_and_ordinal)
    RUN(reports_forwarders_with_their_text)
    RUN(an_image_without_exports_says_so)
    RUN(wild_export_tables_are_reported)
    RUN(reads_the_load_flags_of_both_widths)
    RUN(dll_names_differ_in_more_than_case)
    RUN(every_status_has_a_text))
