// SPDX-License-Identifier: MIT
// The result is parsed afresh and held against the plan before it is written. Whatever the rewrite
// does wrong is to be found here, not by a user's loader.
#include "minject/minject.h"

#include <string.h>

static const char *check_entry(const pe_view_t *view, const mj_entry_t *entry,
                               const pe_import_t *import)
{
    pe_thunk_t thunk;
    if (entry->dll == NULL)
        return memcmp(&import->descriptor, &entry->descriptor, sizeof entry->descriptor) == 0
                   ? NULL
                   : "an original import changed";
    if (strcmp(import->name, entry->dll->name) != 0)
        return "our import has another name";
    if (pe_thunk_at(view, import, 0, &thunk) != PE_OK)
        return "our import has no function";
    bool wants_ordinal = entry->dll->symbol[0] == '\0';
    if (thunk.is_ordinal != wants_ordinal || (wants_ordinal && thunk.ordinal != 1))
        return "our import's ordinal is wrong";
    if (!wants_ordinal && strcmp(thunk.name, entry->dll->symbol) != 0)
        return "our import's symbol is wrong";
    if (pe_thunk_at(view, import, 1, &thunk) != PE_END)
        return "our import has too many functions";
    return NULL;
}

static const char *check_imports(const pe_view_t *view, const mj_plan_t *plan)
{
    pe_import_t import;
    for (uint32_t i = 0; i < plan->entry_count; i++) {
        if (pe_import_at(view, i, &import) != PE_OK)
            return "an import is missing";
        const char *what = check_entry(view, &plan->entries[i], &import);
        if (what != NULL)
            return what;
    }
    if (pe_import_at(view, plan->entry_count, &import) != PE_END)
        return "there are more imports than planned";
    return NULL;
}

static const char *check_sections(const pe_view_t *view, const mj_plan_t *plan)
{
    pe_section_t last;
    uint64_t next = 0;
    for (uint32_t i = 0; i < view->file.section_count; i++) {
        pe_section_at(view, i, &last);
        if (last.rva < next)
            return "sections overlap";
        next = (uint64_t)last.rva + pe_section_virtual_size(&last);
    }
    if (memcmp(&last, &plan->section, sizeof last) != 0)
        return "the section is not as planned";
    if (next > view->optional.image_size || view->optional.image_size != plan->image_size)
        return "the image size is wrong";
    uint32_t table_end =
        view->section_off + view->file.section_count * (uint32_t)sizeof(pe_section_t);
    if (view->optional.headers_size != plan->headers_size ||
        (table_end > plan->headers_size && plan->room != MJ_ROOM_LAST_SECTION &&
         plan->nt_shift == 0))
        return "the headers' size is wrong";
    return NULL;
}

// The record is read back as --remove will read it.
static const char *check_record(const pe_view_t *view, const mj_plan_t *plan, const mj_seal_t *seal)
{
    mj_record_t record;
    uint32_t blob_off;
    if (mj_record_find(view, &record, &blob_off) != MJ_OK || blob_off != plan->blob_off)
        return "the record is not found";
    if (record.original_size != plan->old_size || record.saved_count != plan->saved_count)
        return "the record is wrong";
    if (seal->at != plan->old_size || seal->range != plan->saved_count || !seal->is_saved_right)
        return "the original could not be restored";
    return NULL;
}

static bool is_saved(const mj_plan_t *plan, uint32_t off, uint32_t size)
{
    for (uint32_t i = 0; i < plan->saved_count; i++) {
        mj_range_t range = plan->saved[i];
        if (off >= range.off && off + size <= range.off + range.size)
            return true;
    }
    return off == 0; // nothing was to be changed there
}

// Of the original's bytes only the saved ranges go into the new file from here; a change of others
// would be lost.
static const char *check_changes(const pe_view_t *view, const mj_plan_t *plan)
{
    uint32_t headers_end =
        view->section_off + view->file.section_count * (uint32_t)sizeof(pe_section_t);
    bool is_right = is_saved(plan, headers_end - 1, 1) && is_saved(plan, plan->load_flags_off, 2) &&
                    is_saved(plan, plan->zip_comment_off, 2) &&
                    is_saved(plan, plan->crc_fix_off, 4) && is_saved(plan, plan->checksum_off, 4);
    return is_right ? NULL : "a change outside of the saved ranges";
}

static const char *check_sums(const pe_view_t *view, const mj_plan_t *plan)
{
    if (pe_directory(view, PE_DIR_BOUND_IMPORT).rva != 0)
        return "bound imports are left";
    if (pe_directory(view, PE_DIR_CERTIFICATE).rva != 0)
        return "a signature is left";
    uint32_t off = view->optional_off + PE_OFF_CHECKSUM;
    if (plan->checksum_off != 0 ? off != plan->checksum_off : view->optional.checksum != 0)
        return "the checksum is at another place";
    return NULL;
}

mj_status_t mj_verify(const uint8_t *bytes, const mj_plan_t *plan, const mj_seal_t *seal,
                      const char **what)
{
    pe_view_t view;
    *what = "the result cannot be parsed";
    if (pe_view_init(&view, bytes, plan->new_size, PE_LAYOUT_FILE) != PE_OK)
        return MJ_VERIFY_FAILED;
    *what = check_sections(&view, plan);
    if (*what == NULL)
        *what = check_imports(&view, plan);
    if (*what == NULL)
        *what = check_record(&view, plan, seal);
    if (*what == NULL)
        *what = check_changes(&view, plan);
    if (*what == NULL)
        *what = check_sums(&view, plan);
    return *what == NULL ? MJ_OK : MJ_VERIFY_FAILED;
}
