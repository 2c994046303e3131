// SPDX-License-Identifier: MIT
// What a file is: gathered once, so that the policy, the plan and --check decide on the same facts.
// Nothing here judges.
#include "minject/minject.h"

#include <string.h>

static const struct {
    uint16_t machine;
    const char *name;
    const char *redirect;
} machines[] = {
    {PE_MACHINE_AMD64, "x64", "mimalloc-redirect.dll"},
    {PE_MACHINE_I386, "x86", "mimalloc-redirect32.dll"},
    {PE_MACHINE_ARM64, "ARM64", "mimalloc-redirect-arm64.dll"},
};

const char *mj_redirect_name(uint16_t machine)
{
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++) {
        if (machines[i].machine == machine)
            return machines[i].redirect;
    }
    return NULL;
}

const char *mj_machine_name(uint16_t machine)
{
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++) {
        if (machines[i].machine == machine)
            return machines[i].name;
    }
    return machine == PE_MACHINE_ARMNT ? "ARM (32-bit)" : "unknown";
}

bool mj_is_redirect_name(const char *dll)
{
    // The closed redirect has a name of its own for ARM64EC.
    if (pe_same_dll(dll, "mimalloc-redirect-arm64ec.dll"))
        return true;
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++) {
        if (pe_same_dll(dll, machines[i].redirect))
            return true;
    }
    return false;
}

static bool begins_with(const char *text, const char *start)
{
    char head[32];
    size_t length = strlen(start);
    if (length >= sizeof head || strlen(text) < length)
        return false;
    memcpy(head, text, length);
    head[length] = '\0';
    return pe_same_dll(head, start);
}

static mj_runtime_t runtime_of(const char *dll)
{
    if (pe_same_dll(dll, "ucrtbased.dll"))
        return MJ_RUNTIME_UCRT_DEBUG;
    if (pe_same_dll(dll, "ucrtbase.dll") || begins_with(dll, "api-ms-win-crt-"))
        return MJ_RUNTIME_UCRT;
    if (pe_same_dll(dll, "msvcrt.dll"))
        return MJ_RUNTIME_MSVCRT;
    if (begins_with(dll, "msvcr") && dll[5] >= '0' && dll[5] <= '9')
        return MJ_RUNTIME_MSVCR;
    return MJ_RUNTIME_NONE;
}

// The one whose heap is most likely meant: a program may import several.
static bool outranks(mj_runtime_t found, mj_runtime_t known)
{
    static const uint8_t ranks[] = {[MJ_RUNTIME_NONE] = 0,
                                    [MJ_RUNTIME_UCRT] = 4,
                                    [MJ_RUNTIME_UCRT_DEBUG] = 5,
                                    [MJ_RUNTIME_MSVCRT] = 1,
                                    [MJ_RUNTIME_MSVCR] = 2};
    return ranks[found] > ranks[known];
}

static pe_status_t gather_imports(const pe_view_t *view, mj_facts_t *facts)
{
    for (uint32_t i = 0; i <= MJ_IMPORT_MAX; i++) {
        pe_import_t import;
        pe_status_t status = pe_import_at(view, i, &import);
        if (status == PE_END)
            return PE_OK;
        if (status != PE_OK)
            return status;
        mj_runtime_t runtime = runtime_of(import.name);
        if (outranks(runtime, facts->runtime)) {
            facts->runtime = runtime;
            facts->runtime_name = import.name;
        }
        facts->import_count = i + 1;
    }
    return PE_OK;
}

static mj_managed_t managed_kind(const pe_view_t *view)
{
    pe_directory_t directory = pe_directory(view, PE_DIR_CLR);
    pe_clr_header_t clr;
    if (directory.rva == 0)
        return MJ_MANAGED_NO;
    if (!pe_read(view, directory.rva, &clr, sizeof clr))
        return MJ_MANAGED_IL_ONLY;
    return (clr.flags & PE_CLR_IL_ONLY) != 0 ? MJ_MANAGED_IL_ONLY : MJ_MANAGED_MIXED;
}

static const struct {
    const char *section;
    const char *name;
    bool is_protected;
} packers[] = {
    {"UPX0", "UPX", false},           {"UPX1", "UPX", false},
    {".MPRESS1", "MPRESS", false},    {".aspack", "ASPack", false},
    {".petite", "Petite", false},     {".vmp0", "VMProtect", true},
    {".vmp1", "VMProtect", true},     {".themida", "Themida", true},
    {".winlice", "WinLicense", true}, {".enigma1", "Enigma Protector", true},
};

static void recognise_packer(const pe_view_t *view, mj_facts_t *facts)
{
    for (uint32_t i = 0; i < view->file.section_count; i++) {
        pe_section_t section;
        pe_section_at(view, i, &section);
        for (size_t k = 0; k < sizeof packers / sizeof packers[0]; k++) {
            if (section.name[0] != packers[k].section[0] ||
                strncmp(section.name, packers[k].section, sizeof section.name) != 0)
                continue;
            facts->packer = packers[k].name;
            facts->is_protected |= packers[k].is_protected;
        }
    }
}

static bool has_executable_section(const pe_view_t *view)
{
    for (uint32_t i = 0; i < view->file.section_count; i++) {
        pe_section_t section;
        pe_section_at(view, i, &section);
        if ((section.characteristics & PE_SECTION_EXECUTE) != 0)
            return true;
    }
    return false;
}

static bool patches_our_fields(const pe_view_t *view)
{
    const uint32_t width = (uint32_t)sizeof(pe_directory_t);
    const mj_range_t fields[] = {
        {view->nt_off + 6, 2}, // NumberOfSections
        {view->optional_off + PE_OFF_IMAGE_SIZE, 8},
        {view->directory_off + PE_DIR_IMPORT * width, width},
        {view->directory_off + PE_DIR_BOUND_IMPORT * width, width},
        {view->directory_off + PE_DIR_IAT * width, width},
        {view->section_off, (view->file.section_count + 1U) * (uint32_t)sizeof(pe_section_t)},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (mj_hybrid_touches(view, fields[i]))
            return true;
    }
    return false;
}

pe_status_t mj_facts_gather(const pe_view_t *view, mj_facts_t *facts)
{
    *facts = (mj_facts_t){0};
    facts->is_dll = (view->file.characteristics & PE_FILE_DLL) != 0;
    facts->has_code = view->optional.entry_rva != 0 || has_executable_section(view);
    facts->is_signed = pe_directory(view, PE_DIR_CERTIFICATE).rva != 0;
    facts->managed = managed_kind(view);
    recognise_packer(view, facts);
    pe_load_config_t config;
    if (pe_load_config(view, &config) == PE_OK) {
        facts->dependent_load_flags = config.dependent_load_flags;
        facts->dependent_load_flags_rva = config.dependent_load_flags_rva;
        facts->is_hybrid = config.is_hybrid;
    }
    facts->patches_headers = mj_hybrid_touches(view, (mj_range_t){0, view->optional.headers_size});
    facts->patches_imports = facts->patches_headers && patches_our_fields(view);
    mj_overlay_recognise(view, facts);
    return gather_imports(view, facts);
}
