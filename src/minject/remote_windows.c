// SPDX-License-Identifier: MIT
// Puts our import table into a process that was started suspended: the image is read into a buffer and
// planned as a file would be; table and names go into memory behind the image, and the image's headers
// in memory are made to point there. The file on disk is not touched, so a signature stays valid.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <winternl.h>

#include "minject/remote.h"

#include <string.h>

#include "minject/platform.h"

#define STEP        0x10000U // the system's allocation granularity
#define REACH       0x7fff0000U
#define BASE_IN_PEB (sizeof(void *) == 8 ? 0x10 : 8)

typedef struct remote {
    HANDLE process;
    uintptr_t base;
    uint8_t *image; // a copy, as mapped
    size_t size;
    pe_view_t view;
    mj_facts_t facts;
} remote_t;

static bool read_memory(const remote_t *remote, uintptr_t from, void *to, size_t size)
{
    SIZE_T got = 0;
    return ReadProcessMemory(remote->process, (const void *)from, to, size, &got) && got == size;
}

// Pages of an image are read-only; the old protection comes back, and its failure counts as well.
static bool write_memory(const remote_t *remote, uintptr_t to, const void *from, size_t size)
{
    DWORD old;
    DWORD ignored;
    SIZE_T put = 0;
    if (!VirtualProtectEx(remote->process, (void *)to, size, PAGE_READWRITE, &old))
        return false;
    bool is_written =
        WriteProcessMemory(remote->process, (void *)to, from, size, &put) && put == size;
    bool is_restored = VirtualProtectEx(remote->process, (void *)to, size, old, &ignored);
    return is_written && is_restored;
}

static bool find_base(remote_t *remote)
{
    PROCESS_BASIC_INFORMATION information;
    memset(&information, 0, sizeof information);
    if (NtQueryInformationProcess(remote->process, ProcessBasicInformation, &information,
                                  sizeof information, NULL) < 0)
        return false;
    uintptr_t field = (uintptr_t)information.PebBaseAddress + BASE_IN_PEB;
    return read_memory(remote, field, &remote->base, sizeof remote->base) && remote->base != 0;
}

static bool is_part_of_image(const remote_t *remote, uintptr_t at, MEMORY_BASIC_INFORMATION *region)
{
    return VirtualQueryEx(remote->process, (const void *)at, region, sizeof *region) != 0 &&
           (uintptr_t)region->AllocationBase == remote->base && region->State == MEM_COMMIT;
}

// What cannot be read stays zero; nothing that imports need lies there.
static bool read_image(remote_t *remote)
{
    MEMORY_BASIC_INFORMATION region;
    uintptr_t at = remote->base;
    for (; is_part_of_image(remote, at, &region); at += region.RegionSize)
        remote->size = at + region.RegionSize - remote->base;
    if (remote->size == 0 || remote->size > REACH)
        return false;
    remote->image = mj_alloc(remote->size);
    if (remote->image == NULL)
        return false;
    for (at = remote->base; is_part_of_image(remote, at, &region); at += region.RegionSize)
        (void)read_memory(remote, at, remote->image + (at - remote->base), region.RegionSize);
    return true;
}

// Behind the image and within reach of a 32-bit RVA.
static uintptr_t allocate_behind(const remote_t *remote, size_t size)
{
    uintptr_t at = (remote->base + remote->size + STEP - 1) & ~(uintptr_t)(STEP - 1);
    MEMORY_BASIC_INFORMATION region;
    while (at - remote->base < REACH &&
           VirtualQueryEx(remote->process, (const void *)at, &region, sizeof region) != 0) {
        if (region.State == MEM_FREE) {
            void *block = VirtualAllocEx(remote->process, (void *)at, size,
                                         MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
            if (block != NULL)
                return (uintptr_t)block;
            at += STEP;
        } else {
            uintptr_t end = (uintptr_t)region.BaseAddress + region.RegionSize;
            at = (end + STEP - 1) & ~(uintptr_t)(STEP - 1);
        }
    }
    return 0;
}

static bool write_directory(const remote_t *remote, enum pe_directory_index index,
                            pe_directory_t directory)
{
    uintptr_t field = remote->base + remote->view.directory_off + (size_t)index * sizeof directory;
    if ((uint32_t)index >= remote->view.optional.directory_count)
        return true;
    return write_memory(remote, field, &directory, sizeof directory);
}

// DependentLoadFlags would keep the loader from finding our DLL; it reads them from memory.
static bool clear_load_flags(const remote_t *remote)
{
    uint16_t none = 0;
    if (!mj_is_system32_only(&remote->facts))
        return true;
    return write_memory(remote, remote->base + remote->facts.dependent_load_flags_rva, &none,
                        sizeof none);
}

static bool make_section_writable(const remote_t *remote, const mj_plan_t *plan)
{
    pe_section_t section;
    DWORD old;
    if (plan->writable_section == UINT32_MAX)
        return true;
    pe_section_at(&remote->view, plan->writable_section, &section);
    return VirtualProtectEx(remote->process, (void *)(remote->base + section.rva),
                            pe_section_virtual_size(&section), PAGE_READWRITE, &old);
}

// The import directory last: until then the process would start as if nothing had happened.
static bool point_to_table(const remote_t *remote, const mj_plan_t *plan)
{
    pe_directory_t imports = {plan->blob_rva + (uint32_t)sizeof(mj_record_t),
                              (plan->entry_count + 1) * (uint32_t)sizeof(pe_import_descriptor_t)};
    return make_section_writable(remote, plan) && clear_load_flags(remote) &&
           write_directory(remote, PE_DIR_BOUND_IMPORT, (pe_directory_t){0}) &&
           (!plan->sets_iat_directory ||
            write_directory(remote, PE_DIR_IAT, plan->iat_directory)) &&
           write_directory(remote, PE_DIR_IMPORT, imports);
}

static mj_status_t place_table(const remote_t *remote, mj_plan_t *plan)
{
    SIZE_T put = 0;
    uintptr_t place = allocate_behind(remote, plan->saved_off);
    uint8_t *blob = mj_alloc(plan->saved_off);
    bool ok = false;
    if (place != 0 && blob != NULL) {
        plan->blob_rva = (uint32_t)(place - remote->base);
        mj_write_imports(&remote->view, blob, plan);
        ok = WriteProcessMemory(remote->process, (void *)place, blob, plan->saved_off, &put) &&
             put == plan->saved_off && point_to_table(remote, plan);
    }
    mj_free(blob);
    return ok ? MJ_OK : MJ_NO_ROOM;
}

// Of the policy, only what holds in memory too: the file's own peculiarities do not matter here.
static mj_status_t check_policy(const remote_t *remote, const mj_options_t *options)
{
    mj_status_t status = mj_policy_check(&remote->view, &remote->facts, true);
    if (status != MJ_OK)
        return status;
    if (remote->view.optional.directory_count <= PE_DIR_IMPORT)
        return MJ_NO_ROOM;
    return mj_is_in_front(&remote->view, options) ? MJ_ALREADY : MJ_OK;
}

static mj_status_t inject(remote_t *remote, const mj_options_t *options, uint16_t *machine)
{
    static mj_plan_t plan; // too large for a frame where no C runtime probes the stack
    if (!find_base(remote) || !read_image(remote))
        return MJ_CANNOT_READ;
    if (pe_view_init(&remote->view, remote->image, remote->size, PE_LAYOUT_MAPPED) != PE_OK ||
        mj_facts_gather(&remote->view, &remote->facts) != PE_OK)
        return MJ_BAD_IMAGE;
    *machine = remote->view.file.machine;
    mj_status_t status = check_policy(remote, options);
    if (status != MJ_OK)
        return status;
    memset(&plan, 0, sizeof plan);
    status = mj_plan_imports(&remote->view, &remote->facts, options, &plan);
    if (status == MJ_OK)
        status = place_table(remote, &plan);
    mj_plan_free(&plan);
    return status;
}

mj_status_t mj_remote_inject(void *process, const mj_options_t *options, uint16_t *machine)
{
    remote_t remote = {.process = process};
    *machine = 0;
    mj_status_t status = inject(&remote, options, machine);
    mj_free(remote.image);
    return status;
}
