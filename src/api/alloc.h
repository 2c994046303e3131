// SPDX-License-Identifier: MIT
// The fast paths of malloc and free, for every entry point that has them under one name or another.
#pragma once

#include "api/checked.h"
#include "base/bits.h"
#include "heap/heap.h"
#include "memory/segment_map.h"
#include "page/page.h"

// ---- allocating ----

mi_inline void *mi_page_pop(mi_page_t *page, mi_block_t *block)
{
    page->free = mi_block_next(page, block);
    return block;
}

// size <= MI_SMALL_MAX. NULL on failure, no errno.
mi_inline void *mi_alloc_small_in(mi_heap_t *heap, size_t size)
{
    if (MI_PADDING)
        return mi_checked_alloc(heap, size, false);
    if (MI_TLS_HEAP_STARTS_NULL && mi_unlikely(heap == NULL))
        return mi_heap_alloc_slow(heap, size, false);
    mi_page_t *page =
        mi_load_relaxed(&heap->front.direct[(size + MI_BLOCK_ALIGN - 1) / MI_BLOCK_ALIGN]);
    mi_block_t *block = page->free;
    if (mi_unlikely(block == NULL))
        return mi_heap_alloc_slow(heap, size, false);
    return mi_page_pop(page, block);
}

mi_inline void *mi_alloc_medium_in(mi_heap_t *heap, size_t size)
{
    if (MI_PADDING)
        return mi_checked_alloc(heap, size, false);
    if (mi_unlikely(size > MI_LARGE_MAX || (MI_TLS_HEAP_STARTS_NULL && heap == NULL)))
        return mi_heap_alloc_slow(heap, size, false);
    mi_page_t *page = heap->front.current[mi_size_class(size)];
    mi_block_t *block = page->free;
    if (mi_unlikely(block == NULL))
        return mi_heap_alloc_slow(heap, size, false);
    return mi_page_pop(page, block);
}

// heap may be what mi_os_tls_heap() gave. NULL on failure, no errno.
mi_inline void *mi_alloc_in(mi_heap_t *heap, size_t size)
{
    if (mi_likely(size <= MI_SMALL_MAX))
        return mi_alloc_small_in(heap, size);
    return mi_alloc_medium_in(heap, size);
}

// The same, zeroed. NULL: the slow path is to be taken.
mi_inline void *mi_alloc_zero_fast(mi_heap_t *heap, size_t size)
{
    if (MI_PADDING || mi_unlikely(size > MI_SMALL_MAX) || (MI_TLS_HEAP_STARTS_NULL && heap == NULL))
        return NULL;
    mi_page_t *page =
        mi_load_relaxed(&heap->front.direct[(size + MI_BLOCK_ALIGN - 1) / MI_BLOCK_ALIGN]);
    mi_block_t *block = page->free;
    if (mi_unlikely(block == NULL))
        return NULL;
    (void)mi_page_pop(page, block);
    mi_fill(block, 0, page->block_size);
    return block;
}

mi_inline void *mi_alloc_zero_in(mi_heap_t *heap, size_t size)
{
    if (MI_PADDING)
        return mi_checked_alloc(heap, size, true);
    void *block = mi_alloc_zero_fast(heap, size);
    return mi_likely(block != NULL) ? block : mi_heap_alloc_slow(heap, size, true);
}

// The block when it can be had in a few instructions. NULL: the slow path is to be taken, from a tail
// call, so that the fast path needs no frame. heap may be what mi_os_tls_heap() gave.
mi_inline void *mi_alloc_fast(mi_heap_t *heap, size_t size)
{
    mi_page_t *page;
    if (MI_PADDING || (MI_TLS_HEAP_STARTS_NULL && mi_unlikely(heap == NULL)))
        return NULL;
    if (mi_likely(size <= MI_SMALL_MAX))
        page = mi_load_relaxed(&heap->front.direct[(size + MI_BLOCK_ALIGN - 1) / MI_BLOCK_ALIGN]);
    else if (mi_likely(size <= MI_LARGE_MAX))
        page = heap->front.current[mi_size_class(size)];
    else
        return NULL;
    mi_block_t *block = page->free;
    return mi_unlikely(block == NULL) ? NULL : mi_page_pop(page, block);
}

// alignment is a power of two. NULL on failure, no errno.
// A block of the current page of the class that the size comes to when it is rounded up to the
// alignment, a power of two of up to a slice: where its blocks' size is a multiple of that, all of them
// are aligned, since pages begin at slices. NULL: the slow path is to be taken.
mi_inline void *mi_alloc_aligned_fast(mi_heap_t *heap, size_t size, size_t alignment)
{
    size_t rounded = (size + alignment - 1) & ~(alignment - 1);
    if (rounded - 1 >= MI_MEDIUM_PAGE_BLOCK_MAX || alignment > MI_SLICE_SIZE ||
        (MI_TLS_HEAP_STARTS_NULL && heap == NULL))
        return NULL;
    mi_page_t *page = heap->front.current[mi_size_class(rounded)];
    mi_block_t *block = page->free;
    if (mi_unlikely(block == NULL || (page->block_size & (alignment - 1)) != 0))
        return NULL;
    return mi_page_pop(page, block);
}

mi_inline void *mi_alloc_aligned_in(mi_heap_t *heap, size_t size, size_t alignment, size_t offset,
                                    bool zero)
{
    if (MI_PADDING)
        return mi_checked_alloc_aligned(heap, size, alignment, offset, zero);
    void *block = offset != 0 || zero ? NULL : mi_alloc_aligned_fast(heap, size, alignment);
    if (mi_likely(block != NULL))
        return block;
    return mi_heap_alloc_aligned(heap, size, alignment, offset, zero);
}

void *mi_heap_alloc(mi_heap_t *heap, size_t size);
void *mi_heap_alloc_zero(mi_heap_t *heap, size_t size);
// What malloc and calloc do when there is no block at hand. errno on failure.
void *mi_malloc_slow(size_t size, mi_heap_t *heap);
void *mi_zalloc_slow(size_t size, mi_heap_t *heap);

// ---- freeing ----

// What mi_free_local refused: blocks of other threads. False when p is not ours (NULL is not).
bool mi_free_other(void *p);
// What free does with it: the same, and what is not ours goes where it came from.
void mi_free_slow(void *p);

// Ours in the sense of free: a block of any thread.
mi_inline bool mi_is_ours(const void *p)
{
    return mi_segment_map_owner(p) != MI_OWNER_NOT_OURS;
}

// Bytes that the program may use of a block of ours; 0 when no block is there.
size_t mi_block_usable_size(const void *p);

// ---- reallocating ----

// A block may stay where it is when the new size fits and does not waste more than half of it.
mi_inline bool mi_may_stay(size_t usable, size_t size)
{
    return size <= usable && size >= usable - usable / 2;
}

// p itself where it may stay, or a small block that has taken over from it, when that can be had in a
// few instructions and p is this thread's. size is not 0. NULL: the slow path is to be taken, p is as
// it was.
mi_inline void *mi_realloc_fast(mi_heap_t *heap, void *p, size_t size)
{
    if (MI_PADDING || mi_unlikely(!mi_is_own(p)))
        return NULL;
    mi_page_t *page = mi_segment_page_at(mi_segment_of(p), p);
    // 0 where no page is, and for a huge block; a block with a page of its own may have any size.
    size_t usable = page->block_size;
    if (mi_may_stay(usable, size))
        return p;
    if (mi_unlikely(size > MI_SMALL_MAX || usable == 0 || usable % MI_BLOCK_ALIGN != 0))
        return NULL;
    void *block = mi_alloc_fast(heap, size);
    if (mi_unlikely(block == NULL))
        return NULL;
    // Both are whole units long: no call, and no look at the rest.
    size_t kept = mi_min(usable, size);
    for (size_t i = 0; i < kept; i += MI_BLOCK_ALIGN)
        mi_copy(mi_offset(block, i), mi_offset(p, i), MI_BLOCK_ALIGN);
    mi_page_push(page, p);
    return block;
}

// The rest of realloc. errno on failure.
void *mi_realloc_slow(mi_heap_t *heap, void *p, size_t newsize);
