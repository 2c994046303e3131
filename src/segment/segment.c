// SPDX-License-Identifier: MIT
// Creating and freeing segments, and cutting pages out of them. Purging is in purge.c, the hand-over
// of a segment between threads in heap/abandon.c.
#include "segment/segment.h"

#include "base/invariant.h"
#include "segment/purge.h"
#include "memory/slice_mask.h"
#include "support/stats.h"

_Static_assert(offsetof(mi_segment_t, pages) + sizeof(mi_page_t) * MI_SLICES_PER_SEGMENT <=
                   (mi_page_offset_t)-1,
               "a page record is found by its offset");
_Static_assert(MI_PADDING || !MI_64BIT || sizeof(mi_page_t) == MI_CACHE_LINE,
               "a page record is one cache line");

// ---- the thread's list ----

static void list_add(mi_segments_t *segments, mi_segment_t *segment)
{
    if (segments->first == NULL) {
        segment->next = segment->prev = segment;
        segments->first = segment;
    } else {
        segment->next = segments->first;
        segment->prev = segments->first->prev;
        segment->prev->next = segment;
        segment->next->prev = segment;
    }
    segment->list = segments;
    mi_store_relaxed(&segment->owner_hint, segments);
    segments->count++;
}

static void list_remove(mi_segments_t *segments, mi_segment_t *segment)
{
    if (segment->next == segment)
        segments->first = NULL;
    else if (segments->first == segment)
        segments->first = segment->next;
    segment->next->prev = segment->prev;
    segment->prev->next = segment->next;
    segment->list = NULL;
    segments->count--;
}

// ---- making and freeing ----

static bool commit_header(const mi_arena_range_t *range)
{
    return mi_arena_commit(range, 0, MI_SEGMENT_INFO_SLICES);
}

static void clear_header(mi_segment_t *segment)
{
    // Page records are written when a page is cut; everything before them must be zero.
    mi_fill(segment, 0, offsetof(mi_segment_t, pages));
}

// Takes part_count parts and writes the header. The segment is in no list.
static mi_segment_t *segment_make(mi_segments_t *segments, size_t part_count, int arena_id)
{
    mi_arena_range_t range = mi_arena_alloc(part_count, arena_id);
    if (range.arena == NULL)
        return NULL;
    if (!commit_header(&range)) {
        mi_arena_free(range);
        return NULL;
    }
    mi_segment_t *segment = mi_arena_range_start(&range);
    if (!mi_arena_take_zero(&range, 0, MI_SEGMENT_INFO_SLICES))
        clear_header(segment);
    segment->invalid.needed = 1;
    segment->range = range;
    segment->size = part_count * MI_SEGMENT_SIZE;
    segment->subproc = segments->subproc;
    mi_segment_map_enter(segment, segment->size, segments->key);
    mi_stat_process_increase(MI_STAT_segments, 1);
    return segment;
}

static void segment_release(mi_segment_t *segment)
{
    mi_arena_range_t range = segment->range;
    mi_segment_map_remove(segment, segment->size);
    mi_stat_process_decrease(MI_STAT_segments, 1);
    mi_arena_free(range);
}

// Nothing is known of the runs of free slices.
static void expect_any_run(mi_segment_t *segment)
{
    segment->longest_used = segment->longest_free = MI_SLICES_PER_SEGMENT;
}

static mi_segment_t *segment_new(mi_segments_t *segments, int arena_id)
{
    mi_segment_t *segment = segments->cached;
    if (segment != NULL && (arena_id == 0 || segment->range.arena->id == arena_id)) {
        segments->cached = NULL;
        list_add(segments, segment);
        return segment;
    }
    segment = segment_make(segments, 1, arena_id);
    if (segment == NULL)
        return NULL;
    size_t info = MI_SEGMENT_INFO_SLICES;
    mi_slice_mask_set(segment->free_mask, info, MI_SLICES_PER_SEGMENT - info);
    segment->free_slices = (uint32_t)(MI_SLICES_PER_SEGMENT - info);
    expect_any_run(segment);
    list_add(segments, segment);
    return segment;
}

static void segment_free(mi_segments_t *segments, mi_segment_t *segment)
{
    list_remove(segments, segment);
    // One empty segment is kept: freeing and making one again for each large block would thrash.
    if (segments->cached == NULL && segment->huge_size == 0 &&
        !segment->range.arena->is_exclusive) {
        segments->cached = segment;
        mi_segment_map_enter(segment, segment->size, segments->key);
        return;
    }
    if (segments->purges_at_once)
        mi_arena_purge(&segment->range, MI_SEGMENT_INFO_SLICES,
                       MI_SLICES_PER_SEGMENT - MI_SEGMENT_INFO_SLICES);
    segment_release(segment);
}

void mi_segments_drop_cached(mi_segments_t *segments)
{
    bool is_locked = mi_segments_lock(segments);
    mi_segment_t *segment = segments->cached;
    segments->cached = NULL;
    if (segment != NULL)
        segment_release(segment);
    mi_segments_unlock(segments, is_locked);
}

// ---- pages ----

static void set_offsets(mi_segment_t *segment, size_t slice, size_t count, mi_page_offset_t offset)
{
    for (size_t i = slice; i < slice + count; i++)
        segment->page_offset[i] = offset;
}

// Slices at the start of a run that may hold something, and so have memory behind them.
static size_t count_used_before(const mi_segment_t *segment, size_t slice, size_t slice_count)
{
    const uint64_t *dirty = mi_arena_dirty_mask(&segment->range);
    return mi_slice_mask_next(dirty, false, slice, slice + slice_count) - slice;
}

// Slices of a page that may have been written to: those of the carved blocks.
static size_t written_slices(const mi_page_t *page)
{
    if (page->reserved == 1)
        return page->slice_count;
    size_t bytes = page->start_offset + (size_t)page->capacity * page->block_size;
    return mi_div_up(bytes, MI_SLICE_SIZE);
}

static void take_slices(mi_segment_t *segment, size_t slice, size_t slice_count)
{
    mi_slice_mask_clear(segment->free_mask, slice, slice_count);
    mi_slice_mask_clear(segment->purge_mask, slice, slice_count);
    mi_slice_mask_clear(segment->idle_mask, slice, slice_count);
    segment->free_slices -= (uint32_t)slice_count;
}

static void set_record(mi_segment_t *segment, mi_page_t *page, size_t slice, size_t slice_count)
{
    mi_fill(page, 0, sizeof *page);
    page->slice_count = (uint16_t)slice_count;
    page->state = MI_PAGE_DETACHED;
    page->fresh_is_zero = mi_arena_is_zero(&segment->range, slice, slice_count);
    page->used_before = (uint16_t)count_used_before(segment, slice, slice_count);
}

static mi_page_t *page_cut(mi_segment_t *segment, size_t slice, size_t slice_count)
{
    if (!mi_arena_commit(&segment->range, slice, slice_count))
        return NULL;
    mi_page_t *page = &segment->pages[slice];
    take_slices(segment, slice, slice_count);
    set_record(segment, page, slice, slice_count);
    set_offsets(segment, slice, slice_count,
                (mi_page_offset_t)(offsetof(mi_segment_t, pages) + slice * sizeof(mi_page_t)));
    segment->used_pages++;
    return page;
}

static bool page_extend(mi_page_t *page, size_t slice_count)
{
    mi_segment_t *segment = mi_segment_of_page(page);
    size_t slice = mi_page_index(page) + page->slice_count;
    if (slice + slice_count > MI_SLICES_PER_SEGMENT ||
        !mi_slice_mask_all(segment->free_mask, slice, slice_count) ||
        !mi_arena_commit(&segment->range, slice, slice_count))
        return false;
    take_slices(segment, slice, slice_count);
    set_offsets(segment, slice, slice_count, segment->page_offset[mi_page_index(page)]);
    page->slice_count = (uint16_t)(page->slice_count + slice_count);
    return true;
}

static bool serves(const mi_segment_t *segment, size_t slice_count, int arena_id)
{
    if (segment->huge_size != 0 || segment->free_slices < slice_count)
        return false;
    return arena_id != 0 ? segment->range.arena->id == arena_id
                         : !segment->range.arena->is_exclusive;
}

// A run of free slices; count 0: none.
typedef struct {
    mi_segment_t *segment;
    size_t slice;
    size_t count;
} run_t;

size_t mi_segment_touched_slices(const mi_segment_t *segment)
{
    const uint64_t *dirty = mi_arena_dirty_mask(&segment->range);
    size_t count = 0;
    // Who frees the block of a huge segment purges it, whoever owns the segment.
    if (segment->huge_size != 0)
        return 0;
    bool is_locked = mi_segments_lock(segment->list);
    for (size_t i = 0; i < MI_SLICE_WORDS; i++)
        count += mi_bit_count(~segment->free_mask[i] | dirty[i]);
    mi_segments_unlock(segment->list, is_locked);
    return count - MI_SEGMENT_INFO_SLICES;
}

// The first run of wish->slices among the slices that were used before, else the longest that will
// do. A search that came to the end knows how long the longest is.
static void find_used_in(mi_segment_t *segment, const mi_page_wish_t *wish, run_t *best)
{
    mi_slice_mask_t mask;
    const uint64_t *dirty = mi_arena_dirty_mask(&segment->range);
    for (size_t i = 0; i < MI_SLICE_WORDS; i++)
        mask[i] = segment->free_mask[i] & dirty[i];
    size_t count;
    size_t longest = 0;
    size_t slice = mi_slice_mask_next_run(mask, 0, &count);
    while (count > 0) {
        longest = mi_max(longest, count);
        if (count >= wish->least && count > best->count)
            *best = (run_t){segment, slice, mi_min(count, wish->slices)};
        if (best->count >= wish->slices)
            return;
        slice = mi_slice_mask_next_run(mask, slice + count, &count);
    }
    segment->longest_used = (uint32_t)longest;
}

static mi_page_t *page_from_used(mi_segments_t *segments, const mi_page_wish_t *wish)
{
    run_t best = {NULL, 0, 0};
    mi_segment_t *segment = segments->first;
    for (size_t i = 0; i < segments->count && best.count < wish->slices; i++) {
        if (segment->longest_used >= wish->least && serves(segment, wish->least, wish->arena_id))
            find_used_in(segment, wish, &best);
        segment = segment->next;
    }
    return best.count == 0 ? NULL : page_cut(best.segment, best.slice, best.count);
}

// The shortest run that is long enough.
static void find_best_in(mi_segment_t *segment, size_t slice_count, run_t *best)
{
    size_t count;
    size_t longest = 0;
    size_t slice = mi_slice_mask_next_run(segment->free_mask, 0, &count);
    while (count > 0) {
        longest = mi_max(longest, count);
        if (count >= slice_count && (best->count == 0 || count < best->count))
            *best = (run_t){segment, slice, count};
        if (best->count == slice_count)
            return;
        slice = mi_slice_mask_next_run(segment->free_mask, slice + count, &count);
    }
    segment->longest_free = (uint32_t)longest;
}

static mi_page_t *page_from_list(mi_segments_t *segments, const mi_page_wish_t *wish)
{
    run_t best = {NULL, 0, 0};
    mi_segment_t *segment = segments->first;
    for (size_t i = 0; i < segments->count && best.count != wish->slices; i++) {
        if (segment->longest_free >= wish->slices && serves(segment, wish->slices, wish->arena_id))
            find_best_in(segment, wish->slices, &best);
        segment = segment->next;
    }
    return best.count == 0 ? NULL : page_cut(best.segment, best.slice, wish->slices);
}

static mi_page_t *page_from_new(mi_segments_t *segments, const mi_page_wish_t *wish)
{
    mi_segment_t *segment = segment_new(segments, wish->arena_id);
    if (segment == NULL)
        return NULL;
    mi_page_t *page =
        page_cut(segment, mi_slice_mask_find(segment->free_mask, wish->slices), wish->slices);
    if (page == NULL)
        segment_free(segments, segment);
    return page;
}

static void page_free(mi_segments_t *segments, mi_page_t *page)
{
    mi_segment_t *segment = mi_segment_of_page(page);
    size_t slice = mi_page_index(page);
    mi_assert_internal(segment->list == segments);
    page->state = MI_PAGE_UNUSED;
    segment->used_pages--;
    if (segment->huge_size != 0) {
        list_remove(segments, segment);
        segment_release(segment);
        return;
    }
    mi_arena_mark_dirty(&segment->range, slice, written_slices(page));
    set_offsets(segment, slice, page->slice_count, 0);
    mi_slice_mask_set(segment->free_mask, slice, page->slice_count);
    segment->free_slices += page->slice_count;
    expect_any_run(segment);
    mi_segment_schedule_purge(segments, segment, slice, page->slice_count);
    if (segment->used_pages == 0)
        segment_free(segments, segment);
}

// ---- the same under the lock, where the background purge is on ----

mi_page_t *mi_segment_page_alloc(mi_segments_t *segments, mi_page_source_t source,
                                 const mi_page_wish_t *wish)
{
    bool is_locked = mi_segments_lock(segments);
    mi_page_t *page =
        source == MI_SOURCE_USED ? page_from_used(segments, wish) : page_from_list(segments, wish);
    if (page == NULL && source == MI_SOURCE_ANY)
        page = page_from_new(segments, wish);
    mi_segments_unlock(segments, is_locked);
    return page;
}

void mi_segment_page_renew(mi_page_t *page)
{
    mi_segment_t *segment = mi_segment_of_page(page);
    size_t slice = mi_page_index(page);
    bool is_locked = mi_segments_lock(segment->list);
    mi_arena_mark_dirty(&segment->range, slice, written_slices(page));
    set_record(segment, page, slice, page->slice_count);
    mi_segments_unlock(segment->list, is_locked);
}

void mi_segment_page_mark_used(mi_page_t *page)
{
    mi_segment_t *segment = mi_segment_of_page(page);
    bool is_locked = mi_segments_lock(segment->list);
    mi_arena_mark_dirty(&segment->range, mi_page_index(page), page->slice_count);
    mi_segments_unlock(segment->list, is_locked);
    page->used_before = page->slice_count;
    page->fresh_is_zero = false;
}

bool mi_segment_page_extend(mi_segments_t *segments, mi_page_t *page, size_t slice_count)
{
    bool is_locked = mi_segments_lock(segments);
    bool is_done = page_extend(page, slice_count);
    mi_segments_unlock(segments, is_locked);
    return is_done;
}

void mi_segment_page_free(mi_segments_t *segments, mi_page_t *page)
{
    bool is_locked = mi_segments_lock(segments);
    page_free(segments, page);
    mi_segments_unlock(segments, is_locked);
}

void mi_segments_init(mi_segments_t *segments, uintptr_t key, void *subproc)
{
    // Behind the purger, which may still be looking at what the record's former thread had.
    bool is_locked = mi_segments_lock(segments);
    segments->first = NULL;
    segments->cached = NULL;
    segments->count = 0;
    segments->key = key;
    segments->subproc = subproc;
    segments->purges_at_once = false;
    mi_store_relaxed(&segments->purge_at, 0);
    mi_store_relaxed(&segments->told, (uint32_t)MI_NOT_TOLD);
    mi_store_relaxed(&segments->has_pending, false);
    mi_segments_unlock(segments, is_locked);
}

void mi_segments_rename(mi_segments_t *segments, uintptr_t key)
{
    const mi_segment_t *segment = segments->first;
    segments->key = key;
    for (size_t i = 0; i < segments->count; i++, segment = segment->next)
        mi_segment_map_rename(segment, key);
    if (segments->cached != NULL)
        mi_segment_map_rename(segments->cached, key);
}

// Bytes from the segment's start to the huge block: the first address behind the header whose sum
// with offset is a multiple of alignment.
static size_t huge_block_at(size_t alignment, size_t offset)
{
    size_t info = MI_SEGMENT_INFO_SLICES * MI_SLICE_SIZE;
    if (alignment <= MI_SEGMENT_SIZE)
        return mi_align_up(info + offset % alignment, alignment) - offset % alignment;
    return 0; // depends on the address: see mi_segment_huge_alloc
}

mi_page_t *mi_segment_huge_alloc(mi_segments_t *segments, size_t size, size_t alignment,
                                 size_t offset, int arena_id)
{
    size_t info = MI_SEGMENT_INFO_SLICES * MI_SLICE_SIZE;
    size_t lead =
        alignment <= MI_SEGMENT_SIZE ? huge_block_at(alignment, offset) : info + alignment;
    size_t total;
    if (size > MI_ALLOC_MAX || !mi_add_size(lead, size, &total) || total > MI_ALLOC_MAX)
        return NULL;
    mi_segment_t *segment = segment_make(segments, mi_div_up(total, MI_SEGMENT_SIZE), arena_id);
    if (segment == NULL)
        return NULL;
    if (alignment > MI_SEGMENT_SIZE) {
        uintptr_t first = (uintptr_t)segment + info + offset % alignment;
        lead = mi_align_up(first, alignment) - offset % alignment - (uintptr_t)segment;
    }
    size_t slice = lead / MI_SLICE_SIZE;
    size_t slice_count = mi_div_up(lead + size, MI_SLICE_SIZE) - slice;
    if (!mi_arena_commit(&segment->range, slice, slice_count)) {
        segment_release(segment);
        return NULL;
    }
    // The record of slice 1 stands for the whole segment, wherever the block begins.
    mi_page_t *page = &segment->pages[MI_SEGMENT_INFO_SLICES];
    mi_fill(page, 0, sizeof *page);
    segment->huge_size = size;
    segment->used_pages = 1;
    page->state = MI_PAGE_DETACHED;
    page->start_offset = 0;
    page->fresh_is_zero = mi_arena_take_zero(&segment->range, slice, slice_count);
    segment->huge_lead = lead;
    set_offsets(segment, MI_SEGMENT_INFO_SLICES, MI_SLICES_PER_SEGMENT - MI_SEGMENT_INFO_SLICES,
                (mi_page_offset_t)(offsetof(mi_segment_t, pages) +
                                   MI_SEGMENT_INFO_SLICES * sizeof(mi_page_t)));
    bool is_locked = mi_segments_lock(segments);
    list_add(segments, segment);
    mi_segments_unlock(segments, is_locked);
    return page;
}

// ---- hand-over ----

void mi_segment_owned_to_abandoned(mi_segments_t *segments, mi_segment_t *segment)
{
    bool is_locked = mi_segments_lock(segments);
    list_remove(segments, segment);
    mi_segments_unlock(segments, is_locked);
    mi_arena_range_t range = segment->range;
    mi_stat_process_increase(MI_STAT_segments_abandoned, 1);
    mi_segment_map_abandon(segment);
    // From here on another thread may own or free the segment: only the arena may be touched.
    mi_bitmap_set_one(range.arena->abandoned, range.part);
}

void mi_segment_abandoned_to_owned(mi_segments_t *segments, mi_segment_t *segment)
{
    mi_arena_t *arena = segment->range.arena;
    (void)mi_bitmap_take_one(arena->abandoned, segment->range.part);
    if (mi_bitmap_is_set(arena->offered, segment->range.part))
        (void)mi_bitmap_take_one(arena->offered, segment->range.part);
    mi_stat_process_decrease(MI_STAT_segments_abandoned, 1);
    bool is_locked = mi_segments_lock(segments);
    list_add(segments, segment);
    mi_store_relaxed(&segments->has_pending, true);
    uint64_t at = mi_load_relaxed(&segments->purge_at);
    if (segment->purge_at != 0 && (at == 0 || segment->purge_at < at))
        mi_store_relaxed(&segments->purge_at, segment->purge_at);
    mi_segments_unlock(segments, is_locked);
}

void mi_segment_visit_pages(mi_segment_t *segment, mi_page_visit_t *visit, void *arg)
{
    if (segment->huge_size != 0) {
        visit(&segment->pages[MI_SEGMENT_INFO_SLICES], arg);
        return;
    }
    size_t left = segment->used_pages;
    size_t slice = MI_SEGMENT_INFO_SLICES;
    while (left > 0 && slice < MI_SLICES_PER_SEGMENT) {
        mi_page_t *page = &segment->pages[slice];
        if (segment->page_offset[slice] == 0) {
            slice++;
            continue;
        }
        slice += page->slice_count;
        left--;
        // The last page may take the segment with it.
        visit(page, arg);
    }
}

static size_t longest_run(const uint64_t *mask)
{
    size_t longest = 0;
    size_t count;
    size_t slice = mi_slice_mask_next_run(mask, 0, &count);
    while (count > 0) {
        longest = mi_max(longest, count);
        slice = mi_slice_mask_next_run(mask, slice + count, &count);
    }
    return longest;
}

static bool runs_are_valid(const mi_segment_t *segment)
{
    mi_slice_mask_t used;
    const uint64_t *dirty = mi_arena_dirty_mask(&segment->range);
    bool is_locked = mi_segments_lock(segment->list);
    for (size_t i = 0; i < MI_SLICE_WORDS; i++)
        used[i] = segment->free_mask[i] & dirty[i];
    mi_segments_unlock(segment->list, is_locked);
    return longest_run(segment->free_mask) <= segment->longest_free &&
           longest_run(used) <= segment->longest_used;
}

bool mi_segment_is_valid(const mi_segment_t *segment)
{
    size_t pages = 0;
    size_t slice = MI_SEGMENT_INFO_SLICES;
    if (segment->huge_size != 0)
        return segment->used_pages == 1;
    while (slice < MI_SLICES_PER_SEGMENT) {
        bool is_free = (segment->free_mask[slice / 64] >> (slice % 64) & 1) != 0;
        if (is_free != (segment->page_offset[slice] == 0))
            return false;
        pages += !is_free;
        slice += is_free ? 1 : segment->pages[slice].slice_count;
    }
    return pages == segment->used_pages && runs_are_valid(segment);
}
