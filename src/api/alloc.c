// SPDX-License-Identifier: MIT
// mi_malloc and its plain relatives. errno is set here, and only on failure.
#include "api/alloc.h"

#include "api/fail.h"

void *mi_heap_alloc(mi_heap_t *heap, size_t size)
{
    return mi_alloc_in(heap, size);
}

void *mi_heap_alloc_zero(mi_heap_t *heap, size_t size)
{
    return mi_alloc_zero_in(heap, size);
}

// Out of line and at the end of each function, so that the fast path is a straight line. The size comes
// first: it stays in the register in which it came.
static mi_noinline void *slow(size_t size, mi_heap_t *heap)
{
    return mi_or_fail(mi_heap_alloc_slow(heap, size, false), size);
}

void *mi_malloc(size_t size)
{
    mi_heap_t *heap = mi_os_tls_heap();
    mi_page_t *page;
    if (MI_PADDING)
        return mi_or_fail(mi_checked_alloc(heap, size, false), size);
    if (MI_TLS_HEAP_STARTS_NULL && mi_unlikely(heap == NULL))
        return slow(size, heap);
    if (mi_likely(size <= MI_SMALL_MAX))
        page = mi_load_relaxed(&heap->front.direct[(size + MI_BLOCK_ALIGN - 1) / MI_BLOCK_ALIGN]);
    else if (mi_likely(size <= MI_LARGE_MAX))
        page = heap->front.current[mi_size_class(size)];
    else
        return slow(size, heap);
    mi_block_t *block = page->free;
    if (mi_unlikely(block == NULL))
        return slow(size, heap);
    return mi_page_pop(page, block);
}

void *mi_malloc_small(size_t size)
{
    return mi_or_fail(mi_alloc_small_in(mi_os_tls_heap(), size), size);
}

void *mi_zalloc(size_t size)
{
    return mi_or_fail(mi_alloc_zero_in(mi_os_tls_heap(), size), size);
}

void *mi_zalloc_small(size_t size)
{
    return mi_zalloc(size);
}

void *mi_calloc(size_t count, size_t size)
{
    size_t total;
    if (mi_unlikely(!mi_mul_size(count, size, &total)))
        return mi_fail_overflow(count, size);
    return mi_zalloc(total);
}

void *mi_mallocn(size_t count, size_t size)
{
    size_t total;
    if (mi_unlikely(!mi_mul_size(count, size, &total)))
        return mi_fail_overflow(count, size);
    return mi_malloc(total);
}

void *mi_heap_malloc(mi_heap_t *heap, size_t size)
{
    return mi_or_fail(mi_alloc_in(heap, size), size);
}

void *mi_heap_malloc_small(mi_heap_t *heap, size_t size)
{
    return mi_or_fail(mi_alloc_small_in(heap, size), size);
}

void *mi_heap_zalloc(mi_heap_t *heap, size_t size)
{
    return mi_or_fail(mi_alloc_zero_in(heap, size), size);
}

void *mi_heap_zalloc_small(mi_heap_t *heap, size_t size)
{
    return mi_heap_zalloc(heap, size);
}

void *mi_heap_calloc(mi_heap_t *heap, size_t count, size_t size)
{
    size_t total;
    if (mi_unlikely(!mi_mul_size(count, size, &total)))
        return mi_fail_overflow(count, size);
    return mi_heap_zalloc(heap, total);
}

void *mi_heap_mallocn(mi_heap_t *heap, size_t count, size_t size)
{
    size_t total;
    if (mi_unlikely(!mi_mul_size(count, size, &total)))
        return mi_fail_overflow(count, size);
    return mi_heap_malloc(heap, total);
}
