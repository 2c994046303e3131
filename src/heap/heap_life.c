// SPDX-License-Identifier: MIT
// Heaps as objects of the program: made, chosen, collected, deleted, destroyed.
#include "base/invariant.h"
#include "heap/guarded.h"
#include "heap/heap.h"
#include "heap/init.h"
#include "page/remote.h"
#include "support/options.h"

mi_heap_t *mi_heap_new_ex(int heap_tag, bool allow_destroy, mi_arena_id_t arena_id)
{
    mi_heap_t *current = mi_heap_current();
    if (current == NULL)
        return NULL;
    mi_thread_t *thread = current->front.thread;
    // Zeroed later; a heap's record lives in the backing heap, which is the last to go.
    mi_heap_t *heap =
        mi_heap_alloc_aligned(&thread->backing, sizeof *heap, MI_CACHE_LINE, 0, false);
    if (heap == NULL)
        return NULL;
    mi_heap_init(heap, thread, heap_tag, allow_destroy, arena_id);
    mi_guarded_init(heap);
    heap->next = thread->heaps;
    thread->heaps = heap;
    mi_stat_increase(&thread->stats, MI_STAT_heaps, 1);
    return heap;
}

mi_heap_t *mi_heap_new(void)
{
    return mi_heap_new_ex(0, true, 0);
}

mi_heap_t *mi_heap_new_in_arena(mi_arena_id_t arena_id)
{
    return mi_heap_new_ex(0, false, arena_id);
}

mi_heap_t *mi_heap_get_default(void)
{
    return mi_heap_current();
}

mi_heap_t *mi_heap_get_backing(void)
{
    mi_heap_t *heap = mi_heap_current();
    return heap == NULL ? NULL : &heap->front.thread->backing;
}

mi_heap_t *mi_heap_set_default(mi_heap_t *heap)
{
    mi_heap_t *old = mi_heap_current();
    if (old == NULL || heap == NULL || heap->front.thread != old->front.thread)
        return NULL;
    mi_heap_hide_kept(heap->front.thread);
    heap->front.thread->default_heap = heap;
    if (!heap->front.thread->is_armed)
        mi_os_set_tls_heap(heap);
    return old;
}

// ---- deleting and destroying ----

typedef struct heap_walk {
    mi_heap_t *heap;
    mi_heap_page_action_t *act;
} heap_walk_t;

static void act_if_of_heap(mi_page_t *page, void *arg)
{
    heap_walk_t *walk = arg;
    if (page->heap == walk->heap)
        walk->act(walk->heap, page);
}

void mi_heap_for_pages(mi_heap_t *heap, mi_heap_page_action_t *act)
{
    mi_segments_t *segments = &heap->front.thread->segments;
    heap_walk_t walk = {heap, act};
    mi_segment_t *segment = segments->first;
    for (size_t left = segments->count; left > 0; left--) {
        mi_segment_t *next = segment->next;
        mi_segment_visit_pages(segment, act_if_of_heap, &walk);
        segment = next;
    }
}

static void move_to_backing(mi_heap_t *heap, mi_page_t *page)
{
    mi_heap_page_detach(heap, page);
    heap->page_count--;
    heap->slice_count -= page->slice_count;
    mi_heap_page_adopt(&heap->front.thread->backing, page);
}

static void drop_page(mi_heap_t *heap, mi_page_t *page)
{
    mi_heap_page_detach(heap, page);
    (void)mi_remote_take(page);
    mi_heap_page_release(heap, page);
}

static void unlink_heap(mi_heap_t *heap)
{
    mi_thread_t *thread = heap->front.thread;
    mi_heap_t **link = &thread->heaps;
    while (*link != heap)
        link = &(*link)->next;
    *link = heap->next;
    if (thread->default_heap == heap) {
        thread->default_heap = &thread->backing;
        if (!thread->is_armed)
            mi_os_set_tls_heap(&thread->backing);
    }
    mi_stat_decrease(&thread->stats, MI_STAT_heaps, 1);
    (void)mi_free_local(heap);
}

static bool is_program_heap(const mi_heap_t *heap)
{
    return heap != NULL && !heap->front.is_stub && heap != &heap->front.thread->backing;
}

void mi_heap_delete(mi_heap_t *heap)
{
    if (!is_program_heap(heap))
        return;
    mi_heap_for_pages(heap, move_to_backing);
    unlink_heap(heap);
}

void mi_heap_destroy(mi_heap_t *heap)
{
    if (!is_program_heap(heap))
        return;
    if (!heap->allow_destroy) {
        mi_heap_delete(heap);
        return;
    }
    mi_heap_for_pages(heap, drop_page);
    unlink_heap(heap);
}

// ---- collecting ----

void mi_heap_collect(mi_heap_t *heap, bool force)
{
    heap = heap == NULL || heap->front.is_stub ? mi_heap_current() : heap;
    if (heap == NULL)
        return;
    mi_thread_t *thread = heap->front.thread;
    mi_thread_deferred_free(thread, force);
    if (force && heap == &thread->backing)
        mi_abandon_reclaim_all(thread);
    mi_heap_collect_pages(heap, MI_COLLECT_FORCE);
    if (force)
        mi_heap_punch(heap);
    mi_segments_purge(&thread->segments, mi_os_clock_ms(), force ? MI_PURGE_ALL : MI_PURGE_DUE);
    mi_arenas_purge(mi_os_clock_ms(), force);
    mi_stats_flush(&thread->stats);
}

void mi_collect(bool force)
{
    mi_heap_t *current = mi_heap_current();
    if (current == NULL)
        return;
    mi_thread_t *thread = current->front.thread;
    for (mi_heap_t *heap = thread->heaps; heap != NULL; heap = heap->next)
        mi_heap_collect(heap, force);
}

void mi_collect_reduce(size_t target_thread_owned)
{
    mi_heap_t *heap = mi_heap_current();
    if (heap != NULL && heap->front.thread->segments.count * MI_SEGMENT_SIZE > target_thread_owned)
        mi_collect(true);
}

void mi_thread_set_in_threadpool(void)
{
    mi_heap_t *heap = mi_heap_current();
    if (heap != NULL)
        heap->front.thread->in_threadpool = true;
}
