// SPDX-License-Identifier: MIT
// The record in front of our import table: finds it again and gives the original file back. A file is
// not to be trusted because it bears our mark, so every number is checked before it is used, and the
// hash decides whether the outcome is the original.
#include "minject/minject.h"

#include <string.h>

static bool is_record_sound(const pe_view_t *view, const mj_record_t *record, uint32_t blob_off)
{
    uint32_t left = (uint32_t)view->size - blob_off;
    if (record->blob_size > left || record->saved_off > record->blob_size)
        return false;
    if (record->original_size > blob_off || record->saved_count > MJ_SAVED_MAX)
        return false;
    left = record->blob_size - record->saved_off;
    uint32_t ranges = record->saved_count * (uint32_t)sizeof(mj_range_t);
    if (ranges > left)
        return false;
    left -= ranges;
    uint32_t end = 0;
    for (uint32_t i = 0; i < record->saved_count; i++) {
        mj_range_t range;
        memcpy(&range, view->base + blob_off + record->saved_off + i * sizeof range, sizeof range);
        if (range.size > left || range.off < end || range.size > record->original_size ||
            range.off > record->original_size - range.size)
            return false;
        left -= range.size;
        end = range.off + range.size;
    }
    return true;
}

mj_status_t mj_record_find(const pe_view_t *view, mj_record_t *record, uint32_t *blob_off)
{
    uint32_t rva = pe_directory(view, PE_DIR_IMPORT).rva;
    if (rva < sizeof *record ||
        !pe_offset_of_rva(view, rva - (uint32_t)sizeof *record, sizeof *record, blob_off))
        return MJ_NOT_INJECTED;
    memcpy(record, view->base + *blob_off, sizeof *record);
    if (memcmp(record->magic, MJ_RECORD_MAGIC, sizeof record->magic) != 0)
        return MJ_NOT_INJECTED;
    return is_record_sound(view, record, *blob_off) ? MJ_OK : MJ_BAD_RECORD;
}

static mj_range_t saved_range(const uint8_t *bytes, const mj_record_t *record, uint32_t blob_off,
                              uint32_t index)
{
    mj_range_t range;
    memcpy(&range, bytes + blob_off + record->saved_off + index * sizeof range, sizeof range);
    return range;
}

static const uint8_t *saved_bytes(const uint8_t *bytes, const mj_record_t *record,
                                  uint32_t blob_off)
{
    return bytes + blob_off + record->saved_off + record->saved_count * sizeof(mj_range_t);
}

uint64_t mj_record_restored_hash(const uint8_t *bytes, const mj_record_t *record, uint32_t blob_off)
{
    mj_hash_t hash;
    uint32_t at = 0;
    const uint8_t *saved = saved_bytes(bytes, record, blob_off);
    mj_hash_begin(&hash);
    for (uint32_t i = 0; i < record->saved_count; i++) {
        mj_range_t range = saved_range(bytes, record, blob_off, i);
        mj_hash_add(&hash, bytes + at, range.off - at);
        mj_hash_add(&hash, saved, range.size);
        saved += range.size;
        at = range.off + range.size;
    }
    mj_hash_add(&hash, bytes + at, record->original_size - at);
    return mj_hash_end(&hash);
}

mj_status_t mj_record_restore(const pe_view_t *view, uint8_t *bytes, uint32_t *size)
{
    mj_record_t record;
    uint32_t blob_off;
    mj_status_t status = mj_record_find(view, &record, &blob_off);
    if (status != MJ_OK)
        return status;
    if (mj_record_restored_hash(bytes, &record, blob_off) != record.original_hash)
        return MJ_CHANGED_SINCE;
    // The record lies behind the original's end, so nothing that is still to be read is overwritten.
    const uint8_t *saved = saved_bytes(bytes, &record, blob_off);
    for (uint32_t i = 0; i < record.saved_count; i++) {
        mj_range_t range = saved_range(bytes, &record, blob_off, i);
        memcpy(bytes + range.off, saved, range.size);
        saved += range.size;
    }
    *size = record.original_size;
    return MJ_OK;
}
