// SPDX-License-Identifier: MIT
// Memory inside of partly used pages goes back to the system while a heap grows: a program that has
// freed most of its small blocks and now needs larger ones would else pay for both.
#include "heap/heap.h"

#include "page/holes.h"
#include "support/options.h"

// A round begins when the heap has grown by such a part since the last one.
#define GROWTH_LOG2 4
#define GROWTH_MIN  MI_MIB
// ... or when pages that are such a part of it have come to have room.
#define FREED_ONE_IN 3
// Smaller heaps have little to win.
#define HEAP_MIN    (16 * MI_MIB)
#define BACKOFF_MAX 8
// Where more than one in so many of the bytes given back is soon needed again, punching only costs.
#define REGRET_ONE_IN 3
// Pages in one step, as no allocation should wait for long: a look takes some 10 us, a page that needs
// none 50 ns.
#define STEP_LOOKS  64
#define STEP_VISITS 1024

// What the heap's pages hold.
static size_t resident_bytes(const mi_heap_t *heap)
{
    return heap->slice_count * MI_SLICE_SIZE - heap->hole_bytes;
}

static void begin_class(mi_heap_t *heap, size_t size_class)
{
    heap->punching.size_class = size_class == MI_CLASS_HUGE ? 0 : size_class;
    heap->punching.next = mi_page_queue_first(&heap->available[size_class]);
}

static mi_page_t *next_page(mi_heap_t *heap)
{
    mi_punching_t *punching = &heap->punching;
    while (punching->next == NULL && punching->size_class != 0)
        begin_class(heap, punching->size_class + 1);
    mi_page_t *page = punching->next;
    if (punching->size_class == 0)
        return NULL;
    punching->next = mi_page_queue_after(&heap->available[punching->size_class], page);
    return page;
}

// Gives back as much as is wanted, if that can be found without looking at too many pages: what goes
// early, others of its class may need again before the memory is. False: there is more to look at.
static bool step(mi_heap_t *heap, size_t looks, size_t visits, size_t wanted)
{
    mi_page_t *page;
    size_t enough = heap->punching.punched + wanted;
    while (visits-- > 0 && looks > 0 && heap->punching.punched < enough &&
           (page = next_page(heap)) != NULL) {
        if (!mi_page_may_punch(page))
            continue;
        looks--;
        size_t bytes = mi_page_punch(page);
        heap->hole_bytes += bytes;
        heap->punching.punched += bytes;
    }
    return heap->punching.size_class == 0;
}

static void begin(mi_heap_t *heap)
{
    heap->punching.punched = 0;
    heap->punching.freed_slices = 0;
    heap->filled_bytes = 0;
    begin_class(heap, 1);
}

static void finish(mi_heap_t *heap)
{
    size_t resident = resident_bytes(heap);
    size_t growth = (resident >> GROWTH_LOG2) << heap->punching.backoff;
    heap->punching.at = resident + mi_max(growth, GROWTH_MIN);
}

static bool is_allowed(void)
{
    return !MI_PADDING && mi_option_value(mi_option_purge_delay) >= 0;
}

void mi_heap_punch(mi_heap_t *heap)
{
    if (!is_allowed())
        return;
    begin(heap);
    (void)step(heap, SIZE_MAX, SIZE_MAX, SIZE_MAX / 2);
    finish(heap);
}

static bool is_much_freed(const mi_heap_t *heap)
{
    size_t part = heap->slice_count / FREED_ONE_IN;
    return heap->punching.freed_slices >= part << heap->punching.backoff;
}

// A heap whose blocks come and go fills the holes again at once: it must grow more before the next
// round, until it grows no more.
static void learn(mi_heap_t *heap)
{
    mi_punching_t *punching = &heap->punching;
    bool was_in_vain = punching->punched == 0 && is_much_freed(heap);
    if (punching->punched == 0 && !was_in_vain)
        return;
    if (was_in_vain || heap->filled_bytes >= punching->punched / REGRET_ONE_IN)
        punching->backoff = mi_min(punching->backoff + 1, BACKOFF_MAX);
    else if (punching->backoff > 0)
        punching->backoff--;
}

// It has grown, or much of it has become free while it needs still more.
static bool is_due(const mi_heap_t *heap)
{
    size_t resident = resident_bytes(heap);
    return resident >= HEAP_MIN && (resident >= heap->punching.at || is_much_freed(heap));
}

void mi_heap_punch_grown(mi_heap_t *heap, size_t wanted)
{
    if (heap->punching.size_class == 0) {
        if (!is_due(heap) || !is_allowed())
            return;
        learn(heap);
        begin(heap);
    }
    if (step(heap, STEP_LOOKS, STEP_VISITS, wanted))
        finish(heap);
}
