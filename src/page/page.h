// SPDX-License-Identifier: MIT
// Pages: runs of slices cut into blocks of one size. A page belongs to one heap and only that heap's
// thread allocates from it. Its free blocks are on two lists:
//   free    the owner allocates from here and frees to here
//   remote  other threads push here with one exchange (remote.c); the owner collects
// malloc counts nothing. free counts down `needed` and takes its slow path when that is 0. What it
// counts depends on the state:
//   current    a heartbeat: nobody asks how many blocks of it are in use
//   full       the frees until the page is worth looking at again
//   otherwise  the frees until the page is empty; then, and for full pages, always
//              needed + wake_rest == capacity - (blocks on free) - (blocks in holes, see holes.h)
#pragma once

#include "page/size_class.h"
#include "base/invariant.h"
#include "segment/segment.h"

// The struct has no alignment: a block that the program wanted at an odd address (an offset
// that is no multiple of the alignment) begins there.
mi_inline uintptr_t mi_block_link(const mi_block_t *block)
{
    return (uintptr_t)block->next;
}

mi_inline void mi_block_set_link(mi_block_t *block, uintptr_t link)
{
    block->next = (mi_block_t *)link;
}

#if MI_PADDING
// Links are kept encoded, so that a stray write is noticed and a forged one is hard.
mi_cold void mi_block_report_damage(const mi_page_t *page, const void *block);

mi_inline mi_block_t *mi_block_next(const mi_page_t *page, const mi_block_t *block)
{
    uintptr_t link = mi_block_link(block);
    mi_block_t *next =
        (mi_block_t *)(((link >> 13) | (link << (sizeof link * 8 - 13))) ^ page->key[0]);
    if (mi_unlikely(next != NULL && mi_segment_of(next) != mi_segment_of_page(page))) {
        mi_block_report_damage(page, block);
        return NULL;
    }
    return next;
}

mi_inline void mi_block_set_next(const mi_page_t *page, mi_block_t *block, const mi_block_t *next)
{
    uintptr_t link = (uintptr_t)next ^ page->key[0];
    mi_block_set_link(block, (link << 13) | (link >> (sizeof link * 8 - 13)));
}
#else
mi_inline mi_block_t *mi_block_next(const mi_page_t *page, const mi_block_t *block)
{
    (void)page;
    return (mi_block_t *)mi_block_link(block);
}

mi_inline void mi_block_set_next(const mi_page_t *page, mi_block_t *block, const mi_block_t *next)
{
    (void)page;
    mi_block_set_link(block, (uintptr_t)next);
}
#endif

// Protects the last bytes (whole OS pages) of the page's slices until mi_page_drop_guard; does
// nothing where the system refuses.
void mi_page_set_guard(mi_page_t *page, size_t bytes);
void mi_page_drop_guard(mi_page_t *page);

// Shapes a page that mi_segment_page_alloc has cut: blocks of block_size bytes, the first one
// start_offset bytes behind the page's start.
void mi_page_init(mi_page_t *page, size_t size_class, size_t block_size, size_t start_offset);
// The same for a huge page: one block.
void mi_page_init_huge(mi_page_t *page);

typedef enum mi_page_refill {
    MI_REFILL_NONE,  // every block is in use
    MI_REFILL_FREED, // there are blocks on free
    MI_REFILL_ZERO   // the first block on free reads as zero, but for its link
} mi_page_refill_t;

// Makes sure that free is not empty, if there is any block: from remote, or by carving new ones.
mi_page_refill_t mi_page_refill(mi_page_t *page);
// Moves what other threads have freed to free. True when that woke a full page or emptied the page,
// never for a current page.
bool mi_page_collect_remote(mi_page_t *page);
// The page ceases to be the one to allocate from.
void mi_page_current_to_detached(mi_page_t *page);

// A current page has counted its heartbeat: starts the next one. A large block is worth a look each
// time.
mi_inline void mi_page_restart_heartbeat(mi_page_t *page)
{
    page->needed = page->block_size > MI_MEDIUM_PAGE_BLOCK_MAX ? 1 : 4096;
    page->is_idle = false;
}

// The page becomes the one to allocate from.
mi_inline void mi_page_to_current(mi_page_t *page)
{
    page->state = MI_PAGE_CURRENT;
    page->wake_rest = 0;
    page->used_at_look = 0;
    mi_page_restart_heartbeat(page);
}

// A page that has nothing left counts frees until an eighth of it has come back: to look at it earlier
// would mean a slow path for every block, later would leave memory idle.
mi_inline void mi_page_to_full(mi_page_t *page)
{
    mi_assert_internal(page->free == NULL && page->holes == 0);
    page->state = MI_PAGE_FULL;
    page->needed = (uint32_t)mi_max(page->capacity / 8, 1);
    page->wake_rest = (uint16_t)(page->capacity - page->needed);
}

// A full page is woken: needed counts all blocks that are out.
mi_inline void mi_page_full_to_woken(mi_page_t *page)
{
    page->needed += page->wake_rest;
    page->wake_rest = 0;
}

// Blocks that the program holds, or that wait on remote. Walks free if the page is current.
size_t mi_page_used(const mi_page_t *page);

// Start of the block that p points into; NULL when p is in no carved block.
void *mi_page_block_at(const mi_page_t *page, const void *p);
// Sets bit i for each block i that is free; bits has room for capacity bits and is zeroed first.
void mi_page_free_bits(const mi_page_t *page, uint64_t *bits);

bool mi_page_is_valid(const mi_page_t *page);
