// SPDX-License-Identifier: MIT
// The fixups are described in Microsoft's winnt.h (IMAGE_DYNAMIC_RELOCATION_ARM64X): a table of
// version 1, entries with a symbol, each with blocks per page, each with words: 12 bits of offset, a
// kind and its own bits.
#include "support/arm64x.h"

#include <string.h>

enum { SYMBOL_ARM64X = 6 };

static uint32_t read32(const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

static uint16_t read16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

// Applies the fixup whose word is at `at`; returns the bytes that it takes.
static uint32_t apply_one(uint8_t *image, uint32_t page_rva, const uint8_t *at)
{
    uint16_t word = read16(at);
    uint8_t *target = image + page_rva + (word & 0xFFF);
    uint32_t size = 1U << (word >> 14);
    if (word == 0) // fills the block up
        return 2;
    switch (word >> 12 & 3) {
    case 0:
        memset(target, 0, size);
        return 2;
    case 1:
        memcpy(target, at + 2, size);
        return 2 + (size + 1) / 2 * 2;
    default: { // a multiple of 8 or 4, added or taken away
        uint32_t delta = (uint32_t)read16(at + 2) * ((word >> 15) != 0 ? 8 : 4);
        uint32_t value = read32(target);
        value = (word >> 14 & 1) != 0 ? value - delta : value + delta;
        memcpy(target, &value, sizeof value);
        return 4;
    }
    }
}

static void apply_blocks(uint8_t *image, const uint8_t *blocks, uint32_t size)
{
    for (uint32_t at = 0; at + 8 <= size;) {
        uint32_t page_rva = read32(blocks + at);
        uint32_t block_size = read32(blocks + at + 4);
        for (uint32_t i = 8; i + 2 <= block_size;)
            i += apply_one(image, page_rva, blocks + at + i);
        at += block_size >= 8 ? block_size : 8;
    }
}

bool arm64x_become_x64(uint8_t *image, pe_view_t *view)
{
    pe_load_config_t config;
    if (pe_load_config(view, &config) != PE_OK || config.dynamic_relocations_rva == 0)
        return false;
    const uint8_t *table = image + config.dynamic_relocations_rva;
    uint32_t size = read32(table + 4);
    bool is_done = false;
    for (uint32_t at = 8; at + 12 <= 8 + size;) {
        uint32_t blocks_size = read32(table + at + 8);
        if (read32(table + at) == SYMBOL_ARM64X) {
            apply_blocks(image, table + at + 12, blocks_size);
            is_done = true;
        }
        at += 12 + blocks_size;
    }
    uint32_t image_size = view->optional.image_size;
    return is_done && pe_view_init(view, image, image_size, PE_LAYOUT_MAPPED) == PE_OK;
}
