// SPDX-License-Identifier: MIT
// Looking at heaps from outside: whose block is this, and a walk over all blocks.
#include "heap/heap.h"
#include "heap/init.h"
#include "heap/park.h"
#include "page/padding.h"
#include "page/remote.h"
#include "support/options.h"

// Blocks of the smallest size in a page. Small enough for the stack of any thread: a
// frame beyond an OS page would need a probe that our DLL does not have.
#define MAX_BLOCKS (MI_SMALL_PAGE_SIZE / MI_BLOCK_ALIGN)

// ---- ownership ----

// The page of a pointer into memory of ours; NULL for any other pointer. Never reads foreign memory.
static mi_page_t *page_of(const void *p)
{
    if (mi_segment_map_owner(p) == MI_OWNER_NOT_OURS)
        return NULL;
    mi_segment_t *segment = mi_segment_map_start(p);
    mi_page_t *page = segment->huge_size != 0 ? &segment->pages[MI_SEGMENT_INFO_SLICES]
                                              : mi_segment_page_at(segment, p);
    return page == &segment->invalid ? NULL : page;
}

static bool is_live(const mi_page_t *page, const void *block)
{
    uint64_t bits[MAX_BLOCKS / 64];
    size_t index = ((uintptr_t)block - (uintptr_t)mi_page_start(page)) / mi_page_block_size(page);
    mi_page_free_bits(page, bits);
    return (bits[index / 64] >> (index % 64) & 1) == 0;
}

static bool owns_page(const mi_heap_t *heap, const mi_page_t *page)
{
    return page != NULL && heap != NULL && page->heap == heap;
}

bool mi_heap_contains_block(mi_heap_t *heap, const void *p)
{
    return owns_page(heap, page_of(p));
}

bool mi_heap_check_owned(mi_heap_t *heap, const void *p)
{
    mi_page_t *page = mi_is_aligned(p, MI_WORD_SIZE) ? page_of(p) : NULL;
    if (!owns_page(heap, page))
        return false;
    void *block = mi_page_block_at(page, p);
    return block != NULL && is_live(page, block);
}

bool mi_check_owned(const void *p)
{
    return mi_heap_check_owned(mi_heap_current(), p);
}

bool mi_is_in_heap_region(const void *p)
{
    return mi_segment_map_owner(p) != MI_OWNER_NOT_OURS;
}

// ---- walking ----

typedef struct visit {
    const mi_heap_t *heap;    // NULL: pages of no heap
    mi_block_visit_fun *call; // the program's
    void *arg;
    bool visit_blocks;
    bool goes_on; // false once call has said so
} visit_t;

static bool visit_live_blocks(const mi_page_t *page, const mi_heap_area_t *area, visit_t *visit)
{
    uint64_t bits[MAX_BLOCKS / 64];
    mi_page_free_bits(page, bits);
    for (size_t i = 0; i < page->capacity; i++) {
        if ((bits[i / 64] >> (i % 64) & 1) != 0)
            continue;
        void *block = mi_offset(area->blocks, i * area->full_block_size);
        if (!visit->call(visit->heap, area, block, area->block_size, visit->arg))
            return false;
    }
    return true;
}

static void visit_page(mi_page_t *page, void *arg)
{
    visit_t *visit = arg;
    if (!visit->goes_on || page->heap != visit->heap)
        return;
    // A page in a heap's queue may not be emptied behind the queue's back.
    if (page->heap == NULL)
        (void)mi_page_collect_remote(page);
    size_t size = mi_page_block_size(page);
    mi_heap_area_t area = {
        .blocks = mi_page_start(page),
        .reserved = page->reserved * size,
        .committed = page->capacity * size,
        .used = mi_page_used(page),
        .block_size = size - MI_PADDING_SIZE,
        .full_block_size = size,
        .heap_tag = visit->heap == NULL ? 0 : visit->heap->tag,
    };
    visit->goes_on = visit->call(visit->heap, &area, NULL, size, visit->arg) &&
                     (!visit->visit_blocks || visit_live_blocks(page, &area, visit));
}

bool mi_heap_visit_blocks(const mi_heap_t *heap, bool visit_blocks, mi_block_visit_fun *visitor,
                          void *arg)
{
    heap = heap == NULL || heap->front.is_stub ? mi_heap_current() : heap;
    if (heap == NULL || visitor == NULL)
        return false;
    // What others have freed is not shown, as far as it is there by now.
    mi_heap_collect_pages((mi_heap_t *)(uintptr_t)heap, MI_COLLECT_FORCE);
    mi_segments_t *segments = &heap->front.thread->segments;
    visit_t visit = {heap, visitor, arg, visit_blocks, true};
    mi_segment_t *segment = segments->first;
    for (size_t i = 0; i < segments->count && visit.goes_on; i++, segment = segment->next)
        mi_segment_visit_pages(segment, visit_page, &visit);
    return visit.goes_on;
}

static void visit_abandoned_part(mi_thread_t *thread, mi_arena_t *arena, size_t part, void *subproc,
                                 visit_t *visit)
{
    mi_arena_range_t range = {arena, part, 1};
    mi_segment_t *segment = mi_arena_range_start(&range);
    // Closed for the time of the visit, so that nobody changes or frees it.
    if (!mi_bitmap_is_set(arena->abandoned, part) ||
        !mi_segment_map_claim(segment, MI_OWNER_CLOSING))
        return;
    if (segment->subproc == subproc)
        mi_segment_visit_pages(segment, visit_page, visit);
    mi_abandon_settle(thread, segment);
}

bool mi_abandoned_visit_blocks(mi_subproc_id_t subproc_id, int heap_tag, bool visit_blocks,
                               mi_block_visit_fun *visitor, void *arg)
{
    mi_heap_t *heap = mi_heap_current();
    // Pages of ended threads carry no tag any more; -1 asks for all.
    if (!mi_option_is_on(mi_option_visit_abandoned) || heap == NULL || visitor == NULL ||
        heap_tag > 0)
        return false;
    visit_t visit = {NULL, visitor, arg, visit_blocks, true};
    mi_park_end_all();
    for (size_t i = 0; i < mi_arena_count(); i++) {
        mi_arena_t *arena = mi_arena_at(i);
        for (size_t part = 0; arena != NULL && part < arena->part_count && visit.goes_on; part++)
            visit_abandoned_part(heap->front.thread, arena, part, subproc_id, &visit);
    }
    return visit.goes_on;
}

bool mi_unsafe_heap_page_is_under_utilized(mi_heap_t *heap, void *p, size_t perc_threshold)
{
    const mi_page_t *page = page_of(p);
    // What another heap holds cannot be looked at, and what is in use alone is not worth moving.
    if (!owns_page(heap, page) || page->reserved <= 1)
        return false;
    return mi_page_used(page) * 100 < page->reserved * perc_threshold;
}
