// SPDX-License-Identifier: MIT
// Two kinds of appended data stay valid only with a few bytes' help, which --remove takes back:
//
// A zip archive ends with a record whose comment must reach to the end of the file; strict readers
// (Bazel's) insist. Our data becomes part of the comment: its length, two bytes, is raised.
//
// An NSIS installer compares a CRC-32 of everything from offset 512 on up to its own data's end. The
// section headers often lie behind offset 512, so four unused bytes behind them are chosen such that
// the CRC is what it was. The check keeps guarding the installer's data.
#include "minject/minject.h"

#include <string.h>

#define CRC_FROM        512U
#define CRC_POLYNOMIAL  0xedb88320U
#define ZIP_RECORD_SIZE 22U // end of central directory, without comment
#define ZIP_COMMENT_AT  20U

static uint32_t crc_of(const uint8_t *bytes, uint32_t from, uint32_t to)
{
    uint32_t state = 0xffffffffU;
    for (uint32_t i = from; i < to; i++) {
        state ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++)
            state = (state & 1) != 0 ? state >> 1 ^ CRC_POLYNOMIAL : state >> 1;
    }
    return state;
}

// The state from which four zero bytes lead to this one: each bit's step taken back.
static uint32_t crc_before_zeros(uint32_t state)
{
    for (unsigned bit = 0; bit < 32; bit++)
        state = (state & 0x80000000U) != 0 ? (state ^ CRC_POLYNOMIAL) << 1 | 1 : state << 1;
    return state;
}

static uint16_t get16(const uint8_t *from)
{
    uint16_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

void mj_overlay_find_zip(const pe_view_t *view, mj_facts_t *facts)
{
    uint32_t size = (uint32_t)view->size;
    uint32_t end = facts->overlay_off + facts->overlay_size;
    uint32_t least = facts->overlay_off;
    if (end != size || facts->overlay_size < ZIP_RECORD_SIZE)
        return;
    if (facts->overlay_size > 0x10000 + ZIP_RECORD_SIZE)
        least = size - 0x10000 - ZIP_RECORD_SIZE;
    for (uint32_t at = size - ZIP_RECORD_SIZE + 1; at-- > least;) {
        if (view->base[at] == 'P' && memcmp(view->base + at, "PK\005\006", 4) == 0 &&
            get16(view->base + at + ZIP_COMMENT_AT) == size - at - ZIP_RECORD_SIZE) {
            facts->zip_record_off = at;
            return;
        }
    }
}

bool mj_overlay_needs_crc(const mj_facts_t *facts, uint32_t headers_end)
{
    return facts->checks_crc && headers_end > CRC_FROM;
}

void mj_overlay_plan_crc(const pe_view_t *view, mj_plan_t *plan, uint32_t fix_off)
{
    plan->crc_fix_off = fix_off;
    plan->crc_target = crc_of(view->base, CRC_FROM, fix_off + 4);
}

mj_status_t mj_overlay_plan_zip(const mj_facts_t *facts, mj_plan_t *plan)
{
    if (facts->zip_record_off == 0)
        return MJ_OK;
    uint32_t length = plan->new_size - facts->zip_record_off - ZIP_RECORD_SIZE;
    // A program that reads a file of its own this way would no longer find the record.
    if (length > UINT16_MAX)
        return MJ_OVERLAY_AT_END;
    plan->zip_comment_off = facts->zip_record_off + ZIP_COMMENT_AT;
    plan->zip_comment_length = (uint16_t)length;
    return MJ_OK;
}

void mj_overlay_apply(uint8_t *bytes, const mj_plan_t *plan)
{
    if (plan->zip_comment_off != 0)
        memcpy(bytes + plan->zip_comment_off, &plan->zip_comment_length, 2);
    if (plan->crc_fix_off == 0)
        return;
    uint32_t fix = crc_before_zeros(plan->crc_target) ^ crc_of(bytes, CRC_FROM, plan->crc_fix_off);
    memcpy(bytes + plan->crc_fix_off, &fix, sizeof fix);
}
