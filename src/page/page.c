// SPDX-License-Identifier: MIT
// The life of a page's blocks: carved, free, used, freed. Nothing here knows about queues or about
// segments beyond where the page's memory begins.
#include "page/page.h"

#include <errno.h>

#include "base/invariant.h"
#include "page/holes.h"
#include "page/remote.h"
#include "support/message.h"

// New blocks are linked, and so touched, a few at a time: memory that is not used stays untouched.
#define CARVE_BYTES_FRESH ((size_t)4 * MI_KIB)
// Memory that has been used before costs nothing to touch.
#define CARVE_BYTES_USED  ((size_t)16 * MI_KIB)
#define CARVE_BLOCKS_USED 16

static void set_keys(mi_page_t *page)
{
#if MI_PADDING
    mi_segments_t *segments = mi_segment_of_page(page)->list;
    page->key[0] = mi_random_key(&segments->random);
    page->key[1] = mi_random_key(&segments->random);
#else
    (void)page;
#endif
}

#if MI_PADDING
mi_cold void mi_block_report_damage(const mi_page_t *page, const void *block)
{
    mi_error_report(EFAULT,
                    "block %p of %zu bytes was written to after it was freed: the list of free "
                    "blocks of its page is lost",
                    block, mi_page_block_size(page));
}
#endif

void mi_page_init(mi_page_t *page, size_t size_class, size_t block_size, size_t start_offset)
{
    size_t room = page->slice_count * MI_SLICE_SIZE - start_offset;
    page->size_class = (uint8_t)size_class;
    page->block_size = (uint32_t)block_size;
    page->start_offset = (uint32_t)start_offset;
    if (MI_SECURE && size_class != MI_CLASS_HUGE) {
        room -= mi_os_config.page_size;
        mi_page_set_guard(page, mi_os_config.page_size);
    }
    bool is_single = size_class == MI_CLASS_HUGE || block_size > MI_MEDIUM_PAGE_BLOCK_MAX;
    page->reserved = is_single ? 1 : (uint16_t)mi_min(room / block_size, UINT16_MAX);
    mi_remote_init(page);
    set_keys(page);
}

void mi_page_init_huge(mi_page_t *page)
{
    page->size_class = MI_CLASS_HUGE;
    page->block_size = 0;
    page->reserved = 1;
    mi_remote_init(page);
    set_keys(page);
}

static void *guard_of(const mi_page_t *page, size_t bytes)
{
    return mi_offset(mi_page_slices_start(page), page->slice_count * MI_SLICE_SIZE - bytes);
}

void mi_page_set_guard(mi_page_t *page, size_t bytes)
{
    page->has_guard = mi_os_protect(guard_of(page, bytes), bytes);
}

void mi_page_drop_guard(mi_page_t *page)
{
    if (page->has_guard)
        (void)mi_os_unprotect(guard_of(page, mi_os_config.page_size), mi_os_config.page_size);
    page->has_guard = false;
}

static mi_block_t *block_at(const mi_page_t *page, size_t index)
{
    return mi_offset(mi_page_start(page), index * page->block_size);
}

#if !MI_SECURE
static void link_in_order(mi_page_t *page, size_t first, size_t count)
{
    mi_block_t *block = block_at(page, first);
    page->free = block;
    for (size_t i = 1; i < count; i++) {
        mi_block_t *next = mi_offset(block, page->block_size);
        mi_block_set_next(page, block, next);
        block = next;
    }
    mi_block_set_next(page, block, NULL);
}
#else
// A stride without a common factor visits every block once, from a random start.
static void link_shuffled(mi_page_t *page, size_t first, size_t count)
{
    static const size_t strides[] = {8191, 131071, 524287, 2147483647};
    size_t stride = strides[page->key[1] % 4] % count;
    size_t at = page->key[0] % count;
    if (count < 3 || stride == 0 || count % strides[page->key[1] % 4] == 0)
        stride = 1;
    page->free = NULL;
    for (size_t i = 0; i < count; i++) {
        mi_block_t *block = block_at(page, first + at);
        mi_block_set_next(page, block, page->free);
        page->free = block;
        at = (at + stride) % count;
    }
}
#endif

// Carves count new blocks onto the empty free list.
static void carve(mi_page_t *page, size_t count)
{
    size_t first = page->capacity;
    page->capacity = (uint16_t)(first + count);
#if MI_SECURE
    link_shuffled(page, first, count);
#else
    link_in_order(page, first, count);
#endif
}

#if !MI_PADDING
static bool refill_hole(mi_page_t *page)
{
    if (page->holes == 0)
        return false;
    mi_block_span_t span = mi_page_take_hole(page);
    link_in_order(page, span.first, span.count);
    return true;
}
#else
static bool refill_hole(mi_page_t *page)
{
    (void)page;
    return false;
}
#endif

// Blocks to carve where the page's memory was used before, up to the end of that.
static size_t carve_count_used(const mi_page_t *page, size_t bytes_left)
{
    // Twice as many each time: a thread that ends soon needs a few blocks of each class.
    size_t fit = mi_min(CARVE_BYTES_USED / page->block_size, page->capacity);
    fit = mi_max(fit, CARVE_BLOCKS_USED);
    return mi_min(fit, mi_max(bytes_left / page->block_size, 1));
}

static size_t carve_count(const mi_page_t *page)
{
    size_t left = (size_t)page->reserved - page->capacity;
    size_t at = page->start_offset + (size_t)page->capacity * page->block_size;
    size_t used_end = page->used_before * MI_SLICE_SIZE;
    if (left == 1)
        return left;
    size_t count = at < used_end ? carve_count_used(page, used_end - at)
                                 : mi_max(CARVE_BYTES_FRESH / page->block_size, 1);
    return mi_min(left, count);
}

mi_page_refill_t mi_page_refill(mi_page_t *page)
{
    mi_assert_internal(page->state == MI_PAGE_CURRENT);
    if (page->free == NULL)
        (void)mi_page_collect_remote(page);
    if (page->free != NULL || refill_hole(page))
        return MI_REFILL_FREED;
    if (page->capacity == page->reserved)
        return MI_REFILL_NONE;
    carve(page, carve_count(page));
    return page->fresh_is_zero ? MI_REFILL_ZERO : MI_REFILL_FREED;
}

// The last block of a list and the number of its blocks.
static mi_block_t *list_tail(const mi_page_t *page, mi_block_t *list, uint32_t *count)
{
    mi_block_t *tail = list;
    *count = 1;
    for (mi_block_t *next = mi_block_next(page, tail); next != NULL;
         next = mi_block_next(page, tail)) {
        tail = next;
        (*count)++;
    }
    return tail;
}

// Counts blocks that have come back to a page that is not current.
static bool count_freed(mi_page_t *page, uint32_t count)
{
    if (count < page->needed) {
        page->needed -= count;
        return false;
    }
    // Woken or empty: needed counts all that is still out, as mi_page_full_to_woken would leave it.
    page->needed = page->needed + page->wake_rest - count;
    page->wake_rest = 0;
    return true;
}

// Joins the list with free. Of two lists the own one is walked to its end: its blocks are few, and
// near; those of other threads are in other caches.
static void put_on_free(mi_page_t *page, mi_block_t *list)
{
    uint32_t count;
    if (page->free == NULL)
        page->free = list;
    else
        mi_block_set_next(page, list_tail(page, page->free, &count), list);
}

// All blocks are free, and what they held is gone: the page is as one that was just cut out of memory
// that was used before.
static bool take_uncarved(mi_page_t *page)
{
    mi_assert_internal(page->free == NULL && page->holes == 0);
    size_t out = page->capacity;
    mi_segment_page_mark_used(page);
    page->capacity = 0;
    return page->state != MI_PAGE_CURRENT && count_freed(page, (uint32_t)out);
}

bool mi_page_collect_remote(mi_page_t *page)
{
    mi_remote_list_t list = mi_remote_take(page);
    if (list.is_all)
        return take_uncarved(page);
    if (list.first == NULL)
        return false;
    if (list.count == 0 && page->state != MI_PAGE_CURRENT)
        (void)list_tail(page, list.first, &list.count);
    put_on_free(page, list.first);
    return page->state != MI_PAGE_CURRENT && count_freed(page, list.count);
}

// ---- states ----

void mi_page_current_to_detached(mi_page_t *page)
{
    uint32_t free_count = 0;
    if (page->free != NULL)
        (void)list_tail(page, page->free, &free_count);
    page->needed = page->capacity - free_count - (uint32_t)mi_page_hole_blocks(page);
    page->state = MI_PAGE_DETACHED;
}

size_t mi_page_used(const mi_page_t *page)
{
    uint32_t free_count = 0;
    if (page->state != MI_PAGE_CURRENT)
        return (size_t)page->needed + page->wake_rest;
    if (page->free != NULL)
        (void)list_tail(page, page->free, &free_count);
    return page->capacity - free_count - mi_page_hole_blocks(page);
}

void *mi_page_block_at(const mi_page_t *page, const void *p)
{
    uintptr_t start = (uintptr_t)mi_page_start(page);
    if ((uintptr_t)p < start)
        return NULL;
    size_t index = ((uintptr_t)p - start) / mi_page_block_size(page);
    return index < page->capacity ? mi_offset((void *)start, index * mi_page_block_size(page))
                                  : NULL;
}

static void mark(const mi_page_t *page, const mi_block_t *list, uint64_t *bits)
{
    // A product instead of a division: of multiples of the size, below 2^32 bytes, it gives the same.
    uint64_t per_block = (UINT64_C(1) << 32) / mi_max(mi_page_block_size(page), 1) + 1;
    uintptr_t start = (uintptr_t)mi_page_start(page);
    for (; list != NULL; list = mi_block_next(page, list)) {
        size_t index = page->capacity == 1 ? 0 : ((uintptr_t)list - start) * per_block >> 32;
        bits[index / 64] |= UINT64_C(1) << (index % 64);
    }
}

void mi_page_free_bits(const mi_page_t *page, uint64_t *bits)
{
    for (size_t i = 0; i < mi_div_up(page->capacity, 64); i++)
        bits[i] = 0;
    mark(page, page->free, bits);
    mi_page_set_hole_bits(page, bits);
}

static bool list_is_valid(const mi_page_t *page, const mi_block_t *list, size_t *count)
{
    *count = 0;
    for (; list != NULL; list = mi_block_next(page, list)) {
        if (mi_page_block_at(page, list) != list || ++*count > page->capacity)
            return false;
    }
    return true;
}

bool mi_page_is_valid(const mi_page_t *page)
{
    size_t free_count;
    return page->capacity <= page->reserved && list_is_valid(page, page->free, &free_count) &&
           (page->state == MI_PAGE_CURRENT ||
            page->needed + page->wake_rest + free_count + mi_page_hole_blocks(page) ==
                page->capacity);
}
