// SPDX-License-Identifier: MIT
// Which files are refused and why: a sound file with one field changed reaches exactly one reason.
#include "check.h"

#include "inject.h"
#include "support/make_pe.h"

static uint8_t file[MAKE_PE_CAPACITY];

static mj_status_t status_with(const make_pe_t *spec, const char *option)
{
    mj_options_t options = options_of(option, NULL);
    uint32_t size = make_pe(spec, file);
    REQUIRE(size != 0);
    injected_t injected = inject_bytes(file, size, &options);
    CHECK_STR_EQ(injected.broken != NULL ? injected.broken : "", "");
    injected_free(&injected);
    return injected.status;
}

static void check_refused(const make_pe_t *spec, mj_status_t status)
{
    CHECK_EQ(status_with(spec, NULL), status);
    CHECK_EQ(status_with(spec, "--force"), mj_status_yields_to_force(status) ? MJ_OK : status);
}

static mj_facts_t facts_of(const make_pe_t *spec)
{
    pe_view_t view;
    mj_facts_t facts = {0};
    uint32_t size = make_pe(spec, file);
    REQUIRE(pe_view_init(&view, file, size, PE_LAYOUT_FILE) == PE_OK);
    REQUIRE(mj_facts_gather(&view, &facts) == PE_OK);
    return facts;
}

TEST(drivers_are_refused)
{
    make_pe_t spec = make_pe_default();
    spec.subsystem = PE_SUBSYSTEM_NATIVE;
    check_refused(&spec, MJ_NATIVE);
}

TEST(firmware_is_refused)
{
    make_pe_t spec = make_pe_default();
    spec.subsystem = PE_SUBSYSTEM_EFI_FIRST;
    check_refused(&spec, MJ_FIRMWARE);
    spec.subsystem = PE_SUBSYSTEM_BOOT;
    check_refused(&spec, MJ_FIRMWARE);
}

TEST(other_subsystems_are_refused)
{
    make_pe_t spec = make_pe_default();
    spec.subsystem = 7;
    check_refused(&spec, MJ_OTHER_SUBSYSTEM);
}

TEST(other_machines_are_refused)
{
    make_pe_t spec = make_pe_default();
    spec.machine = PE_MACHINE_ARMNT;
    check_refused(&spec, MJ_UNKNOWN_MACHINE);
}

TEST(managed_code_alone_is_refused_for_ever)
{
    make_pe_t spec = make_pe_default();
    spec.clr_flags = PE_CLR_IL_ONLY;
    check_refused(&spec, MJ_IL_ONLY);
}

TEST(mixed_code_is_refused_unless_forced)
{
    make_pe_t spec = make_pe_default();
    spec.clr_flags = 0x10;
    check_refused(&spec, MJ_MIXED_MODE);
}

TEST(demanded_integrity_is_refused_unless_forced)
{
    make_pe_t spec = make_pe_default();
    spec.dll_characteristics = PE_DLL_FORCE_INTEGRITY;
    check_refused(&spec, MJ_FORCE_INTEGRITY);
}

TEST(app_containers_are_refused_unless_forced)
{
    make_pe_t spec = make_pe_default();
    spec.dll_characteristics = PE_DLL_APPCONTAINER;
    check_refused(&spec, MJ_APP_CONTAINER);
}

TEST(a_search_in_system32_alone_is_refused_unless_forced)
{
    make_pe_t spec = make_pe_default();
    spec.load_flags = 0x800;
    check_refused(&spec, MJ_SYSTEM32_ONLY);
    spec = make_pe_default32();
    spec.load_flags = 0x800;
    check_refused(&spec, MJ_SYSTEM32_ONLY);
}

TEST(a_search_that_includes_the_program_folder_is_fine)
{
    make_pe_t spec = make_pe_default();
    spec.load_flags = 0xa00;
    CHECK_EQ(status_with(&spec, NULL), MJ_OK);
    spec.load_flags = 0x1000;
    CHECK_EQ(status_with(&spec, NULL), MJ_OK);
}

static void set_overlay(make_pe_t *spec, const char *bytes, uint32_t size)
{
    spec->overlay = bytes;
    spec->overlay_size = size;
}

TEST(overlays_found_from_the_end_are_refused_unless_forced)
{
    make_pe_t spec = make_pe_default();
    set_overlay(&spec, "pack....GDPC", 12);
    check_refused(&spec, MJ_OVERLAY_AT_END);
    CHECK_STR_EQ(facts_of(&spec).overlay_name, "Godot game");
}

TEST(overlays_found_behind_the_sections_are_refused_unless_forced)
{
    make_pe_t spec = make_pe_default();
    set_overlay(&spec, "InstallShield....", 17);
    check_refused(&spec, MJ_OVERLAY_BY_SECTIONS);
}

TEST(overlays_found_by_searching_are_fine)
{
    make_pe_t spec = make_pe_default();
    set_overlay(&spec, "....PK\005\006................", 22);
    CHECK_EQ(status_with(&spec, NULL), MJ_OK);
    CHECK_EQ(facts_of(&spec).overlay, MJ_OVERLAY_BY_OFFSET);
    set_overlay(&spec, "\0\0\0\0\xef\xbe\xad\xdeNullsoftInst....", 24);
    CHECK_STR_EQ(facts_of(&spec).overlay_name, "NSIS installer");
}

TEST(unknown_overlays_are_kept)
{
    make_pe_t spec = make_pe_default();
    set_overlay(&spec, "something", 9);
    CHECK_EQ(facts_of(&spec).overlay, MJ_OVERLAY_UNKNOWN);
    CHECK_EQ(facts_of(&spec).overlay_size, 9);
    CHECK_EQ(status_with(&spec, NULL), MJ_OK);
}

TEST(a_signature_is_no_overlay)
{
    make_pe_t spec = make_pe_default();
    spec.certificate_size = 0x100;
    CHECK_EQ(facts_of(&spec).overlay, MJ_OVERLAY_NONE);
    CHECK(facts_of(&spec).is_signed);
}

TEST(symbols_are_no_overlay)
{
    make_pe_t spec = make_pe_default();
    spec.symbols_size = 180;
    CHECK_EQ(facts_of(&spec).overlay, MJ_OVERLAY_NONE);
}

TEST(the_runtime_is_the_one_that_matters_most)
{
    make_pe_t spec = make_pe_default();
    CHECK_EQ(facts_of(&spec).runtime, MJ_RUNTIME_NONE);
    spec.dlls[2] = "MSVCRT.dll";
    CHECK_EQ(facts_of(&spec).runtime, MJ_RUNTIME_MSVCRT);
    spec.dlls[3] = "api-ms-win-crt-heap-l1-1-0.dll";
    CHECK_EQ(facts_of(&spec).runtime, MJ_RUNTIME_UCRT);
    CHECK_STR_EQ(facts_of(&spec).runtime_name, "api-ms-win-crt-heap-l1-1-0.dll");
    spec.dlls[3] = "msvcr120.dll";
    CHECK_EQ(facts_of(&spec).runtime, MJ_RUNTIME_MSVCR);
    spec.dlls[3] = "ucrtbased.dll";
    CHECK_EQ(facts_of(&spec).runtime, MJ_RUNTIME_UCRT_DEBUG);
}

TEST(each_machine_has_its_redirect)
{
    CHECK_STR_EQ(mj_redirect_name(PE_MACHINE_AMD64), "mimalloc-redirect.dll");
    CHECK_STR_EQ(mj_redirect_name(PE_MACHINE_I386), "mimalloc-redirect32.dll");
    CHECK_STR_EQ(mj_redirect_name(PE_MACHINE_ARM64), "mimalloc-redirect-arm64.dll");
    CHECK(mj_redirect_name(PE_MACHINE_ARMNT) == NULL);
    CHECK(mj_is_redirect_name("MIMALLOC-redirect32.dll"));
    CHECK(!mj_is_redirect_name("mimalloc-override.dll"));
}

// clang-format off
TEST_MAIN(
    RUN(drivers_are_refused)
    RUN(firmware_is_refused)
    RUN(other_subsystems_are_refused)
    RUN(other_machines_are_refused)
    RUN(managed_code_alone_is_refused_for_ever)
    RUN(mixed_code_is_refused_unless_forced)
    RUN(demanded_integrity_is_refused_unless_forced)
    RUN(app_containers_are_refused_unless_forced)
    RUN(a_search_in_system32_alone_is_refused_unless_forced)
    RUN(a_search_that_includes_the_program_folder_is_fine)
    RUN(overlays_found_from_the_end_are_refused_unless_forced)
    RUN(overlays_found_behind_the_sections_are_refused_unless_forced)
    RUN(overlays_found_by_searching_are_fine)
    RUN(unknown_overlays_are_kept)
    RUN(a_signature_is_no_overlay)
    RUN(symbols_are_no_overlay)
    RUN(the_runtime_is_the_one_that_matters_most)
    RUN(each_machine_has_its_redirect))
