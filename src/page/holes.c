// SPDX-License-Identifier: MIT
// Finding the parts of a page that no block in use touches, giving them back, and filling them again.
#include "page/holes.h"

#include "base/invariant.h"
#include "support/options.h"
#include "support/stats.h"

#define PARTS_MAX 16
// A look should bring so much of a page.
#define WORTH_ONE_IN 4
// 64 KiB of the smallest blocks: pages with more do not exist.
#define CAPACITY_MAX 4096

// Bytes of a part: whole OS pages.
static size_t part_size(const mi_page_t *page)
{
    return mi_align_up(page->slice_count * MI_SLICE_SIZE / PARTS_MAX, mi_os_config.page_size);
}

static size_t part_count(const mi_page_t *page)
{
    return page->slice_count * MI_SLICE_SIZE / part_size(page);
}

// The blocks that touch the parts from first up to end.
static mi_block_span_t blocks_in(const mi_page_t *page, size_t first, size_t end)
{
    size_t from = first * part_size(page) / page->block_size;
    size_t to = mi_div_up(end * part_size(page), page->block_size);
    return (mi_block_span_t){from, mi_min(to, page->capacity) - from};
}

// The next run of holes at or after part from; its end in *end. PARTS_MAX: none.
static size_t next_hole(const mi_page_t *page, size_t from, size_t *end)
{
    unsigned left = from >= PARTS_MAX ? 0 : (unsigned)page->holes >> from;
    if (left == 0)
        return PARTS_MAX;
    size_t first = from + (size_t)mi_bit_low(left);
    *end = first + (size_t)mi_bit_low(~((unsigned)page->holes >> first));
    return first;
}

size_t mi_page_bytes_of_holes(const mi_page_t *page)
{
    return (size_t)mi_bit_count(page->holes) * part_size(page);
}

size_t mi_page_hole_blocks(const mi_page_t *page)
{
    size_t count = 0;
    size_t end = 0;
    for (size_t at = next_hole(page, 0, &end); at < PARTS_MAX; at = next_hole(page, end, &end))
        count += blocks_in(page, at, end).count;
    return count;
}

void mi_page_set_hole_bits(const mi_page_t *page, uint64_t *bits)
{
    size_t end = 0;
    for (size_t at = next_hole(page, 0, &end); at < PARTS_MAX; at = next_hole(page, end, &end)) {
        mi_block_span_t span = blocks_in(page, at, end);
        for (size_t i = span.first; i < span.first + span.count; i++)
            bits[i / 64] |= UINT64_C(1) << (i % 64);
    }
}

mi_block_span_t mi_page_take_hole(mi_page_t *page)
{
    size_t end = 0;
    size_t first = next_hole(page, 0, &end);
    mi_block_span_t span = blocks_in(page, first, end);
    page->holes &= (uint16_t)~((1U << end) - (1U << first));
    return span;
}

// Parts that no block in use touches, if those that are lie at random.
static size_t expected_parts(const mi_page_t *page)
{
    size_t in_part = part_size(page) / page->block_size + 1;
    uint64_t chance = ((uint64_t)(page->capacity - page->needed) << 16) / page->capacity;
    uint64_t parts = (uint64_t)part_count(page) << 16;
    for (size_t i = 0; i < in_part && parts >> 16 != 0; i++)
        parts = parts * chance >> 16;
    return (size_t)(parts >> 16);
}

bool mi_page_may_punch(const mi_page_t *page)
{
    if (MI_PADDING || page->reserved <= 1 || page->reserved > CAPACITY_MAX ||
        page->start_offset != 0 || part_count(page) < 2 ||
        mi_segment_of_page(page)->range.arena->is_pinned)
        return false;
    // The last look found all there was: some more must have been freed since.
    if (page->used_at_look != 0 && page->needed > page->used_at_look - page->used_at_look / 4U)
        return false;
    size_t holes = (size_t)mi_bit_count(page->holes);
    return expected_parts(page) >= holes + part_count(page) / WORTH_ONE_IN;
}

static bool are_all_free(const uint64_t *bits, mi_block_span_t span)
{
    for (size_t i = span.first; i < span.first + span.count; i++) {
        if ((bits[i / 64] >> (i % 64) & 1) == 0)
            return false;
    }
    return true;
}

// The parts that no block in use touches and whose blocks are all carved.
static uint16_t find_free_parts(const mi_page_t *page, const uint64_t *bits)
{
    unsigned parts = 0;
    size_t carved = (size_t)page->capacity * page->block_size;
    for (size_t i = 0; i < part_count(page) && (i + 1) * part_size(page) <= carved; i++) {
        if (are_all_free(bits, blocks_in(page, i, i + 1)))
            parts |= 1U << i;
    }
    return (uint16_t)parts;
}

static void give_back(void *start, size_t size)
{
    if (mi_option_value(mi_option_purge_decommits) == 0)
        (void)mi_os_reset(start, size);
    else
        (void)mi_os_discard(start, size);
}

static void give_back_parts(const mi_page_t *page, uint16_t parts)
{
    size_t size = part_size(page);
    for (size_t i = 0, end; i < PARTS_MAX; i = end) {
        end = i + 1;
        if ((parts >> i & 1) == 0)
            continue;
        while (end < PARTS_MAX && (parts >> end & 1) != 0)
            end++;
        void *start = mi_offset(mi_page_start(page), i * size);
        give_back(start, (end - i) * size);
    }
}

// Links the free blocks that touch no hole, in the order of their addresses.
static void relink(mi_page_t *page, uint64_t *bits)
{
    uint64_t in_holes[CAPACITY_MAX / 64] = {0};
    mi_page_set_hole_bits(page, in_holes);
    page->free = NULL;
    for (size_t word = mi_div_up(page->capacity, 64); word-- > 0;) {
        uint64_t left = bits[word] & ~in_holes[word];
        while (left != 0) {
            size_t bit = mi_bit_high(left);
            left &= ~(UINT64_C(1) << bit);
            mi_block_t *block =
                mi_offset(mi_page_start(page), (word * 64 + bit) * page->block_size);
            mi_block_set_next(page, block, page->free);
            page->free = block;
        }
    }
}

// Brings the page near, in the order of addresses: the free list goes to and fro, and would wait for
// each line by itself.
static void fetch(const mi_page_t *page)
{
    const char *start = mi_page_start(page);
    size_t carved = (size_t)page->capacity * page->block_size;
    for (size_t at = 0; at < carved; at += mi_max(page->block_size, MI_CACHE_LINE))
        mi_prefetch(start + at);
}

size_t mi_page_punch(mi_page_t *page)
{
    mi_assert_internal(page->state != MI_PAGE_CURRENT && page->capacity <= CAPACITY_MAX);
    uint64_t bits[CAPACITY_MAX / 64];
    page->used_at_look = (uint16_t)page->needed;
    fetch(page);
    mi_page_free_bits(page, bits);
    uint16_t parts = find_free_parts(page, bits) & (uint16_t)~page->holes;
    if (parts == 0)
        return 0;
    // The list first: its links are in what goes.
    page->holes |= parts;
    relink(page, bits);
    // Where the system refuses, the memory is still there: filling such a hole costs nothing.
    give_back_parts(page, parts);
    size_t bytes = (size_t)mi_bit_count(parts) * part_size(page);
    mi_stat_process_increase(MI_STAT_purged, bytes);
    return bytes;
}
