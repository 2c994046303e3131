// SPDX-License-Identifier: MIT
// Holes: memory inside of a partly used page that was given back to the system. A page is looked at in
// up to 16 parts of whole OS pages each; a part is a hole when no block in use touches it. The blocks
// that touch a hole are free, but on no list, until the hole is filled again. A block never touches two
// holes that are apart: what lies between them touches a block in use, and holes are only made and
// filled whole.
// Builds with padding have none: it tells of freed blocks what they hold.
#pragma once

#include "page/page.h"

typedef struct mi_block_span {
    size_t first; // index of the first block
    size_t count;
} mi_block_span_t;

// False when punching the page, which is in the queue of available ones, is not worth a look at its
// free list: parts without a block in use are not to be expected.
bool mi_page_may_punch(const mi_page_t *page);
// Gives back each part that no block in use touches. Returns the bytes given back.
size_t mi_page_punch(mi_page_t *page);
// Fills the first hole: its blocks are the caller's. The page has one.
mi_block_span_t mi_page_take_hole(mi_page_t *page);

size_t mi_page_bytes_of_holes(const mi_page_t *page);
mi_inline size_t mi_page_hole_bytes(const mi_page_t *page)
{
    return mi_likely(page->holes == 0) ? 0 : mi_page_bytes_of_holes(page);
}
// Blocks that touch a hole: their number, and their bits (see mi_page_free_bits) are set.
size_t mi_page_hole_blocks(const mi_page_t *page);
void mi_page_set_hole_bits(const mi_page_t *page, uint64_t *bits);
