// SPDX-License-Identifier: MIT
// The record behind a block, in the variants that have one.
#include "check.h"
#include "mimalloc.h"
#include "page/padding.h"
#include "segment/segment.h"

enum { FULL = 24, BLOCKS = 4000, NO_TEXT = 0x80 }; // FULL leaves no gap before the record

static void *blocks[BLOCKS];

static mi_block_fault_t fault_of(const void *block)
{
    size_t size;
    size_t past_end;
    const mi_page_t *page = mi_segment_page_at(mi_segment_of(block), block);
    return mi_padding_check(page, block, &size, &past_end);
}

// What a program writes that counts one character too few.
TEST(a_character_or_a_terminator_behind_a_full_block_is_always_noticed)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = mi_malloc(FULL);
        REQUIRE(blocks[i] != NULL && fault_of(blocks[i]) == MI_BLOCK_GOOD);
        unsigned char *volatile start = blocks[i];
        unsigned char *behind = start + FULL;
        unsigned char kept = *behind;
        for (unsigned value = 0; value < NO_TEXT; value++) {
            *behind = (unsigned char)value;
            REQUIRE(fault_of(blocks[i]) == MI_BLOCK_OVERFLOWED);
        }
        *behind = kept;
    }
    for (size_t i = 0; i < BLOCKS; i++)
        mi_free(blocks[i]);
}

TEST_MAIN(RUN(a_character_or_a_terminator_behind_a_full_block_is_always_noticed))
