// SPDX-License-Identifier: MIT
// Finding a page with room, and what happens to a page when enough of its blocks have been freed.
// Stands between api (malloc, free) and segment (memory for pages).
#include "heap/heap.h"

#include <errno.h>

#include "base/invariant.h"
#include "heap/guarded.h"
#include "page/holes.h"
#include "page/remote.h"
#include "support/message.h"
#include "support/options.h"

// Segments of ended threads that are taken over in one search for a page.
#define RECLAIM_TRIES 8

// Zeroed blocks up to this size are made of memory of their own at once.
#define TOUCH_MAX MI_MIB

// A thread is armed for so much that has become empty, not for each page.
#define ARM_SLICES (128 * MI_KIB / MI_SLICE_SIZE)

_Static_assert(MI_CLASS_COUNT <= MI_STAT_BINS, "statistics have room for every size class");

mi_page_t mi_page_none;

// ---- the current page ----

static void set_direct(mi_heap_t *heap, size_t size_class, mi_page_t *page)
{
    if (size_class > MI_CLASS_SMALL_LAST)
        return;
    // While some are to be guarded, all allocations come by the slow path.
    if (heap->guarded.rate != 0)
        page = &mi_page_none;
    size_t last = mi_class_size(size_class) / MI_BLOCK_ALIGN;
    size_t first = size_class == 1 ? 0 : mi_class_size(size_class - 1) / MI_BLOCK_ALIGN + 1;
    for (size_t i = first; i <= last; i++)
        mi_store_relaxed(&heap->front.direct[i], page);
}

void mi_heap_repair_direct(mi_heap_t *heap)
{
    for (size_t i = 1; i <= MI_CLASS_SMALL_LAST; i++)
        set_direct(heap, i, heap->front.current[i]);
}

static void set_current(mi_heap_t *heap, size_t size_class, mi_page_t *page)
{
    if (mi_unlikely(size_class > MI_CLASS_SHARED_LAST))
        mi_heap_hide_kept(heap->front.thread);
    heap->front.current[size_class] = page;
    set_direct(heap, size_class, page);
    if (page != &mi_page_none)
        mi_page_to_current(page);
}

void mi_heap_page_to_full(mi_heap_t *heap, mi_page_t *page)
{
    mi_page_to_full(page);
    heap->full_count[page->size_class]++;
}

// Available pages: all that enter or leave their queues.
static void available_add(mi_heap_t *heap, mi_page_t *page)
{
    page->state = MI_PAGE_AVAILABLE;
    heap->hole_bytes += mi_page_hole_bytes(page);
    mi_page_queue_push_back(&heap->available[page->size_class], page);
}

static void available_remove(mi_heap_t *heap, mi_page_t *page)
{
    mi_page_queue_t *queue = &heap->available[page->size_class];
    if (mi_unlikely(heap->punching.next == page))
        heap->punching.next = mi_page_queue_after(queue, page);
    heap->hole_bytes -= mi_page_hole_bytes(page);
    mi_page_queue_remove(page);
}

// Empty pages that are kept: the same. The one that became empty last is the first to be taken.
static void retained_add(mi_heap_t *heap, mi_page_t *page)
{
    size_t size_class = page->size_class;
    page->state = MI_PAGE_RETAINED;
    heap->hole_bytes += mi_page_hole_bytes(page);
    heap->retained_slices += page->slice_count;
    heap->retained_classes[size_class / 64] |= UINT64_C(1) << (size_class % 64);
    mi_page_queue_push_front(&heap->retained[size_class], page);
}

static void retained_remove(mi_heap_t *heap, mi_page_t *page)
{
    size_t size_class = page->size_class;
    heap->hole_bytes -= mi_page_hole_bytes(page);
    heap->retained_slices -= page->slice_count;
    heap->unarmed_slices -= mi_min(heap->unarmed_slices, page->slice_count);
    mi_page_queue_remove(page);
    if (mi_page_queue_is_empty(&heap->retained[size_class]))
        heap->retained_classes[size_class / 64] &= ~(UINT64_C(1) << (size_class % 64));
}

// ---- where a page with room comes from, in this order ----

static bool collect_pending(mi_heap_t *heap);

static mi_page_t *take_available(mi_heap_t *heap, size_t size_class)
{
    mi_page_t *page = mi_page_queue_first(&heap->available[size_class]);
    if (mi_likely(page != NULL)) {
        available_remove(heap, page);
    } else {
        page = mi_page_queue_first(&heap->retained[size_class]);
        if (page == NULL)
            return NULL;
        retained_remove(heap, page);
    }
    heap->filled_bytes += mi_page_hole_bytes(page);
    return page;
}

// ---- large blocks: pages of one block ----

// While the thread is armed, the stub shows the kept page: its block may be freed and taken again
// without a look at the clock, and every call of another size still takes the slow path. So many
// frees later the next call takes it, too.
#define SHOWN_FREES 16

static void show_kept(mi_thread_t *thread, mi_page_t *page)
{
    if (MI_PADDING || page->heap != thread->default_heap || page->heap->guarded.rate != 0)
        return;
    thread->stub.current[page->size_class] = page;
    page->needed = SHOWN_FREES;
}

static bool is_shown(const mi_thread_t *thread, const mi_page_t *page)
{
    return thread->stub.current[page->size_class] == page;
}

void mi_heap_hide_kept(mi_thread_t *thread)
{
    mi_page_t *page = thread->kept_large;
    if (page == NULL || !is_shown(thread, page))
        return;
    thread->stub.current[page->size_class] = &mi_page_none;
    page->needed = 1;
}

// Of the empty pages with one large block, the last one is kept where it is, for the next request
// of its size; the others go back to the segment, where any size can use their memory.
static void release_kept(mi_thread_t *thread)
{
    mi_heap_hide_kept(thread);
    mi_page_t *page = thread->kept_large;
    thread->kept_large = NULL;
    if (page == NULL || page->state != MI_PAGE_CURRENT || page->free == NULL)
        return;
    mi_heap_t *heap = page->heap;
    mi_heap_page_detach(heap, page);
    mi_heap_page_release(heap, page);
}

static mi_page_t *shape_fresh(mi_heap_t *heap, size_t size_class, mi_page_t *page)
{
    mi_page_init(page, size_class, mi_class_size(size_class), 0);
    page->heap = heap;
    heap->page_count++;
    heap->slice_count += page->slice_count;
    mi_stat_page_made(&heap->front.thread->stats, size_class);
    return page;
}

// The lowest class from first on with empty pages; 0: none.
static size_t next_retained_class(const mi_heap_t *heap, size_t first)
{
    for (size_t word = first / 64; word < MI_CLASS_WORDS; word++) {
        uint64_t bits = heap->retained_classes[word];
        if (word == first / 64)
            bits &= ~UINT64_C(0) << (first % 64);
        if (bits != 0)
            return word * 64 + mi_bit_low(bits);
    }
    return 0;
}

static void release_retained(mi_heap_t *heap)
{
    for (size_t c = next_retained_class(heap, 1); c != 0; c = next_retained_class(heap, c)) {
        mi_page_t *page = mi_page_queue_first(&heap->retained[c]);
        retained_remove(heap, page);
        mi_heap_page_release(heap, page);
    }
}

// Gives an empty page of another class to this one, if it has just the slices: to give it back and to
// cut it anew would cost ten times as much.
static mi_page_t *take_retained(mi_heap_t *heap, size_t size_class, size_t slice_count)
{
    for (size_t c = next_retained_class(heap, 1); c != 0; c = next_retained_class(heap, c + 1)) {
        mi_page_t *page = mi_page_queue_first(&heap->retained[c]);
        if (page->slice_count != slice_count)
            continue;
        retained_remove(heap, page);
        mi_heap_page_change_class(heap, page, size_class);
        mi_page_drop_guard(page);
        mi_segment_page_renew(page);
        mi_page_init(page, size_class, mi_class_size(size_class), 0);
        page->heap = heap;
        return page;
    }
    return NULL;
}

// From the thread's own segments; then from those of ended threads, one by one, since each thread
// should find one; from a new segment at last.
static mi_page_t *take_fresh(mi_heap_t *heap, size_t size_class)
{
    mi_thread_t *thread = heap->front.thread;
    bool is_single = size_class > MI_CLASS_SHARED_LAST;
    mi_page_wish_t wish = {mi_class_slices(size_class, heap->full_count[size_class]),
                           mi_class_slices(size_class, 0), heap->arena_id};
    mi_heap_punch_grown(heap, wish.slices * MI_SLICE_SIZE);
    if (is_single) {
        release_kept(thread);
    }
    mi_page_t *page = mi_segment_page_alloc(&thread->segments, MI_SOURCE_USED, &wish);
    if (page == NULL && !is_single) {
        page = take_retained(heap, size_class, wish.slices);
        if (page != NULL)
            return page;
    }
    if (page == NULL && heap->retained_slices != 0) {
        release_retained(heap);
        page = mi_segment_page_alloc(&thread->segments, MI_SOURCE_USED, &wish);
    }
    for (int i = 0; i < RECLAIM_TRIES && page == NULL; i++) {
        if (!mi_abandon_reclaim(thread, heap->arena_id))
            break;
        mi_page_t *reclaimed = take_available(heap, size_class);
        if (reclaimed != NULL)
            return reclaimed;
        page = mi_segment_page_alloc(&thread->segments, MI_SOURCE_USED, &wish);
    }
    if (page == NULL)
        page = mi_segment_page_alloc(&thread->segments, MI_SOURCE_ANY, &wish);
    if (page == NULL) {
        mi_abandon_reclaim_all(thread);
        page = mi_segment_page_alloc(&thread->segments, MI_SOURCE_ANY, &wish);
    }
    if (page == NULL)
        return NULL;
    // Others may free it while this thread rests: its next call shall have a look.
    if (is_single) {
        mi_segments_want_purge(&thread->segments);
        mi_thread_arm(thread);
    }
    return shape_fresh(heap, size_class, page);
}

// No page of the class that is known to have room.
static mi_noinline mi_page_t *find_elsewhere(mi_heap_t *heap, size_t size_class)
{
    mi_page_t *page = collect_pending(heap) ? take_available(heap, size_class) : NULL;
    return page == NULL ? take_fresh(heap, size_class) : page;
}

// Makes a page with at least one block on free the current page of its class. MI_REFILL_NONE: no
// memory.
static mi_page_refill_t find_page(mi_heap_t *heap, size_t size_class)
{
    mi_page_t *page = heap->front.current[size_class];
    if (page != &mi_page_none && mi_page_has_more(page)) {
        mi_page_refill_t found = mi_page_refill(page);
        if (mi_likely(found != MI_REFILL_NONE))
            return found;
    }
    // It stays the current one until the next is found.
    if (page != &mi_page_none)
        mi_heap_page_to_full(heap, page);
    page = take_available(heap, size_class);
    if (mi_unlikely(page == NULL))
        page = find_elsewhere(heap, size_class);
    set_current(heap, size_class, page == NULL ? &mi_page_none : page);
    if (page == NULL)
        return MI_REFILL_NONE;
    return page->free != NULL ? MI_REFILL_FREED : mi_page_refill(page);
}

// ---- allocating ----

// A block of fresh memory that is to be zero: only its link is not. Where the system shows a page of
// zeros that all share until the first write, a program that reads before it writes (a table whose
// places are looked at) would pay two faults for each page, and the second one stops all processors
// that run the process. What is larger may well stay untouched.
static void touch_zeros(mi_block_t *block, size_t size)
{
    mi_fill(block, 0, sizeof *block);
    if (!mi_os_config.shares_zero_page || size > TOUCH_MAX)
        return;
    for (size_t i = mi_os_config.page_size; i < size; i += mi_os_config.page_size)
        *(volatile char *)mi_offset(block, i) = 0;
}

static void *alloc_class(mi_heap_t *heap, size_t size_class, bool zero)
{
    mi_page_refill_t found = find_page(heap, size_class);
    if (found == MI_REFILL_NONE)
        return NULL;
    mi_page_t *page = heap->front.current[size_class];
    mi_block_t *block = page->free;
    page->free = mi_block_next(page, block);
    if (mi_unlikely(heap->guarded.rate != 0))
        mi_heap_shelve(heap, size_class);
    if (zero && found == MI_REFILL_ZERO)
        touch_zeros(block, page->block_size);
    else if (zero)
        mi_fill(block, 0, page->block_size);
    return block;
}

// The single block of a page that no other allocation may use.
static void *alloc_single(mi_heap_t *heap, mi_page_t *page, bool zero)
{
    mi_thread_t *thread = heap->front.thread;
    page->heap = heap;
    heap->page_count++;
    heap->slice_count += page->slice_count;
    mi_stat_page_made(&thread->stats, page->size_class);
    bool is_zero = page->fresh_is_zero;
    page->capacity = 1;
    page->needed = 1;
    page->state = MI_PAGE_FULL;
    heap->full_count[MI_CLASS_HUGE]++;
    void *block = mi_page_start(page);
    if (zero && !is_zero)
        mi_fill(block, 0, mi_page_block_size(page));
    return block;
}

static void *alloc_huge(mi_heap_t *heap, size_t size, size_t alignment, size_t offset, bool zero)
{
    mi_thread_t *thread = heap->front.thread;
    (void)collect_pending(heap);
    size_t rounded = mi_align_up(size, mi_os_config.page_size);
    mi_page_t *page =
        mi_segment_huge_alloc(&thread->segments, rounded, alignment, offset, heap->arena_id);
    if (page == NULL)
        return NULL;
    mi_page_init_huge(page);
    mi_stat_increase(&thread->stats, MI_STAT_malloc_huge, rounded);
    return alloc_single(heap, page, zero);
}

static void *alloc_any(mi_heap_t *heap, size_t size, bool zero)
{
    if (mi_unlikely(mi_guarded_wants(heap, size))) {
        void *block = mi_guarded_alloc(heap, size, zero);
        if (block != NULL)
            return block;
    }
    if (size > MI_LARGE_MAX)
        return alloc_huge(heap, size, MI_BLOCK_ALIGN, 0, zero);
    return alloc_class(heap, mi_size_class(size), zero);
}

// Gets a slow path going: the real heap, with the periodic work done.
static mi_heap_t *enter(mi_heap_t *heap)
{
    heap = mi_heap_resolve(heap);
    if (heap == NULL)
        return NULL;
    // Only here: what merely asks for the heap must not use up the call that was armed.
    mi_thread_t *thread = heap->front.thread;
    bool is_told = mi_thread_is_told(thread);
    bool is_armed_call = thread->is_armed;
    if (is_told)
        mi_thread_hear(thread);
    if (is_armed_call)
        mi_thread_disarm(thread);
    if (mi_thread_count_slow(thread) || is_armed_call || is_told)
        mi_thread_tick(thread);
    return heap;
}

// Most slow paths only need another page: nothing waits, nothing is to be counted down.
static bool needs_only_a_page(const mi_heap_t *heap, size_t size)
{
    return heap != NULL && !heap->front.is_stub && !heap->front.thread->is_armed &&
           heap->guarded.rate == 0 && size <= MI_LARGE_MAX &&
           !mi_thread_is_told(heap->front.thread);
}

void *mi_heap_alloc_slow(mi_heap_t *heap, size_t size, bool zero)
{
    if (needs_only_a_page(heap, size)) {
        if (mi_thread_count_slow(heap->front.thread))
            mi_thread_tick(heap->front.thread);
        void *block = alloc_class(heap, mi_size_class(size), zero);
        if (block != NULL)
            return block;
    }
    if (size > MI_ALLOC_MAX)
        return NULL;
    heap = enter(heap);
    if (heap == NULL)
        return NULL;
    void *block = alloc_any(heap, size, zero);
    if (block != NULL)
        return block;
    // What is empty but retained, and what ended threads have left, may make room.
    mi_heap_collect(heap, true);
    return alloc_any(heap, size, zero);
}

// ---- aligned ----

// The class whose blocks are all aligned, since pages begin at slices; 0 when no class can do it.
static size_t aligned_class(size_t size, size_t alignment)
{
    if (alignment > MI_SLICE_SIZE || size > MI_LARGE_MAX)
        return 0;
    size_t size_class = mi_size_class(mi_align_up(mi_max(size, 1), alignment));
    // Blocks with a page of their own begin at a slice.
    while (size_class <= MI_CLASS_LARGEST &&
           mi_class_size(size_class) <= MI_MEDIUM_PAGE_BLOCK_MAX &&
           mi_class_size(size_class) % alignment != 0)
        size_class++;
    return size_class <= MI_CLASS_LARGEST ? size_class : 0;
}

// A page of its own, whose block begins where it must.
static void *alloc_dedicated(mi_heap_t *heap, size_t size, size_t alignment, size_t offset,
                             bool zero)
{
    mi_thread_t *thread = heap->front.thread;
    size_t shift = (alignment - offset % alignment) % alignment;
    size_t lead = alignment <= MI_SLICE_SIZE ? shift : alignment;
    size_t slices = mi_div_up(lead + mi_max(size, sizeof(mi_block_t)), MI_SLICE_SIZE);
    mi_page_wish_t wish = {slices, slices, heap->arena_id};
    mi_page_t *page = mi_segment_page_alloc(&thread->segments, MI_SOURCE_ANY, &wish);
    if (page == NULL)
        return NULL;
    uintptr_t start = (uintptr_t)mi_page_slices_start(page);
    uintptr_t block = mi_align_up(start + offset % alignment, alignment) - offset % alignment;
    size_t room = slices * MI_SLICE_SIZE - (block - start);
    mi_page_init(page, MI_CLASS_HUGE, room, block - start);
    return alloc_single(heap, page, zero);
}

void *mi_heap_alloc_at_end(mi_heap_t *heap, size_t slices, size_t room, size_t guard, bool zero)
{
    mi_thread_t *thread = heap->front.thread;
    mi_page_wish_t wish = {slices, slices, heap->arena_id};
    mi_page_t *page = mi_segment_page_alloc(&thread->segments, MI_SOURCE_ANY, &wish);
    if (page == NULL)
        return NULL;
    mi_page_init(page, MI_CLASS_HUGE, room, slices * MI_SLICE_SIZE - guard - room);
    mi_page_set_guard(page, guard);
    return alloc_single(heap, page, zero);
}

static void *alloc_aligned_any(mi_heap_t *heap, size_t size, size_t alignment, size_t offset,
                               bool zero)
{
    size_t size_class = offset % alignment == 0 ? aligned_class(size, alignment) : 0;
    if (size_class != 0)
        return alloc_class(heap, size_class, zero);
    if (alignment <= MI_LARGE_MAX / 2 && size <= MI_LARGE_MAX / 2 - MI_SLICE_SIZE)
        return alloc_dedicated(heap, size, alignment, offset, zero);
    return alloc_huge(heap, mi_max(size, 1), alignment, offset, zero);
}

void *mi_heap_alloc_aligned(mi_heap_t *heap, size_t size, size_t alignment, size_t offset,
                            bool zero)
{
    if (size > MI_ALLOC_MAX || alignment > MI_ALIGN_MAX)
        return NULL;
    alignment = mi_max(alignment, MI_BLOCK_ALIGN);
    heap = enter(heap);
    if (heap == NULL)
        return NULL;
    void *block = alloc_aligned_any(heap, size, alignment, offset, zero);
    if (block != NULL)
        return block;
    mi_heap_collect(heap, true);
    return alloc_aligned_any(heap, size, alignment, offset, zero);
}

// ---- freeing ----

// So many slices of the heap have become empty: some call should see when they are to be purged.
static void arm_for(mi_heap_t *heap, size_t slice_count)
{
    heap->unarmed_slices += slice_count;
    if (heap->unarmed_slices < ARM_SLICES)
        return;
    heap->unarmed_slices = 0;
    mi_thread_arm(heap->front.thread);
}

void mi_heap_page_release(mi_heap_t *heap, mi_page_t *page)
{
    mi_thread_t *thread = heap->front.thread;
    arm_for(heap, mi_page_is_huge(page) ? ARM_SLICES : page->slice_count);
    heap->page_count--;
    heap->slice_count -= page->slice_count;
    mi_stat_page_gone(&thread->stats, page->size_class);
    if (mi_page_is_huge(page))
        mi_stat_decrease(&thread->stats, MI_STAT_malloc_huge, mi_page_block_size(page));
    if (thread->kept_large == page)
        thread->kept_large = NULL;
    page->heap = NULL;
    mi_page_drop_guard(page);
    mi_segment_page_free(&thread->segments, page);
}

// Emptied and refilled again and again: cutting and carving a page anew would thrash. It goes when it
// has been idle, or before memory is taken that was not used yet.
static bool should_retain(const mi_page_t *page)
{
    // The background purge takes only what is given back.
    if (mi_option_is_on(mi_option_background_purge))
        return false;
    // A page of one block is made anew at once, and its slices may join others.
    return page->reserved > 1;
}

static void page_is_empty(mi_heap_t *heap, mi_page_t *page)
{
    if (!should_retain(page)) {
        mi_heap_page_release(heap, page);
        return;
    }
    retained_add(heap, page);
    mi_segments_want_purge(&heap->front.thread->segments);
    arm_for(heap, page->slice_count);
}

// A full page, or an available one that has blocks in use.
static void remove_from_queue(mi_heap_t *heap, mi_page_t *page)
{
    if (page->state == MI_PAGE_FULL)
        heap->full_count[page->size_class]--;
    else
        available_remove(heap, page);
}

// A page in no queue of which enough blocks have come back.
static void put_freed(mi_heap_t *heap, mi_page_t *page)
{
    heap->punching.freed_slices += page->slice_count;
    if (page->needed == 0)
        page_is_empty(heap, page);
    else
        available_add(heap, page);
}

// Others have freed blocks of the page. Where too few have come back, it is marked again later.
static void collect_pending_page(mi_page_t *page, void *arg)
{
    mi_heap_t *heap = page->heap;
    if (page->reserved == 1) {
        mi_heap_page_detach(heap, page);
        (void)mi_page_collect_remote(page);
        mi_heap_page_release(heap, page);
        *(bool *)arg = true;
    } else if (page->state != MI_PAGE_CURRENT && mi_remote_count(page) >= page->needed) {
        remove_from_queue(heap, page);
        (void)mi_page_collect_remote(page);
        put_freed(heap, page);
        *(bool *)arg = true;
    }
}

// True when there was any in the thread.
static bool collect_pending(mi_heap_t *heap)
{
    bool is_any = false;
    mi_remote_visit_pending(&heap->front.thread->segments, collect_pending_page, &is_any);
    return is_any;
}

// The block of a current page has come back.
static void keep_large(mi_thread_t *thread, mi_page_t *page)
{
    mi_segments_want_purge(&thread->segments);
    if (thread->kept_large != page)
        release_kept(thread);
    thread->kept_large = page;
    if (mi_option_is_on(mi_option_background_purge))
        release_kept(thread);
    else if (is_shown(thread, page))
        mi_heap_hide_kept(thread);
    else
        show_kept(thread, page);
}

// A current page counts frees only to have a heartbeat: the next allocation takes the slow path,
// where the periodic work is done.
static void current_heartbeat(mi_heap_t *heap, mi_page_t *page)
{
    mi_thread_t *thread = heap->front.thread;
    mi_page_restart_heartbeat(page);
    mi_thread_arm(thread);
    if (page->block_size > MI_MEDIUM_PAGE_BLOCK_MAX)
        keep_large(thread, page);
}

static mi_cold void invalid_free(mi_segment_t *segment)
{
    void *p = segment->invalid.free;
    segment->invalid.free = NULL;
    segment->invalid.needed = 1;
    mi_error_report(EINVAL, "free of %p, which is no block: nothing was freed", p);
}

void mi_heap_page_event(mi_page_t *page)
{
    mi_segment_t *segment = mi_segment_of_page(page);
    if (mi_unlikely(page == &segment->invalid)) {
        invalid_free(segment);
        return;
    }
    if (page->state == MI_PAGE_CURRENT) {
        current_heartbeat(page->heap, page);
        return;
    }
    remove_from_queue(page->heap, page);
    mi_page_full_to_woken(page);
    put_freed(page->heap, page);
}

void mi_heap_page_detach(mi_heap_t *heap, mi_page_t *page)
{
    size_t size_class = page->size_class;
    if (page->state == MI_PAGE_CURRENT) {
        set_current(heap, size_class, &mi_page_none);
        mi_page_current_to_detached(page);
    } else if (page->state == MI_PAGE_FULL) {
        heap->full_count[size_class]--;
        mi_page_full_to_woken(page);
    } else if (page->state == MI_PAGE_RETAINED) {
        retained_remove(heap, page);
    } else {
        available_remove(heap, page);
    }
    page->state = MI_PAGE_DETACHED;
}

static bool may_serve(const mi_heap_t *heap, const mi_page_t *page)
{
    const mi_arena_t *arena = mi_segment_of_page(page)->range.arena;
    return !arena->is_exclusive || arena->id == heap->arena_id;
}

void mi_heap_page_change_class(mi_heap_t *heap, mi_page_t *page, size_t size_class)
{
    mi_thread_stats_t *stats = &heap->front.thread->stats;
    if (page->size_class == size_class)
        return;
    mi_stat_page_gone(stats, page->size_class);
    page->size_class = (uint8_t)size_class;
    mi_stat_page_made(stats, size_class);
}

// The class of pages that no allocation looks at.
static void put_out_of_use(mi_heap_t *heap, mi_page_t *page)
{
    mi_heap_page_change_class(heap, page, MI_CLASS_HUGE);
    page->state = MI_PAGE_FULL;
    heap->full_count[MI_CLASS_HUGE]++;
}

// A detached page that has blocks in use.
static void put_in_queue(mi_heap_t *heap, mi_page_t *page)
{
    bool has_room = page->size_class != MI_CLASS_HUGE &&
                    (page->free != NULL || page->holes != 0 || page->capacity < page->reserved);
    if (has_room) {
        available_add(heap, page);
        return;
    }
    mi_heap_page_to_full(heap, page);
}

void mi_heap_page_adopt(mi_heap_t *heap, mi_page_t *page)
{
    page->heap = heap;
    heap->page_count++;
    heap->slice_count += page->slice_count;
    (void)mi_page_collect_remote(page);
    if (page->needed == 0) {
        mi_heap_page_release(heap, page);
        return;
    }
    if (mi_unlikely(!may_serve(heap, page))) {
        put_out_of_use(heap, page);
        return;
    }
    if (page->reserved > 1)
        mi_heap_page_change_class(heap, page, mi_size_class(page->block_size));
    put_in_queue(heap, page);
}

void mi_heap_shelve(mi_heap_t *heap, size_t size_class)
{
    mi_page_t *page = heap->front.current[size_class];
    if (page == &mi_page_none)
        return;
    mi_heap_page_detach(heap, page);
    if (page->needed == 0)
        mi_heap_page_release(heap, page);
    else
        put_in_queue(heap, page);
}

// ---- collecting ----

// Whether an empty page is given back: an idle one, or any when that is asked for.
static bool may_go(mi_page_t *page, mi_collect_kind_t kind)
{
    if (kind != MI_COLLECT_IDLE || page->is_idle)
        return true;
    page->is_idle = true;
    return false;
}

static void collect_current(mi_heap_t *heap, size_t size_class, mi_collect_kind_t kind)
{
    mi_page_t *page = heap->front.current[size_class];
    if (page == &mi_page_none)
        return;
    (void)mi_page_collect_remote(page);
    if (mi_page_used(page) != 0 || !may_go(page, kind))
        return;
    mi_heap_page_detach(heap, page);
    mi_heap_page_release(heap, page);
}

static void collect_available(mi_heap_t *heap, size_t size_class)
{
    mi_page_queue_t *queue = &heap->available[size_class];
    for (mi_page_t *page = mi_page_queue_first(queue), *next; page != NULL; page = next) {
        next = mi_page_queue_after(queue, page);
        (void)mi_page_collect_remote(page);
        if (page->needed != 0)
            continue;
        available_remove(heap, page);
        retained_add(heap, page);
    }
}

static void collect_retained(mi_heap_t *heap, size_t size_class, mi_collect_kind_t kind)
{
    mi_page_queue_t *queue = &heap->retained[size_class];
    for (mi_page_t *page = mi_page_queue_first(queue), *next; page != NULL; page = next) {
        next = mi_page_queue_after(queue, page);
        if (!may_go(page, kind))
            continue;
        retained_remove(heap, page);
        mi_heap_page_release(heap, page);
    }
}

static void collect_full(mi_heap_t *heap, mi_page_t *page)
{
    if (page->state != MI_PAGE_FULL || mi_remote_is_empty(page) || !mi_page_collect_remote(page))
        return;
    heap->full_count[page->size_class]--;
    if (page->needed == 0)
        mi_heap_page_release(heap, page);
    else
        available_add(heap, page);
}

void mi_heap_collect_pages(mi_heap_t *heap, mi_collect_kind_t kind)
{
    (void)collect_pending(heap);
    if (kind != MI_COLLECT_IDLE)
        mi_heap_for_pages(heap, collect_full);
    for (size_t size_class = 1; size_class < MI_CLASS_COUNT; size_class++) {
        collect_available(heap, size_class);
        collect_retained(heap, size_class, kind);
        collect_current(heap, size_class, kind);
    }
}

size_t mi_heap_used_slices(const mi_heap_t *heap)
{
    size_t used = heap->slice_count - heap->retained_slices;
    for (size_t size_class = 1; size_class < MI_CLASS_COUNT; size_class++) {
        const mi_page_t *page = heap->front.current[size_class];
        if (page != &mi_page_none && mi_page_used(page) == 0)
            used -= page->slice_count;
    }
    return used;
}

void mi_heap_init(mi_heap_t *heap, mi_thread_t *thread, int tag, bool allow_destroy, int arena_id)
{
    // One by one: a thread that knew the record's former owner may still tell it something.
    for (size_t i = 0; i < MI_DIRECT_COUNT; i++)
        mi_store_relaxed(&heap->front.direct[i], &mi_page_none);
    for (size_t i = 0; i < MI_CLASS_COUNT; i++)
        heap->front.current[i] = &mi_page_none;
    heap->front.thread = thread;
    heap->front.is_stub = false;
    mi_fill(heap->available, 0, sizeof *heap - offsetof(mi_heap_t, available));
    for (size_t i = 0; i < MI_CLASS_COUNT; i++) {
        mi_page_queue_init(&heap->available[i]);
        mi_page_queue_init(&heap->retained[i]);
    }
    heap->tag = tag;
    heap->allow_destroy = allow_destroy;
    heap->arena_id = arena_id;
}
