// SPDX-License-Identifier: MIT
// Old bytes and a plan give the new bytes, in place. Every decision was made by the plan; here is only
// the order of the writes: what is saved is saved before it changes, and what moves moves before its
// place is used again. The sums follow in seal.c.
#include "minject/minject.h"

#include <string.h>

static uint16_t get16(const uint8_t *from)
{
    uint16_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

static uint32_t get32(const uint8_t *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

static void put16(uint8_t *to, uint16_t value)
{
    memcpy(to, &value, sizeof value);
}

static void put32(uint8_t *to, uint32_t value)
{
    memcpy(to, &value, sizeof value);
}

static void write_record(uint8_t *blob, const mj_plan_t *plan)
{
    mj_record_t record = {.original_size = plan->old_size,
                          .blob_size = plan->blob_size,
                          .saved_off = plan->saved_off,
                          .saved_count = plan->saved_count,
                          .new_count = plan->new_count};
    memcpy(record.magic, MJ_RECORD_MAGIC, sizeof record.magic);
    memcpy(blob, &record, sizeof record);
}

static void write_saved(uint8_t *bytes, const mj_plan_t *plan)
{
    uint8_t *to = bytes + plan->blob_off + plan->saved_off;
    uint32_t ranges = plan->saved_count * (uint32_t)sizeof plan->saved[0];
    memcpy(to, plan->saved, ranges);
    to += ranges;
    for (uint32_t i = 0; i < plan->saved_count; i++) {
        memcpy(to, bytes + plan->saved[i].off, plan->saved[i].size);
        to += plan->saved[i].size;
    }
}

// Lookup and address table are alike until the loader fills the latter.
static void write_new_import(const pe_view_t *view, uint8_t *blob, const mj_plan_t *plan,
                             const mj_entry_t *entry, uint32_t number,
                             pe_import_descriptor_t *descriptor)
{
    uint32_t step = 2 * pe_thunk_width(view) * number;
    bool is_ordinal = entry->dll->symbol[0] == '\0';
    uint32_t value = is_ordinal ? 1 : plan->blob_rva + entry->names_off;
    uint32_t symbol_size = (uint32_t)strlen(entry->dll->symbol) + 1;
    uint32_t name_off = entry->names_off + 2 + symbol_size;
    memcpy(blob + entry->names_off + 2, entry->dll->symbol, symbol_size);
    memcpy(blob + name_off, entry->dll->name, strlen(entry->dll->name) + 1);
    pe_thunk_put(view, blob + plan->lookup_off + step, value, is_ordinal);
    pe_thunk_put(view, blob + plan->iat_off + step, value, is_ordinal);
    *descriptor = (pe_import_descriptor_t){.lookup_rva = plan->blob_rva + plan->lookup_off + step,
                                           .name_rva = plan->blob_rva + name_off,
                                           .iat_rva = plan->blob_rva + plan->iat_off + step};
}

void mj_write_imports(const pe_view_t *view, uint8_t *blob, const mj_plan_t *plan)
{
    uint8_t *to = blob + sizeof(mj_record_t);
    uint32_t number = 0;
    for (uint32_t i = 0; i < plan->entry_count; i++) {
        pe_import_descriptor_t descriptor = plan->entries[i].descriptor;
        if (plan->entries[i].dll != NULL)
            write_new_import(view, blob, plan, &plan->entries[i], number++, &descriptor);
        memcpy(to, &descriptor, sizeof descriptor);
        to += sizeof descriptor;
    }
}

static void move_data(uint8_t *bytes, const mj_plan_t *plan)
{
    for (uint32_t i = 0; i < plan->move_count; i++)
        memcpy(bytes + plan->moves[i].to_off, bytes + plan->moves[i].from_off, plan->moves[i].size);
}

static void put_directory(const pe_view_t *view, uint8_t *bytes, enum pe_directory_index index,
                          pe_directory_t directory)
{
    if ((uint32_t)index < view->optional.directory_count)
        memcpy(bytes + view->directory_off + (size_t)index * sizeof directory, &directory,
               sizeof directory);
}

static void write_directories(const pe_view_t *view, uint8_t *bytes, const mj_plan_t *plan)
{
    pe_directory_t imports = {plan->blob_rva + (uint32_t)sizeof(mj_record_t),
                              (plan->entry_count + 1) * (uint32_t)sizeof(pe_import_descriptor_t)};
    put_directory(view, bytes, PE_DIR_IMPORT, imports);
    put_directory(view, bytes, PE_DIR_BOUND_IMPORT, (pe_directory_t){0});
    put_directory(view, bytes, PE_DIR_CERTIFICATE, (pe_directory_t){0});
    if (plan->sets_iat_directory)
        put_directory(view, bytes, PE_DIR_IAT, plan->iat_directory);
}

static uint8_t *section_header(const pe_view_t *view, uint8_t *bytes, uint32_t index)
{
    return bytes + view->section_off + index * sizeof(pe_section_t);
}

static void write_sections(const pe_view_t *view, uint8_t *bytes, const mj_plan_t *plan)
{
    for (uint32_t i = 0; i < plan->move_count; i++) {
        uint8_t *header = section_header(view, bytes, plan->moves[i].section);
        put32(header + offsetof(pe_section_t, raw_off), plan->moves[i].to_off);
    }
    if (plan->writable_section != UINT32_MAX) {
        uint8_t *field = section_header(view, bytes, plan->writable_section) +
                         offsetof(pe_section_t, characteristics);
        put32(field, get32(field) | PE_SECTION_WRITE);
    }
    uint32_t index = view->file.section_count - (plan->room == MJ_ROOM_LAST_SECTION ? 1U : 0U);
    memcpy(section_header(view, bytes, index), &plan->section, sizeof plan->section);
    if (plan->room != MJ_ROOM_LAST_SECTION)
        put16(bytes + view->nt_off + 4 + offsetof(pe_file_header_t, section_count),
              (uint16_t)(view->file.section_count + 1));
}

static void write_optional(const pe_view_t *view, uint8_t *bytes, const mj_plan_t *plan)
{
    uint8_t *optional = bytes + view->optional_off;
    uint32_t initialized = get32(optional + PE_OFF_INITIALIZED_SIZE);
    put32(optional + PE_OFF_INITIALIZED_SIZE, initialized + plan->section.raw_size);
    put32(optional + PE_OFF_IMAGE_SIZE, plan->image_size);
    put32(optional + PE_OFF_HEADERS_SIZE, plan->headers_size);
    if (plan->clears_integrity) {
        uint8_t *field = optional + PE_OFF_DLL_CHARACTERISTICS;
        put16(field, (uint16_t)(get16(field) & ~PE_DLL_FORCE_INTEGRITY));
    }
}

// The headers from the signature to the last section header, ours not yet written.
static void shift_headers(pe_view_t *view, uint8_t *bytes, uint32_t shift)
{
    uint32_t end = view->section_off + view->file.section_count * (uint32_t)sizeof(pe_section_t);
    memmove(bytes + view->nt_off - shift, bytes + view->nt_off, end - view->nt_off);
    memset(bytes + end - shift, 0, shift);
    view->nt_off -= shift;
    view->optional_off -= shift;
    view->directory_off -= shift;
    view->section_off -= shift;
    put32(bytes + offsetof(pe_dos_header_t, nt_off), view->nt_off);
}

void mj_rewrite(uint8_t *bytes, const mj_plan_t *plan)
{
    pe_view_t view;
    if (pe_view_init(&view, bytes, plan->old_size, PE_LAYOUT_FILE) != PE_OK)
        return; // the plan was made from these very bytes; verify would refuse the result
    uint8_t *blob = bytes + plan->blob_off;
    memset(bytes + plan->old_size, 0, plan->new_size - plan->old_size);
    move_data(bytes, plan);
    write_record(blob, plan);
    write_saved(bytes, plan);
    mj_write_imports(&view, blob, plan);
    if (plan->room == MJ_ROOM_MOVED_DATA) {
        uint32_t end = view.section_off + view.file.section_count * (uint32_t)sizeof(pe_section_t);
        memset(bytes + end, 0, plan->headers_size - end);
    }
    if (plan->load_flags_off != 0)
        put16(bytes + plan->load_flags_off, 0);
    if (plan->nt_shift != 0)
        shift_headers(&view, bytes, plan->nt_shift);
    write_directories(&view, bytes, plan);
    write_sections(&view, bytes, plan);
    write_optional(&view, bytes, plan);
    mj_overlay_apply(bytes, plan);
}
