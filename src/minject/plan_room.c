// SPDX-License-Identifier: MIT
// Where our data goes. It always gets raw data of its own behind everything else in the file, so that
// no byte of the file moves; the question is only where its section header goes. In this order:
//
//   slot          free bytes behind the section table
//   stub          the NT headers move down over the DOS stub, which makes a slot
//   last section  no header at all: the last section's data moves to the file's end and grows
//   moved data    the first sections' data moves to the file's end, which makes header room
#include "minject/minject.h"

#include <string.h>

#define HEADER_SIZE     ((uint32_t)sizeof(pe_section_t))
#define DOS_HEADER_SIZE ((uint32_t)sizeof(pe_dos_header_t))
#define GROWTH_MAX      0x4000000U // zeros that the result may have to spell out
#define ZIP_RECORD_SIZE 22U
#define ADDRESS_MAX     0x7fff0000U

static uint64_t align_up(uint64_t value, uint32_t alignment)
{
    return (value + alignment - 1) & ~(uint64_t)(alignment - 1);
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t raw_alignment(const pe_view_t *view)
{
    uint32_t alignment = view->optional.file_alignment;
    return view->is_flat ? alignment : larger(alignment, PE_SECTOR);
}

static uint32_t table_end(const pe_view_t *view)
{
    return view->section_off + view->file.section_count * HEADER_SIZE;
}

// The file offset that headers may reach: the first raw data, and the first section's address.
static uint32_t header_limit(const pe_view_t *view, bool counts_raw_data)
{
    uint32_t limit = (uint32_t)view->size;
    for (uint32_t i = 0; i < view->file.section_count; i++) {
        pe_section_t section;
        pe_section_at(view, i, &section);
        if (section.rva < limit)
            limit = section.rva;
        if (counts_raw_data && section.raw_size != 0 && section.raw_off != 0 &&
            section.raw_off < limit)
            limit = section.raw_off;
    }
    return limit;
}

static uint32_t image_end(const pe_view_t *view)
{
    uint32_t end = 0;
    for (uint32_t i = 0; i < view->file.section_count; i++) {
        pe_section_t section;
        pe_section_at(view, i, &section);
        end = larger(end, section.rva + pe_section_virtual_size(&section));
    }
    return end;
}

// ---- saved ranges ----

static uint32_t saved_total(const mj_plan_t *plan)
{
    uint32_t total = plan->saved_count * (uint32_t)sizeof(mj_range_t);
    for (uint32_t i = 0; i < plan->saved_count; i++)
        total += plan->saved[i].size;
    return total;
}

static void save(mj_plan_t *plan, uint32_t off, uint32_t size)
{
    plan->saved[plan->saved_count++] = (mj_range_t){off, size};
}

// Everything of the headers that changes, the flags in the load configuration, a zip's comment length.
static void save_changes(const pe_view_t *view, const mj_facts_t *facts, mj_plan_t *plan,
                         uint32_t headers_end)
{
    uint32_t size = (uint32_t)view->size;
    plan->saved_count = 0;
    save(plan, 0, headers_end < size ? headers_end : size);
    if (plan->load_flags_off >= headers_end)
        save(plan, plan->load_flags_off, 2);
    if (facts->zip_record_off >= headers_end)
        save(plan, facts->zip_record_off, ZIP_RECORD_SIZE);
    plan->blob_size = plan->saved_off + saved_total(plan);
}

// ---- a new section ----

static void name_section(mj_plan_t *plan)
{
    memcpy(plan->section.name, MJ_SECTION_NAME, PE_SECTION_NAME_SIZE);
    // Writable: the loader unprotects the range of the address table directory only.
    plan->section.characteristics = PE_SECTION_INITIALIZED | PE_SECTION_READ | PE_SECTION_WRITE;
}

static mj_status_t finish(mj_plan_t *plan, uint64_t new_size, uint64_t image_size)
{
    if (new_size > UINT32_MAX)
        return MJ_TOO_LARGE;
    if (image_size > ADDRESS_MAX)
        return MJ_ADDRESS_SPACE;
    plan->new_size = (uint32_t)new_size;
    plan->image_size = (uint32_t)image_size;
    return MJ_OK;
}

// A section of our own behind the last one; its raw data starts at or behind raw_from.
static mj_status_t place_section(const pe_view_t *view, mj_plan_t *plan, uint64_t raw_from)
{
    uint32_t section_alignment = view->optional.section_alignment;
    uint64_t rva = align_up(image_end(view), section_alignment);
    uint64_t raw_off = align_up(raw_from, raw_alignment(view));
    // Mapped as it is: address and offset are the same number.
    if (view->is_flat) {
        if (rva > raw_off + GROWTH_MAX)
            return MJ_NO_ROOM;
        rva = raw_off = align_up(rva > raw_off ? rva : raw_off, section_alignment);
    }
    uint64_t raw_size = align_up(plan->blob_size, raw_alignment(view));
    name_section(plan);
    mj_status_t status =
        finish(plan, raw_off + raw_size, align_up(rva + plan->blob_size, section_alignment));
    if (status != MJ_OK)
        return status;
    plan->section.rva = (uint32_t)rva;
    plan->section.virtual_size = plan->blob_size;
    plan->section.raw_off = (uint32_t)raw_off;
    plan->section.raw_size = (uint32_t)raw_size;
    plan->blob_rva = plan->section.rva;
    plan->blob_off = plan->section.raw_off;
    return MJ_OK;
}

// Bytes that the bound import directory alone uses are free: that directory goes.
static bool is_free(const pe_view_t *view, uint32_t from, uint32_t to)
{
    pe_directory_t bound = pe_directory(view, PE_DIR_BOUND_IMPORT);
    for (uint32_t i = from; i < to; i++) {
        bool is_bound = i >= bound.rva && i - bound.rva < bound.size;
        if (view->base[i] != 0 && !is_bound)
            return false;
    }
    return true;
}

// Four zero bytes behind the headers; and no checksum among the bytes that the CRC covers, as each
// would depend on the other.
static bool fits_crc(const pe_view_t *view, uint32_t fix_off)
{
    bool has_late_checksum =
        view->optional.checksum != 0 && view->optional_off + PE_OFF_CHECKSUM + 4 > PE_SECTOR;
    return !has_late_checksum && fix_off + 4 <= header_limit(view, true) &&
           is_free(view, fix_off, fix_off + 4);
}

static mj_status_t place_after_headers(const pe_view_t *view, const mj_facts_t *facts,
                                       mj_plan_t *plan, uint32_t headers_end)
{
    plan->headers_size = view->optional.headers_size;
    if (headers_end > plan->headers_size) {
        uint32_t whole = (uint32_t)align_up(headers_end, view->optional.file_alignment);
        uint32_t limit = header_limit(view, true);
        plan->headers_size = whole <= limit ? whole : headers_end;
    }
    uint32_t changed_end = larger(headers_end, table_end(view));
    if (mj_overlay_needs_crc(facts, changed_end)) {
        uint32_t fix_off = (uint32_t)align_up(changed_end, 4);
        if (!fits_crc(view, fix_off))
            return MJ_OVERLAY_CHECKED;
        mj_overlay_plan_crc(view, plan, fix_off);
        changed_end = fix_off + 4;
    }
    save_changes(view, facts, plan, changed_end);
    return place_section(view, plan, view->size);
}

// ---- slot ----

static bool fits_slot(const pe_view_t *view)
{
    uint32_t end = table_end(view) + HEADER_SIZE;
    return end <= header_limit(view, true) && is_free(view, table_end(view), end);
}

// ---- stub ----

static bool headers_hold_directories(const pe_view_t *view)
{
    for (uint32_t i = 0; i < PE_DIRECTORY_MAX; i++) {
        uint32_t rva = view->optional.directory[i].rva;
        if (i != PE_DIR_CERTIFICATE && i != PE_DIR_BOUND_IMPORT && rva != 0 &&
            rva < view->optional.headers_size)
            return true;
    }
    return false;
}

static bool fits_stub(const pe_view_t *view, const mj_facts_t *facts)
{
    // ARM64X fixups name header fields by their offsets.
    if (facts->patches_headers || headers_hold_directories(view))
        return false;
    return view->nt_off >= DOS_HEADER_SIZE + HEADER_SIZE && !view->is_flat;
}

// ---- last section ----

static uint32_t last_index(const pe_view_t *view)
{
    return view->file.section_count - 1U;
}

static bool fits_last_section(const pe_view_t *view)
{
    pe_section_t last;
    pe_section_at(view, last_index(view), &last);
    // Code must not become writable.
    if ((last.characteristics & PE_SECTION_EXECUTE) != 0 || view->is_flat)
        return false;
    uint64_t present = last.raw_off != 0 ? last.raw_size : 0;
    return larger(pe_section_virtual_size(&last), last.raw_size) <= present + GROWTH_MAX;
}

static void plan_move(mj_plan_t *plan, uint32_t index, const pe_section_t *section, uint32_t to_off)
{
    plan->moves[plan->move_count++] =
        (mj_move_t){index, section->raw_off & ~(PE_SECTOR - 1), to_off, section->raw_size};
}

static mj_status_t place_last_section(const pe_view_t *view, const mj_facts_t *facts,
                                      mj_plan_t *plan)
{
    pe_section_t last;
    pe_section_at(view, last_index(view), &last);
    uint32_t used = larger(pe_section_virtual_size(&last), last.raw_size);
    uint64_t blob_at = align_up(used, 16);
    uint64_t raw_off = align_up(view->size, raw_alignment(view));
    save_changes(view, facts, plan, table_end(view));
    uint64_t virtual_size = blob_at + plan->blob_size;
    uint64_t raw_size = align_up(virtual_size, raw_alignment(view));
    mj_status_t status =
        finish(plan, raw_off + raw_size,
               align_up(last.rva + virtual_size, view->optional.section_alignment));
    if (status != MJ_OK)
        return status;
    if (last.raw_off != 0 && last.raw_size != 0)
        plan_move(plan, last_index(view), &last, (uint32_t)raw_off);
    last.virtual_size = (uint32_t)virtual_size;
    last.raw_off = (uint32_t)raw_off;
    last.raw_size = (uint32_t)raw_size;
    last.characteristics |= PE_SECTION_INITIALIZED | PE_SECTION_READ | PE_SECTION_WRITE;
    last.characteristics &= ~(PE_SECTION_DISCARDABLE | PE_SECTION_UNINITIALIZED);
    plan->section = last;
    plan->headers_size = view->optional.headers_size;
    plan->blob_rva = last.rva + (uint32_t)blob_at;
    plan->blob_off = (uint32_t)(raw_off + blob_at);
    return MJ_OK;
}

// ---- moved data ----

static bool holds_symbols_below(const pe_view_t *view, uint32_t end)
{
    return view->file.symbol_off != 0 && view->file.symbol_off < end;
}

static bool fits_moved_data(const pe_view_t *view, const mj_facts_t *facts, uint32_t headers_end)
{
    uint32_t limit = header_limit(view, false);
    if (view->is_flat || headers_end > limit || view->optional.headers_size > limit)
        return false;
    // These live between the headers and the first section, where nothing can be pushed aside.
    if (headers_hold_directories(view) || holds_symbols_below(view, headers_end))
        return false;
    if (!is_free(view, table_end(view), view->optional.headers_size) ||
        view->optional.headers_size < table_end(view))
        return false;
    return facts->overlay_size == 0 || facts->overlay_off >= headers_end;
}

// Sections whose data begins below the new end of the headers go to the end of the file, whole.
static mj_status_t place_moved_data(const pe_view_t *view, const mj_facts_t *facts, mj_plan_t *plan,
                                    uint32_t headers_end)
{
    uint64_t at = view->size;
    uint32_t saved_end = headers_end;
    for (uint32_t i = 0; i < view->file.section_count; i++) {
        pe_section_t section;
        pe_section_at(view, i, &section);
        if (section.raw_off == 0 || section.raw_size == 0 || section.raw_off >= headers_end)
            continue;
        at = align_up(at, raw_alignment(view));
        if (at > UINT32_MAX)
            return MJ_TOO_LARGE;
        plan_move(plan, i, &section, (uint32_t)at);
        at += section.raw_size;
    }
    plan->headers_size = headers_end;
    save_changes(view, facts, plan, saved_end);
    return place_section(view, plan, at);
}

// A debug entry names its data by file offset too; in data that moves it would point at the headers.
static bool debug_data_below(const pe_view_t *view, uint32_t end)
{
    pe_directory_t directory = pe_directory(view, PE_DIR_DEBUG);
    pe_debug_entry_t entry;
    for (uint32_t at = 0; at + sizeof entry <= directory.size && at < 0x10000; at += sizeof entry) {
        if (!pe_read(view, directory.rva + at, &entry, sizeof entry))
            return false;
        if (entry.data_off != 0 && entry.data_off < end)
            return true;
    }
    return false;
}

static mj_status_t choose_room(const pe_view_t *view, const mj_facts_t *facts, mj_plan_t *plan)
{
    uint32_t end = table_end(view);
    bool may_add = view->file.section_count < PE_SECTION_MAX;
    if (may_add && fits_slot(view)) {
        plan->room = MJ_ROOM_SLOT;
        return place_after_headers(view, facts, plan, end + HEADER_SIZE);
    }
    if (may_add && fits_stub(view, facts)) {
        plan->room = MJ_ROOM_STUB;
        plan->nt_shift = HEADER_SIZE;
        return place_after_headers(view, facts, plan, end);
    }
    // The other rooms change section headers whose sum could not be kept.
    if (mj_overlay_needs_crc(facts, end))
        return MJ_OVERLAY_CHECKED;
    if (fits_last_section(view)) {
        plan->room = MJ_ROOM_LAST_SECTION;
        return place_last_section(view, facts, plan);
    }
    uint32_t headers_end = (uint32_t)align_up(end + HEADER_SIZE, view->optional.file_alignment);
    if (!may_add || !fits_moved_data(view, facts, headers_end) ||
        debug_data_below(view, headers_end))
        return MJ_NO_ROOM;
    plan->room = MJ_ROOM_MOVED_DATA;
    return place_moved_data(view, facts, plan, headers_end);
}

mj_status_t mj_plan_room(const pe_view_t *view, const mj_facts_t *facts, mj_plan_t *plan)
{
    mj_status_t status = choose_room(view, facts, plan);
    return status == MJ_OK ? mj_overlay_plan_zip(facts, plan) : status;
}
