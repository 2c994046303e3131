// SPDX-License-Identifier: MIT
// The rewrite on made files: each has one peculiarity. Every result is verified, injected again and
// restored by inject_bytes; the tests here look at what is particular to the case.
#include "check.h"

#include <stdlib.h>

#include "inject.h"
#include "support/make_pe.h"

static uint8_t file[MAKE_PE_CAPACITY];
static uint32_t file_size;

static injected_t inject_made(const make_pe_t *spec, const mj_options_t *options)
{
    file_size = make_pe(spec, file);
    REQUIRE(file_size != 0);
    injected_t injected = inject_bytes(file, file_size, options);
    CHECK_STR_EQ(injected.broken != NULL ? injected.broken : "", "");
    return injected;
}

static injected_t inject_default(const make_pe_t *spec)
{
    mj_options_t options = options_of(NULL);
    return inject_made(spec, &options);
}

static pe_view_t view_of(const injected_t *injected)
{
    pe_view_t view = {0};
    REQUIRE(injected->status == MJ_OK);
    REQUIRE(pe_view_init(&view, injected->bytes, injected->size, PE_LAYOUT_FILE) == PE_OK);
    return view;
}

static const char *import_name(const pe_view_t *view, uint32_t index)
{
    pe_import_t import;
    return pe_import_at(view, index, &import) == PE_OK ? import.name : "";
}

static void check_room(const make_pe_t *spec, mj_room_t room)
{
    injected_t injected = inject_default(spec);
    CHECK_EQ(injected.status, MJ_OK);
    CHECK_EQ(injected.plan.room, room);
    injected_free(&injected);
}

static void check_refused(const make_pe_t *spec, mj_status_t status)
{
    injected_t injected = inject_default(spec);
    CHECK_EQ(injected.status, status);
    injected_free(&injected);
}

TEST(puts_the_dll_in_front_and_keeps_the_others_in_order)
{
    make_pe_t spec = make_pe_default();
    injected_t injected = inject_default(&spec);
    pe_view_t view = view_of(&injected);
    CHECK_STR_EQ(import_name(&view, 0), "mimalloc-override.dll");
    CHECK_STR_EQ(import_name(&view, 1), "KERNEL32.dll");
    CHECK_STR_EQ(import_name(&view, 2), "ntdll.dll");
    CHECK_STR_EQ(import_name(&view, 3), "");
    injected_free(&injected);
}

TEST(imports_mi_version_by_name)
{
    make_pe_t spec = make_pe_default();
    injected_t injected = inject_default(&spec);
    pe_view_t view = view_of(&injected);
    pe_import_t import;
    pe_thunk_t thunk;
    REQUIRE(pe_import_at(&view, 0, &import) == PE_OK);
    REQUIRE(pe_thunk_at(&view, &import, 0, &thunk) == PE_OK);
    CHECK_STR_EQ(thunk.name, "mi_version");
    injected_free(&injected);
}

TEST(handles_pe32)
{
    make_pe_t spec = make_pe_default32();
    injected_t injected = inject_default(&spec);
    pe_view_t view = view_of(&injected);
    CHECK(!view.is_plus);
    CHECK_STR_EQ(import_name(&view, 0), "mimalloc-override.dll");
    injected_free(&injected);
}

TEST(handles_arm64)
{
    make_pe_t spec = make_pe_default();
    spec.machine = PE_MACHINE_ARM64;
    check_room(&spec, MJ_ROOM_SLOT);
}

TEST(handles_a_dll)
{
    make_pe_t spec = make_pe_default();
    spec.characteristics |= PE_FILE_DLL;
    spec.export_count = 3;
    check_room(&spec, MJ_ROOM_SLOT);
}

TEST(several_dlls_come_in_the_order_given)
{
    make_pe_t spec = make_pe_default();
    mj_options_t options = options_of("--dll=b.dll:start", "--dll=a.dll", NULL);
    injected_t injected = inject_made(&spec, &options);
    pe_view_t view = view_of(&injected);
    pe_import_t import;
    pe_thunk_t thunk;
    CHECK_STR_EQ(import_name(&view, 0), "b.dll");
    REQUIRE(pe_import_at(&view, 1, &import) == PE_OK);
    CHECK_STR_EQ(import.name, "a.dll");
    REQUIRE(pe_thunk_at(&view, &import, 0, &thunk) == PE_OK);
    CHECK(thunk.is_ordinal);
    CHECK_EQ(thunk.ordinal, 1);
    injected_free(&injected);
}

TEST(a_dll_that_is_imported_later_moves_to_the_front)
{
    make_pe_t spec = make_pe_default();
    spec.dlls[2] = "MIMALLOC-override.DLL";
    injected_t injected = inject_default(&spec);
    pe_view_t view = view_of(&injected);
    CHECK_STR_EQ(import_name(&view, 0), "MIMALLOC-override.DLL");
    CHECK_STR_EQ(import_name(&view, 1), "KERNEL32.dll");
    CHECK_STR_EQ(import_name(&view, 3), "");
    CHECK_EQ(injected.plan.new_count, 0);
    injected_free(&injected);
}

TEST(nothing_is_done_when_it_is_first_already)
{
    make_pe_t spec = make_pe_default();
    spec.dlls[1] = "KERNEL32.dll";
    spec.dlls[0] = "mimalloc-override.dll";
    check_refused(&spec, MJ_ALREADY);
}

TEST(the_redirect_before_it_counts_as_first)
{
    make_pe_t spec = make_pe_default();
    spec.dlls[0] = "mimalloc-redirect.dll";
    spec.dlls[1] = "mimalloc-override.dll";
    spec.dlls[2] = "KERNEL32.dll";
    check_refused(&spec, MJ_ALREADY);
}

TEST(a_program_without_imports_gets_its_first)
{
    make_pe_t spec = make_pe_default();
    spec.dlls[0] = NULL;
    injected_t injected = inject_default(&spec);
    pe_view_t view = view_of(&injected);
    CHECK_STR_EQ(import_name(&view, 0), "mimalloc-override.dll");
    CHECK_STR_EQ(import_name(&view, 1), "");
    injected_free(&injected);
}

TEST(a_wrong_import_directory_size_is_ignored_as_the_loader_does)
{
    make_pe_t spec = make_pe_default();
    spec.import_size = 0;
    injected_t injected = inject_default(&spec);
    pe_view_t view = view_of(&injected);
    CHECK_STR_EQ(import_name(&view, 2), "ntdll.dll");
    CHECK_EQ(pe_directory(&view, PE_DIR_IMPORT).size, 4 * sizeof(pe_import_descriptor_t));
    injected_free(&injected);
}

TEST(a_missing_lookup_table_stays_missing)
{
    make_pe_t spec = make_pe_default();
    spec.has_lookup = false;
    injected_t injected = inject_default(&spec);
    pe_view_t view = view_of(&injected);
    pe_import_t import;
    REQUIRE(pe_import_at(&view, 1, &import) == PE_OK);
    CHECK(!import.has_lookup);
    injected_free(&injected);
}

TEST(without_an_address_table_directory_the_old_imports_stay_writable_for_the_loader)
{
    make_pe_t spec = make_pe_default();
    spec.has_iat_directory = false;
    injected_t injected = inject_default(&spec);
    pe_view_t view = view_of(&injected);
    pe_section_t rdata;
    pe_section_at(&view, 1, &rdata);
    CHECK_EQ(pe_directory(&view, PE_DIR_IAT).rva, rdata.rva);
    CHECK_EQ(pe_directory(&view, PE_DIR_IAT).size, rdata.virtual_size);
    injected_free(&injected);
}

TEST(with_too_few_directories_the_section_of_the_imports_becomes_writable)
{
    make_pe_t spec = make_pe_default();
    spec.has_iat_directory = false;
    spec.directory_count = 6;
    injected_t injected = inject_default(&spec);
    pe_view_t view = view_of(&injected);
    pe_section_t rdata;
    pe_section_at(&view, 1, &rdata);
    CHECK((rdata.characteristics & PE_SECTION_WRITE) != 0);
    injected_free(&injected);
}

TEST(bound_imports_are_unbound)
{
    make_pe_t spec = make_pe_default();
    spec.is_bound = true;
    injected_t injected = inject_default(&spec);
    pe_view_t view = view_of(&injected);
    pe_import_t import;
    REQUIRE(pe_import_at(&view, 1, &import) == PE_OK);
    CHECK_EQ(import.descriptor.timestamp, 0);
    CHECK_EQ(pe_directory(&view, PE_DIR_BOUND_IMPORT).rva, 0);
    injected_free(&injected);
}

TEST(a_checksum_is_made_right_and_none_stays_none)
{
    make_pe_t spec = make_pe_default();
    injected_t without = inject_default(&spec);
    CHECK_EQ(view_of(&without).optional.checksum, 0);
    injected_free(&without);
    spec.checksum = 1;
    injected_t with = inject_default(&spec);
    pe_view_t view = view_of(&with);
    uint32_t off = view.optional_off + PE_OFF_CHECKSUM;
    CHECK(view.optional.checksum != 0);
    CHECK_EQ(view.optional.checksum, mj_pe_checksum(with.bytes, with.size, off));
    injected_free(&with);
}

TEST(a_signature_is_taken_out_of_the_directory)
{
    make_pe_t spec = make_pe_default();
    spec.certificate_size = 0x300;
    injected_t injected = inject_default(&spec);
    pe_view_t view = view_of(&injected);
    CHECK_EQ(pe_directory(&view, PE_DIR_CERTIFICATE).rva, 0);
    injected_free(&injected);
}

TEST(an_overlay_stays_where_it_is)
{
    make_pe_t spec = make_pe_default();
    spec.overlay = "appended data";
    spec.overlay_size = 13;
    injected_t injected = inject_default(&spec);
    REQUIRE(injected.status == MJ_OK);
    CHECK_EQ(memcmp(injected.bytes + file_size - 13, "appended data", 13), 0);
    CHECK(injected.plan.blob_off >= file_size);
    injected_free(&injected);
}

TEST(symbols_behind_the_sections_stay_where_they_are)
{
    make_pe_t spec = make_pe_default();
    spec.symbols_size = 18 * 10;
    injected_t injected = inject_default(&spec);
    pe_view_t view = view_of(&injected);
    CHECK_EQ(memcmp(injected.bytes + view.file.symbol_off, ".file", 5), 0);
    injected_free(&injected);
}

// The end record of an empty zip archive, with a comment of two bytes.
#define ZIP_END "PK\005\006\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\002\0hi"

TEST(a_zip_archive_still_ends_with_the_file)
{
    make_pe_t spec = make_pe_default();
    uint16_t comment;
    spec.overlay = ZIP_END;
    spec.overlay_size = 24;
    injected_t injected = inject_default(&spec);
    REQUIRE(injected.status == MJ_OK);
    memcpy(&comment, injected.bytes + file_size - 4, sizeof comment);
    CHECK_EQ(file_size - 2 + comment, injected.size);
    injected_free(&injected);
}

TEST(a_zip_archive_that_did_not_end_with_the_file_stays_as_it_is)
{
    make_pe_t spec = make_pe_default();
    uint16_t comment;
    spec.overlay = ZIP_END "...";
    spec.overlay_size = 27;
    injected_t injected = inject_default(&spec);
    REQUIRE(injected.status == MJ_OK);
    memcpy(&comment, injected.bytes + file_size - 7, sizeof comment);
    CHECK_EQ(comment, 2);
    injected_free(&injected);
}

#define NSIS_START "\0\0\0\0\xef\xbe\xad\xdeNullsoftInst....data"

static uint32_t crc32(const uint8_t *bytes, uint32_t size)
{
    uint32_t crc = 0xffffffffU;
    for (uint32_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xedb88320U & (0U - (crc & 1)));
    }
    return ~crc;
}

TEST(an_installers_checksum_over_its_headers_still_holds)
{
    make_pe_t spec = make_pe_default();
    spec.overlay = NSIS_START;
    spec.overlay_size = 28;
    spec.extra_sections = 6; // the section table reaches behind offset 512
    injected_t injected = inject_default(&spec);
    REQUIRE(injected.status == MJ_OK);
    CHECK(memcmp(injected.bytes + 512, file + 512, 0x200) != 0);
    CHECK_EQ(crc32(injected.bytes + 512, file_size - 512), crc32(file + 512, file_size - 512));
    injected_free(&injected);
}

TEST(an_installer_without_room_for_the_adjustment_is_refused)
{
    make_pe_t spec = make_pe_default();
    spec.overlay = NSIS_START;
    spec.overlay_size = 28;
    spec.extra_sections = 6;
    spec.junk_after_table = 16;
    spec.nt_off = 0x40;
    check_refused(&spec, MJ_OVERLAY_CHECKED);
}

// ---- room for the section header ----

TEST(uses_a_free_slot)
{
    make_pe_t spec = make_pe_default();
    check_room(&spec, MJ_ROOM_SLOT);
}

TEST(uses_the_place_of_the_bound_imports_as_a_slot)
{
    make_pe_t spec = make_pe_default();
    spec.is_bound = true;
    spec.nt_off = 0x40;
    check_room(&spec, MJ_ROOM_SLOT);
}

TEST(without_a_slot_the_headers_move_over_the_dos_stub)
{
    make_pe_t spec = make_pe_default();
    spec.junk_after_table = 16;
    injected_t injected = inject_default(&spec);
    pe_view_t view = view_of(&injected);
    CHECK_EQ(injected.plan.room, MJ_ROOM_STUB);
    CHECK_EQ(view.nt_off, 0xc0 - sizeof(pe_section_t));
    injected_free(&injected);
}

TEST(without_slot_and_stub_the_last_section_grows)
{
    make_pe_t spec = make_pe_default();
    spec.junk_after_table = 16;
    spec.nt_off = 0x40;
    injected_t injected = inject_default(&spec);
    pe_view_t view = view_of(&injected);
    CHECK_EQ(injected.plan.room, MJ_ROOM_LAST_SECTION);
    CHECK_EQ(view.file.section_count, 3);
    injected_free(&injected);
}

TEST(a_last_section_with_more_memory_than_data_can_grow)
{
    make_pe_t spec = make_pe_default();
    spec.junk_after_table = 16;
    spec.nt_off = 0x40;
    spec.last_virtual_size = 0x5000;
    injected_t injected = inject_default(&spec);
    REQUIRE(injected.status == MJ_OK);
    CHECK_EQ(injected.plan.room, MJ_ROOM_LAST_SECTION);
    CHECK(injected.plan.blob_rva >= 0x3000 + 0x5000);
    injected_free(&injected);
}

TEST(a_last_section_with_more_memory_than_data_needs_no_care_with_a_slot)
{
    make_pe_t spec = make_pe_default();
    spec.last_virtual_size = 0x5000;
    injected_t injected = inject_default(&spec);
    REQUIRE(injected.status == MJ_OK);
    CHECK_EQ(injected.plan.section.rva, 0x3000 + 0x5000);
    injected_free(&injected);
}

// Fills the header block exactly: 64 + 24 + 240 + 40 n = 0x200 has no whole n, so junk fills the rest.
static make_pe_t make_full_headers(void)
{
    make_pe_t spec = make_pe_default();
    spec.nt_off = 0x40;
    spec.last_is_code = true;
    spec.junk_after_table = 0x200 - (0x40 + 24 + 240 + 3 * 40);
    return spec;
}

TEST(code_never_becomes_writable)
{
    make_pe_t spec = make_full_headers();
    spec.junk_after_table = 0x20;
    check_refused(&spec, MJ_NO_ROOM);
}

TEST(full_headers_push_the_first_section_to_the_end_when_the_last_is_code)
{
    make_pe_t spec = make_full_headers();
    spec.junk_after_table = 0;
    spec.extra_sections = 1; // 64 + 24 + 240 + 4 * 40 leaves 24 bytes
    injected_t injected = inject_default(&spec);
    pe_view_t view = view_of(&injected);
    pe_section_t text;
    CHECK_EQ(injected.plan.room, MJ_ROOM_MOVED_DATA);
    pe_section_at(&view, 0, &text);
    CHECK(text.raw_off >= file_size);
    CHECK_EQ(injected.bytes[text.raw_off], 0x48);
    CHECK_EQ(view.optional.headers_size, 0x400);
    injected_free(&injected);
}

// The room for moved data is looked for up to the headers' end, and directories may lie there.
TEST(full_headers_that_claim_to_be_larger_than_the_file_are_refused)
{
    make_pe_t spec = make_full_headers();
    spec.junk_after_table = 0;
    spec.extra_sections = 1;
    file_size = make_pe(&spec, file);
    uint32_t headers_size = file_size + 1;
    memcpy(file + 0x40 + 24 + PE_OFF_HEADERS_SIZE, &headers_size, sizeof headers_size);
    uint32_t table_end = 0x40 + 24 + 240 + 4 * (uint32_t)sizeof(pe_section_t);
    memset(file + table_end, 0, file_size - table_end);
    uint8_t *exact = malloc(file_size); // so that a sanitizer sees a read behind its end
    REQUIRE(exact != NULL);
    memcpy(exact, file, file_size);
    mj_options_t options = options_of(NULL);
    injected_t injected = inject_bytes(exact, file_size, &options);
    CHECK_EQ(injected.status, MJ_BAD_IMAGE_LAYOUT);
    injected_free(&injected);
    free(exact);
}

TEST(ninety_six_sections_stay_ninety_six)
{
    make_pe_t spec = make_pe_default();
    spec.extra_sections = 93;
    injected_t injected = inject_default(&spec);
    CHECK_EQ(view_of(&injected).file.section_count, 96);
    CHECK_EQ(injected.plan.room, MJ_ROOM_LAST_SECTION);
    injected_free(&injected);
}

TEST(ninety_five_sections_become_ninety_six)
{
    make_pe_t spec = make_pe_default();
    spec.extra_sections = 92;
    injected_t injected = inject_default(&spec);
    CHECK_EQ(view_of(&injected).file.section_count, 96);
    CHECK_EQ(injected.plan.room, MJ_ROOM_SLOT);
    injected_free(&injected);
}

// ---- alignments ----

TEST(takes_a_file_alignment_of_a_page)
{
    make_pe_t spec = make_pe_default();
    spec.file_alignment = 0x1000;
    injected_t injected = inject_default(&spec);
    CHECK_EQ(injected.plan.blob_off % 0x1000, 0);
    injected_free(&injected);
}

TEST(takes_a_section_alignment_of_64_kib)
{
    make_pe_t spec = make_pe_default();
    spec.section_alignment = 0x10000;
    injected_t injected = inject_default(&spec);
    CHECK_EQ(injected.plan.blob_rva % 0x10000, 0);
    injected_free(&injected);
}

TEST(in_a_flat_image_address_and_offset_stay_the_same)
{
    make_pe_t spec = make_pe_default();
    spec.section_alignment = 0x200;
    spec.overlay = "appended data";
    spec.overlay_size = 13;
    injected_t injected = inject_default(&spec);
    REQUIRE(injected.status == MJ_OK);
    CHECK_EQ(injected.plan.blob_rva, injected.plan.blob_off);
    injected_free(&injected);
}

TEST(headers_larger_than_needed_are_kept)
{
    make_pe_t spec = make_pe_default();
    spec.headers_size = 0x1000;
    injected_t injected = inject_default(&spec);
    CHECK_EQ(view_of(&injected).optional.headers_size, 0x1000);
    injected_free(&injected);
}

TEST(overlapping_sections_are_refused)
{
    make_pe_t spec = make_pe_default();
    file_size = make_pe(&spec, file);
    uint32_t rva = 0x2000; // of .data, now that of .rdata
    memcpy(file + 0xc0 + 24 + 240 + 2 * sizeof(pe_section_t) + 12, &rva, sizeof rva);
    mj_options_t options = options_of(NULL);
    CHECK_EQ(inject_bytes(file, file_size, &options).status, MJ_BAD_IMAGE_LAYOUT);
}

// The headers are full, so that the last section moves; its raw data is where the test puts it.
static void check_shared_data(uint32_t raw_off, uint32_t raw_size)
{
    make_pe_t spec = make_pe_default();
    spec.junk_after_table = 16;
    spec.nt_off = 0x40;
    file_size = make_pe(&spec, file);
    uint8_t *last = file + 0x40 + 24 + 240 + 2 * sizeof(pe_section_t);
    memcpy(last + offsetof(pe_section_t, raw_off), &raw_off, sizeof raw_off);
    memcpy(last + offsetof(pe_section_t, raw_size), &raw_size, sizeof raw_size);
    mj_options_t options = options_of(NULL);
    injected_t injected = inject_bytes(file, file_size, &options);
    CHECK_STR_EQ(injected.broken != NULL ? injected.broken : "", "");
    REQUIRE(injected.status == MJ_OK);
    CHECK_EQ(injected.plan.room, MJ_ROOM_LAST_SECTION);
    // Everything behind the headers is where it was, and the moved copy is what the section had.
    CHECK_EQ(memcmp(injected.bytes + 0x200, file + 0x200, file_size - 0x200), 0);
    CHECK_EQ(memcmp(injected.bytes + injected.plan.section.raw_off, file + raw_off, raw_size), 0);
    injected_free(&injected);
}

TEST(raw_data_that_sections_share_stays_whole)
{
    check_shared_data(0x400, 0x400); // all of .rdata's, and on into .data's own
}

TEST(raw_data_out_of_order_stays_whole)
{
    check_shared_data(0x200, 0x200); // .text's, before all others
}

// ARM64X: what the system's fixups change when the image is loaded into an x64 process.
static make_pe_t make_hybrid(uint32_t target)
{
    make_pe_t spec = make_pe_default();
    spec.machine = PE_MACHINE_ARM64;
    spec.hybrid_target = target;
    return spec;
}

TEST(a_hybrid_image_whose_entry_point_changes_is_fine)
{
    make_pe_t spec = make_hybrid(0xc0 + 24 + 16);
    check_room(&spec, MJ_ROOM_SLOT);
}

TEST(a_hybrid_image_whose_imports_change_is_refused)
{
    make_pe_t spec = make_hybrid(0xc0 + 24 + 112 + PE_DIR_IMPORT * 8);
    check_refused(&spec, MJ_HYBRID_HEADERS);
}

TEST(the_headers_of_a_hybrid_image_do_not_move)
{
    make_pe_t spec = make_hybrid(0xc0 + 24 + 16);
    spec.junk_after_table = 16;
    check_room(&spec, MJ_ROOM_LAST_SECTION);
}

TEST(a_last_section_that_only_claims_to_have_data_is_not_spelled_out)
{
    make_pe_t spec = make_full_headers();
    spec.last_is_code = false;
    file_size = make_pe(&spec, file);
    uint32_t claim[3] = {0, 0x3000, 0x3c000000}; // virtual size, address, raw size
    uint32_t none = 0;
    memcpy(file + 0x40 + 24 + 240 + 2 * sizeof(pe_section_t) + 8, claim, sizeof claim);
    memcpy(file + 0x40 + 24 + 240 + 2 * sizeof(pe_section_t) + 20, &none, sizeof none);
    mj_options_t options = options_of(NULL);
    CHECK_EQ(inject_bytes(file, file_size, &options).status, MJ_NO_ROOM);
}

TEST(forcing_clears_what_would_keep_the_result_from_starting)
{
    make_pe_t spec = make_pe_default();
    spec.dll_characteristics = PE_DLL_FORCE_INTEGRITY;
    spec.load_flags = 0x800;
    mj_options_t options = options_of("--force", NULL);
    injected_t injected = inject_made(&spec, &options);
    pe_view_t view = view_of(&injected);
    pe_load_config_t config;
    REQUIRE(pe_load_config(&view, &config) == PE_OK);
    CHECK_EQ(config.dependent_load_flags, 0);
    CHECK_EQ(view.optional.dll_characteristics & PE_DLL_FORCE_INTEGRITY, 0);
    injected_free(&injected);
}

// clang-format off
TEST_MAIN(
    RUN(puts_the_dll_in_front_and_keeps_the_others_in_order)
    RUN(imports_mi_version_by_name)
    RUN(handles_pe32)
    RUN(handles_arm64)
    RUN(handles_a_dll)
    RUN(several_dlls_come_in_the_order_given)
    RUN(a_dll_that_is_imported_later_moves_to_the_front)
    RUN(nothing_is_done_when_it_is_first_already)
    RUN(the_redirect_before_it_counts_as_first)
    RUN(a_program_without_imports_gets_its_first)
    RUN(a_wrong_import_directory_size_is_ignored_as_the_loader_does)
    RUN(a_missing_lookup_table_stays_missing)
    RUN(without_an_address_table_directory_the_old_imports_stay_writable_for_the_loader)
    RUN(with_too_few_directories_the_section_of_the_imports_becomes_writable)
    RUN(bound_imports_are_unbound)
    RUN(a_checksum_is_made_right_and_none_stays_none)
    RUN(a_signature_is_taken_out_of_the_directory)
    RUN(an_overlay_stays_where_it_is)
    RUN(symbols_behind_the_sections_stay_where_they_are)
    RUN(a_zip_archive_still_ends_with_the_file)
    RUN(a_zip_archive_that_did_not_end_with_the_file_stays_as_it_is)
    RUN(an_installers_checksum_over_its_headers_still_holds)
    RUN(an_installer_without_room_for_the_adjustment_is_refused)
    RUN(uses_a_free_slot)
    RUN(uses_the_place_of_the_bound_imports_as_a_slot)
    RUN(without_a_slot_the_headers_move_over_the_dos_stub)
    RUN(without_slot_and_stub_the_last_section_grows)
    RUN(a_last_section_with_more_memory_than_data_can_grow)
    RUN(a_last_section_with_more_memory_than_data_needs_no_care_with_a_slot)
    RUN(code_never_becomes_writable)
    RUN(full_headers_push_the_first_section_to_the_end_when_the_last_is_code)
    RUN(full_headers_that_claim_to_be_larger_than_the_file_are_refused)
    RUN(ninety_six_sections_stay_ninety_six)
    RUN(ninety_five_sections_become_ninety_six)
    RUN(takes_a_file_alignment_of_a_page)
    RUN(takes_a_section_alignment_of_64_kib)
    RUN(in_a_flat_image_address_and_offset_stay_the_same)
    RUN(headers_larger_than_needed_are_kept)
    RUN(overlapping_sections_are_refused)
    RUN(raw_data_that_sections_share_stays_whole)
    RUN(raw_data_out_of_order_stays_whole)
    RUN(a_hybrid_image_whose_entry_point_changes_is_fine)
    RUN(a_hybrid_image_whose_imports_change_is_refused)
    RUN(the_headers_of_a_hybrid_image_do_not_move)
    RUN(a_last_section_that_only_claims_to_have_data_is_not_spelled_out)
    RUN(forcing_clears_what_would_keep_the_result_from_starting))
