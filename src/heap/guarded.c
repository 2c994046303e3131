// SPDX-License-Identifier: MIT
// Guarded blocks: one allocation in so many ends at an OS page that nobody may touch, so that a write
// or read past its end stops the program at the very instruction. Off unless an option or the program
// asks; while it is on, the stub stands in for the default heap, and other heaps have no current page,
// so that every allocation comes by here.
#include "heap/guarded.h"

#include "os/os.h"
#include "support/options.h"

void mi_guarded_init(mi_heap_t *heap)
{
    mi_guarded_t *guarded = &heap->guarded;
    guarded->rate = (size_t)mi_option_value(mi_option_guarded_sample_rate);
    guarded->min = (size_t)mi_option_value(mi_option_guarded_min);
    guarded->max = (size_t)mi_option_value(mi_option_guarded_max);
    mi_heap_guarded_set_sample_rate(heap, guarded->rate,
                                    (size_t)mi_option_value(mi_option_guarded_sample_seed));
}

// For heaps that the program names: their fast path, too, must find no page.
static void show_or_hide_pages(mi_heap_t *heap)
{
    for (size_t i = 1; heap->guarded.rate != 0 && i < MI_CLASS_COUNT; i++)
        mi_heap_shelve(heap, i);
    mi_heap_repair_direct(heap);
}

void mi_heap_guarded_set_sample_rate(mi_heap_t *heap, size_t sample_rate, size_t seed)
{
    if (heap == NULL || heap->front.is_stub)
        return;
    heap->guarded.rate = sample_rate;
    // The seed decides which allocation is the first; without one, chance does.
    if (sample_rate > 1 && seed == 0)
        seed = (size_t)mi_random_next(&heap->random);
    heap->guarded.countdown = sample_rate == 0 ? 0 : seed % sample_rate + 1;
    if (sample_rate != 0)
        mi_thread_arm(heap->front.thread);
    show_or_hide_pages(heap);
}

void mi_heap_guarded_set_size_bound(mi_heap_t *heap, size_t min, size_t max)
{
    if (heap == NULL || heap->front.is_stub)
        return;
    heap->guarded.min = mi_min(min, max);
    heap->guarded.max = max;
}

bool mi_guarded_wants(mi_heap_t *heap, size_t size)
{
    mi_guarded_t *guarded = &heap->guarded;
    if (guarded->rate == 0)
        return false;
    mi_thread_arm(heap->front.thread);
    if (size < guarded->min || size > guarded->max || --guarded->countdown != 0)
        return false;
    guarded->countdown = guarded->rate;
    return true;
}

void *mi_guarded_alloc(mi_heap_t *heap, size_t size, bool zero)
{
    size_t os_page = mi_os_config.page_size;
    bool is_precise = mi_option_is_on(mi_option_guarded_precise);
    size_t least = mi_max(size, sizeof(mi_block_t)); // a free block holds a link
    size_t room = is_precise ? least : mi_align_up(least, MI_BLOCK_ALIGN);
    if (room > MI_LARGE_MAX / 2)
        return NULL;
    size_t slices = mi_div_up(room + os_page, MI_SLICE_SIZE);
    return mi_heap_alloc_at_end(heap, slices, room, os_page, zero);
}
