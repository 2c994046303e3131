// SPDX-License-Identifier: MIT
// The plan: which import descriptors the result has, in which order, and what else must change for
// the loader to accept them. Pure; every refusal is here or in plan_room.c, so that the rewrite
// cannot fail.
#include "minject/minject.h"

#include <string.h>

#include "minject/platform.h"

static uint32_t align_up(uint32_t value, uint32_t alignment)
{
    return (value + alignment - 1) & ~(alignment - 1);
}

bool mj_is_in_front(const pe_view_t *view, const mj_options_t *options)
{
    uint32_t at = 0;
    pe_import_t import;
    // The allocator's own DLL brings the redirect along; a file from another tool may name it too.
    while (!options->has_own_dlls && pe_import_at(view, at, &import) == PE_OK &&
           mj_is_redirect_name(import.name))
        at++;
    for (uint32_t i = 0; i < options->dll_count; i++) {
        if (pe_import_at(view, at + i, &import) != PE_OK ||
            !pe_same_dll(import.name, options->dlls[i].name))
            return false;
    }
    return true;
}

// Old-style binding leaves a time stamp and addresses that may be stale; without the stamp the loader
// looks the names up, which is right at all times.
static pe_import_descriptor_t unbound(const pe_import_t *import)
{
    pe_import_descriptor_t descriptor = import->descriptor;
    if (import->has_lookup) {
        descriptor.timestamp = 0;
        descriptor.forwarder_chain = 0;
    }
    return descriptor;
}

static bool is_wanted(const mj_options_t *options, const char *name)
{
    for (uint32_t i = 0; i < options->dll_count; i++) {
        if (pe_same_dll(options->dlls[i].name, name))
            return true;
    }
    return false;
}

static pe_status_t plan_wanted(const pe_view_t *view, const mj_options_t *options, mj_plan_t *plan)
{
    for (uint32_t i = 0; i < options->dll_count; i++) {
        pe_import_t import;
        mj_entry_t *entry = &plan->entries[plan->entry_count++];
        pe_status_t status = pe_import_find(view, options->dlls[i].name, &import);
        if (status == PE_OK) {
            entry->descriptor = unbound(&import);
        } else if (status == PE_NOT_FOUND) {
            entry->dll = &options->dlls[i];
            plan->new_count++;
        } else {
            return status;
        }
    }
    return PE_OK;
}

// The others keep their order. Of a DLL that is imported twice only the first place moves.
static pe_status_t plan_originals(const pe_view_t *view, const mj_options_t *options,
                                  mj_plan_t *plan)
{
    for (uint32_t i = 0;; i++) {
        pe_import_t import;
        pe_import_t first;
        pe_status_t status = pe_import_at(view, i, &import);
        if (status != PE_OK)
            return status == PE_END ? PE_OK : status;
        if (is_wanted(options, import.name) && pe_import_find(view, import.name, &first) == PE_OK &&
            first.index == i)
            continue;
        plan->entries[plan->entry_count++].descriptor = unbound(&import);
    }
}

static mj_status_t plan_entries(const pe_view_t *view, const mj_facts_t *facts,
                                const mj_options_t *options, mj_plan_t *plan)
{
    if (facts->import_count > MJ_IMPORT_MAX)
        return MJ_TOO_MANY_IMPORTS;
    plan->entries = mj_alloc((facts->import_count + MJ_DLL_MAX) * sizeof *plan->entries);
    if (plan->entries == NULL)
        return MJ_NO_MEMORY;
    if (plan_wanted(view, options, plan) != PE_OK || plan_originals(view, options, plan) != PE_OK)
        return MJ_BAD_IMAGE;
    return MJ_OK;
}

// The blob, from its start: record, descriptors with an empty one at the end, lookup tables, address
// tables, names, saved ranges. The saved ranges are added by plan_room.c, which knows them.
static void plan_blob(const pe_view_t *view, mj_plan_t *plan)
{
    uint32_t width = pe_thunk_width(view);
    uint32_t tables = plan->new_count * 2 * width;
    uint32_t descriptors = (plan->entry_count + 1) * (uint32_t)sizeof(pe_import_descriptor_t);
    plan->lookup_off = align_up((uint32_t)sizeof(mj_record_t) + descriptors, 8);
    plan->iat_off = plan->lookup_off + tables;
    plan->names_off = plan->iat_off + tables;
    uint32_t at = plan->names_off;
    for (uint32_t i = 0; i < plan->entry_count; i++) {
        mj_entry_t *entry = &plan->entries[i];
        if (entry->dll == NULL)
            continue;
        entry->names_off = at;
        at += 2 + (uint32_t)strlen(entry->dll->symbol) + 1 + (uint32_t)strlen(entry->dll->name) + 1;
        at = align_up(at, 2);
    }
    plan->saved_off = align_up(at, 8);
}

static bool section_holding(const pe_view_t *view, uint32_t rva, uint32_t *index,
                            pe_section_t *section)
{
    for (*index = 0; *index < view->file.section_count; (*index)++) {
        pe_section_at(view, *index, section);
        if (rva >= section->rva && rva - section->rva < pe_section_virtual_size(section))
            return true;
    }
    return false;
}

// Without an address table directory the loader makes the section writable, for the time of
// resolving, that holds the import directory. Ours lies elsewhere, so the old place is named.
static void plan_iat_directory(const pe_view_t *view, mj_plan_t *plan)
{
    pe_section_t section;
    uint32_t index;
    plan->writable_section = UINT32_MAX;
    if (pe_directory(view, PE_DIR_IAT).rva != 0)
        return;
    if (!section_holding(view, pe_directory(view, PE_DIR_IMPORT).rva, &index, &section))
        return;
    if ((section.characteristics & PE_SECTION_WRITE) != 0)
        return;
    if (view->optional.directory_count > PE_DIR_IAT) {
        plan->sets_iat_directory = true;
        plan->iat_directory = (pe_directory_t){section.rva, pe_section_virtual_size(&section)};
    } else {
        plan->writable_section = index;
    }
}

// What --force overrides must be undone in the result, or it would not start.
static void plan_forced(const pe_view_t *view, const mj_facts_t *facts, mj_plan_t *plan)
{
    uint32_t off;
    plan->clears_integrity = (view->optional.dll_characteristics & PE_DLL_FORCE_INTEGRITY) != 0;
    if (mj_is_system32_only(facts) &&
        pe_offset_of_rva(view, facts->dependent_load_flags_rva, 2, &off))
        plan->load_flags_off = off;
}

// A directory in the bytes that we change would be read differently afterwards, and so would one that
// points behind the image, where our section comes to lie. No linker makes such.
static bool has_misplaced_directory(const pe_view_t *view, uint32_t table_end, uint32_t image_end)
{
    for (uint32_t i = 0; i < PE_DIRECTORY_MAX; i++) {
        uint32_t rva = view->optional.directory[i].rva;
        if (i == PE_DIR_CERTIFICATE || i == PE_DIR_BOUND_IMPORT || rva == 0)
            continue;
        if (rva < table_end + sizeof(pe_section_t) || rva >= image_end)
            return true;
    }
    return false;
}

// A load configuration that its section or the file cuts off would go on in our data.
static bool has_cut_load_config(const pe_view_t *view)
{
    uint32_t rva = pe_directory(view, PE_DIR_LOAD_CONFIG).rva;
    uint32_t size;
    if (rva == 0)
        return false;
    return !pe_read(view, rva, &size, sizeof size) || size > pe_available(view, rva);
}

// Sections in ascending order of address, without overlap, behind the headers: as the loader demands.
static mj_status_t check_layout(const pe_view_t *view)
{
    uint64_t next = 0;
    uint32_t table_end =
        view->section_off + view->file.section_count * (uint32_t)sizeof(pe_section_t);
    // Behind the file's end there would be our data, and a directory there would read it.
    if (view->optional.headers_size > view->size)
        return MJ_BAD_IMAGE_LAYOUT;
    // The format's own limit; with more, a small file would give a huge result.
    if (view->file.section_count == 0 || view->optional.file_alignment > 0x10000)
        return MJ_BAD_IMAGE_LAYOUT;
    for (uint32_t i = 0; i < view->file.section_count; i++) {
        pe_section_t section;
        pe_section_at(view, i, &section);
        if (section.rva < next || section.rva == 0)
            return MJ_BAD_IMAGE_LAYOUT;
        if ((section.rva & (view->optional.section_alignment - 1)) != 0)
            return MJ_BAD_IMAGE_LAYOUT;
        if (section.raw_off != 0 && section.raw_size != 0 && section.raw_off < table_end)
            return MJ_BAD_IMAGE_LAYOUT;
        next = (uint64_t)section.rva + pe_section_virtual_size(&section);
    }
    if (next > 0x7fff0000U)
        return MJ_ADDRESS_SPACE;
    bool is_bad =
        has_misplaced_directory(view, table_end, (uint32_t)next) || has_cut_load_config(view);
    return is_bad ? MJ_BAD_IMAGE_LAYOUT : MJ_OK;
}

mj_status_t mj_plan_imports(const pe_view_t *view, const mj_facts_t *facts,
                            const mj_options_t *options, mj_plan_t *plan)
{
    mj_status_t status = plan_entries(view, facts, options, plan);
    if (status != MJ_OK)
        return status;
    plan_blob(view, plan);
    plan_iat_directory(view, plan);
    return MJ_OK;
}

mj_status_t mj_plan_make(const pe_view_t *view, const mj_facts_t *facts,
                         const mj_options_t *options, mj_plan_t *plan)
{
    *plan = (mj_plan_t){0};
    mj_status_t status = mj_policy_check(view, facts, options->is_forced);
    if (status != MJ_OK)
        return status;
    if (mj_is_in_front(view, options))
        return MJ_ALREADY;
    if (view->optional.directory_count <= PE_DIR_IMPORT)
        return MJ_NO_ROOM;
    status = check_layout(view);
    if (status != MJ_OK)
        return status;
    // The system's fixups would overwrite our import directory when it loads the other half.
    if (facts->patches_imports)
        return MJ_HYBRID_HEADERS;
    status = mj_plan_imports(view, facts, options, plan);
    if (status != MJ_OK)
        return status;
    plan_forced(view, facts, plan);
    status = mj_plan_room(view, facts, plan);
    if (status != MJ_OK)
        return status;
    plan->old_size = (uint32_t)view->size;
    if (view->optional.checksum != 0)
        plan->checksum_off = view->optional_off - plan->nt_shift + PE_OFF_CHECKSUM;
    return MJ_OK;
}

void mj_plan_free(mj_plan_t *plan)
{
    mj_free(plan->entries);
    plan->entries = NULL;
}
