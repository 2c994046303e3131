// SPDX-License-Identifier: MIT
// Which files are left alone, and why. The order is that of certainty: what can never work first,
// then what a user may know better about (--force).
#include "minject/minject.h"

#define SEARCH_APPLICATION_DIR 0x0200U
#define SEARCH_DEFAULT_DIRS    0x1000U

bool mj_is_system32_only(const mj_facts_t *facts)
{
    uint32_t flags = facts->dependent_load_flags;
    return flags != 0 && (flags & (SEARCH_APPLICATION_DIR | SEARCH_DEFAULT_DIRS)) == 0;
}

static bool is_firmware(uint16_t subsystem)
{
    return subsystem == PE_SUBSYSTEM_BOOT ||
           (subsystem >= PE_SUBSYSTEM_EFI_FIRST && subsystem <= PE_SUBSYSTEM_EFI_LAST);
}

// Nothing that --force could help with.
static mj_status_t refuse_for_ever(const pe_view_t *view, const mj_facts_t *facts)
{
    uint16_t subsystem = view->optional.subsystem;
    if (is_firmware(subsystem))
        return MJ_FIRMWARE;
    // Drivers run in the kernel, native programs before the Win32 subsystem is up.
    if (subsystem == PE_SUBSYSTEM_NATIVE)
        return MJ_NATIVE;
    if (subsystem != PE_SUBSYSTEM_GUI && subsystem != PE_SUBSYSTEM_CONSOLE)
        return MJ_OTHER_SUBSYSTEM;
    // mscoree starts these; the loader does not resolve their native imports.
    if (facts->managed == MJ_MANAGED_IL_ONLY)
        return MJ_IL_ONLY;
    if (mj_redirect_name(view->file.machine) == NULL)
        return MJ_UNKNOWN_MACHINE;
    return MJ_OK;
}

static mj_status_t refuse_unless_forced(const pe_view_t *view, const mj_facts_t *facts)
{
    if (facts->managed == MJ_MANAGED_MIXED)
        return MJ_MIXED_MODE;
    if ((view->optional.dll_characteristics & PE_DLL_FORCE_INTEGRITY) != 0)
        return MJ_FORCE_INTEGRITY;
    if ((view->optional.dll_characteristics & PE_DLL_APPCONTAINER) != 0)
        return MJ_APP_CONTAINER;
    // A resource DLL is mapped for its data, and nothing in it ever runs.
    if (facts->is_dll && facts->import_count == 0 && !facts->has_code)
        return MJ_DATA_ONLY;
    // Our DLL lies beside the program, and the loader would not look there.
    if (mj_is_system32_only(facts))
        return MJ_SYSTEM32_ONLY;
    if (facts->is_protected)
        return MJ_PROTECTED;
    if (facts->overlay == MJ_OVERLAY_FROM_END)
        return MJ_OVERLAY_AT_END;
    if (facts->overlay == MJ_OVERLAY_FROM_SECTIONS)
        return MJ_OVERLAY_BY_SECTIONS;
    return MJ_OK;
}

mj_status_t mj_policy_check(const pe_view_t *view, const mj_facts_t *facts, bool is_forced)
{
    mj_status_t status = refuse_for_ever(view, facts);
    if (status != MJ_OK || is_forced)
        return status;
    return refuse_unless_forced(view, facts);
}
