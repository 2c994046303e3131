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
mi_noinline void *mi_malloc_slow(size_t size, mi_heap_t *heap)
{
    void *block =
        MI_PADDING ? mi_checked_alloc(heap, size, false) : mi_heap_alloc_slow(heap, size, false);
    return mi_or_fail(block, size);
}

mi_noinline void *mi_zalloc_slow(size_t size, mi_heap_t *heap)
{
    void *block =
        MI_PADDING ? mi_checked_alloc(heap, size, true) : mi_heap_alloc_slow(heap, size, true);
    return mi_or_fail(block, size);
}

void *mi_malloc(size_t size)
{
    mi_heap_t *heap = mi_os_tls_heap();
    void *block = mi_alloc_fast(heap, size);
    return mi_likely(block != NULL) ? block : mi_malloc_slow(size, heap);
}

void *mi_malloc_small(size_t size)
{
    return mi_or_fail(mi_alloc_small_in(mi_os_tls_heap(), size), size);
}

void *mi_zalloc(size_t size)
{
    mi_heap_t *heap = mi_os_tls_heap();
    void *block = mi_alloc_zero_fast(heap, size);
    return mi_likely(block != NULL) ? block : mi_zalloc_slow(size, heap);
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
