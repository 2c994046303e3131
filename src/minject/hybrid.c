// SPDX-License-Identifier: MIT
// ARM64X images carry fixups which the system applies to the mapped image, headers included, when it
// is loaded into an x64 process. If they rewrite header fields that we change, the result would be
// right on one side only. The table is described in Microsoft's winnt.h
// (IMAGE_DYNAMIC_RELOCATION_ARM64X): version 1, entries with a symbol, each with blocks per page.
#include "minject/minject.h"

#define SYMBOL_ARM64X 6U

typedef struct fixup_block {
    uint32_t page_rva;
    uint32_t size; // with this header
} fixup_block_t;

// A fixup's own bytes behind its 16-bit word: kind 0 zeroes, 1 stores a value, 2 adds a delta.
static uint32_t payload_size(uint16_t word)
{
    switch (word >> 12 & 3) {
    case 1:
        return 1U << (word >> 14);
    case 2:
        return 2;
    default:
        return 0;
    }
}

// The bytes of the image that a fixup changes; of a delta it is not known, at most 8.
static uint32_t target_size(uint16_t word)
{
    return (word >> 12 & 3) == 2 ? 8 : 1U << (word >> 14);
}

static bool block_touches(const pe_view_t *view, uint32_t rva, const fixup_block_t *block,
                          mj_range_t range)
{
    uint32_t at = sizeof *block;
    while (at + 2 <= block->size) {
        uint16_t word;
        if (!pe_read(view, rva + at, &word, sizeof word))
            return false;
        // A zero word pads the block to a multiple of four.
        uint32_t target = block->page_rva + (word & 0xfffU);
        if (word != 0 && target < range.off + range.size && target + target_size(word) > range.off)
            return true;
        at += 2 + (payload_size(word) + 1) / 2 * 2;
    }
    return false;
}

static bool blocks_touch(const pe_view_t *view, uint32_t rva, uint32_t size, mj_range_t range)
{
    while (size >= sizeof(fixup_block_t)) {
        fixup_block_t block;
        if (!pe_read(view, rva, &block, sizeof block))
            return false;
        if (block.size < sizeof block || block.size > size)
            return false;
        if (block.page_rva <= PE_SECTION_MAX * PE_OS_PAGE &&
            block_touches(view, rva, &block, range))
            return true;
        rva += block.size;
        size -= block.size;
    }
    return false;
}

bool mj_hybrid_touches(const pe_view_t *view, mj_range_t range)
{
    pe_load_config_t config;
    struct {
        uint32_t version;
        uint32_t size;
    } table;
    if (pe_load_config(view, &config) != PE_OK || config.dynamic_relocations_rva == 0)
        return false;
    uint32_t rva = config.dynamic_relocations_rva;
    if (!pe_read(view, rva, &table, sizeof table) || table.version != 1)
        return false;
    uint32_t left = table.size;
    if (left > pe_available(view, rva) - sizeof table)
        return false;
    rva += (uint32_t)sizeof table;
    uint32_t width = pe_thunk_width(view);
    while (left >= width + 4) {
        uint64_t symbol = 0;
        uint32_t size = 0;
        if (!pe_read(view, rva, &symbol, width) || !pe_read(view, rva + width, &size, sizeof size))
            return false;
        rva += width + 4;
        left -= width + 4;
        if (size > left)
            return false;
        if (symbol == SYMBOL_ARM64X && blocks_touch(view, rva, size, range))
            return true;
        rva += size;
        left -= size;
    }
    return false;
}
