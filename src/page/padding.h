// SPDX-License-Identifier: MIT
// Padding: in debug and secure builds each block ends in a record of its exact size and a canary that
// depends on the page's key and the block's address. A write past the block's end, a second free and
// a free of something that is no block all show in it.
#pragma once

#include "page/page.h"

// Bytes that a block is larger than asked for.
#define MI_PADDING_SIZE ((size_t)(MI_PADDING ? 8 : 0))

typedef enum mi_block_fault {
    MI_BLOCK_GOOD,
    MI_BLOCK_NOT_START,  // the pointer is not the start of a block
    MI_BLOCK_FREED,      // it has been freed already
    MI_BLOCK_OVERFLOWED, // something was written behind its end
} mi_block_fault_t;

// Marks block (of page) as handed out with size bytes.
void mi_padding_set(const mi_page_t *page, void *block, size_t size);
// Marks it as freed.
void mi_padding_set_freed(const mi_page_t *page, void *block);
// What its padding says; *size is the size asked for (as far as it can be told), *past_end the
// distance from the block's end to the first byte that was changed.
mi_block_fault_t mi_padding_check(const mi_page_t *page, const void *block, size_t *size,
                                  size_t *past_end);
// The block that p points into, carved or not; NULL when p is in none.
const void *mi_padding_block_around(const mi_page_t *page, const void *p);
