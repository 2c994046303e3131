// SPDX-License-Identifier: MIT
// Growing a large block where it is: it has a page of its own, and the slices behind that may be
// free. Saves the copy, and the memory of two copies at once.
#include "heap/grow.h"

#include "base/invariant.h"

// The page, if the block may grow at all; only its owner may change it.
static mi_page_t *growing_page(const void *p)
{
    if (MI_PADDING || mi_segment_map_owner(p) != mi_os_thread_key())
        return NULL;
    mi_page_t *page = mi_segment_page_at(mi_segment_of(p), p);
    bool is_large = page->reserved == 1 && page->size_class <= MI_CLASS_LARGEST &&
                    page->block_size > MI_MEDIUM_PAGE_BLOCK_MAX && !page->has_guard;
    return is_large && mi_page_start(page) == p ? page : NULL;
}

// In use, the page is the current one of its class or among the full ones.
static void to_class(mi_heap_t *heap, mi_page_t *page, size_t size_class)
{
    mi_heap_page_detach(heap, page);
    mi_heap_page_change_class(heap, page, size_class);
    page->block_size = (uint32_t)mi_class_size(size_class);
    mi_heap_page_to_full(heap, page);
}

bool mi_heap_grow(void *p, size_t size)
{
    mi_page_t *page = growing_page(p);
    if (page == NULL || size <= page->block_size || size > MI_LARGE_MAX)
        return false;
    mi_heap_t *heap = page->heap;
    size_t size_class = mi_size_class(size);
    size_t slices = mi_class_slices(size_class, 0);
    mi_assert_internal(slices >= page->slice_count);
    size_t extra = slices - page->slice_count;
    if (extra != 0 && !mi_segment_page_extend(&heap->front.thread->segments, page, extra))
        return false;
    heap->slice_count += extra;
    to_class(heap, page, size_class);
    return true;
}
