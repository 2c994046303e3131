// SPDX-License-Identifier: MIT
// Aligned allocation: arguments are checked here, the heap finds the block.
#include "api/alloc.h"
#include "api/fail.h"
#include "heap/heap.h"
#include "os/os.h"

#include <errno.h>

typedef enum fill { FILL_NONE, FILL_ZERO } fill_t;

static bool is_valid_alignment(size_t alignment)
{
    return mi_is_power_of_two(alignment) && alignment <= MI_ALIGN_MAX;
}

// Every block has this alignment anyway.
static bool is_natural(size_t alignment, size_t offset)
{
    return alignment <= MI_BLOCK_ALIGN && (offset & (alignment - 1)) == 0;
}

static void *allocate(mi_heap_t *heap, size_t size, size_t alignment, size_t offset, fill_t fill)
{
    if (!is_valid_alignment(alignment))
        return mi_fail_alignment(alignment);
    if (is_natural(alignment, offset))
        return fill == FILL_ZERO ? mi_heap_zalloc(heap, size) : mi_heap_malloc(heap, size);
    void *p = mi_alloc_aligned_in(heap, size, alignment, offset, fill == FILL_ZERO);
    return p != NULL ? p : mi_fail_memory(size);
}

// ---- in a heap ----

void *mi_heap_malloc_aligned_at(mi_heap_t *heap, size_t size, size_t alignment, size_t offset)
{
    return allocate(heap, size, alignment, offset, FILL_NONE);
}

void *mi_heap_malloc_aligned(mi_heap_t *heap, size_t size, size_t alignment)
{
    return allocate(heap, size, alignment, 0, FILL_NONE);
}

void *mi_heap_zalloc_aligned_at(mi_heap_t *heap, size_t size, size_t alignment, size_t offset)
{
    return allocate(heap, size, alignment, offset, FILL_ZERO);
}

void *mi_heap_zalloc_aligned(mi_heap_t *heap, size_t size, size_t alignment)
{
    return allocate(heap, size, alignment, 0, FILL_ZERO);
}

void *mi_heap_calloc_aligned_at(mi_heap_t *heap, size_t count, size_t size, size_t alignment,
                                size_t offset)
{
    size_t total;
    if (!mi_mul_size(count, size, &total))
        return mi_fail_overflow(count, size);
    return allocate(heap, total, alignment, offset, FILL_ZERO);
}

void *mi_heap_calloc_aligned(mi_heap_t *heap, size_t count, size_t size, size_t alignment)
{
    return mi_heap_calloc_aligned_at(heap, count, size, alignment, 0);
}

// ---- in the thread's default heap ----

void *mi_malloc_aligned_at(size_t size, size_t alignment, size_t offset)
{
    return allocate(mi_os_tls_heap(), size, alignment, offset, FILL_NONE);
}

void *mi_malloc_aligned(size_t size, size_t alignment)
{
    return allocate(mi_os_tls_heap(), size, alignment, 0, FILL_NONE);
}

void *mi_zalloc_aligned_at(size_t size, size_t alignment, size_t offset)
{
    return allocate(mi_os_tls_heap(), size, alignment, offset, FILL_ZERO);
}

void *mi_zalloc_aligned(size_t size, size_t alignment)
{
    return allocate(mi_os_tls_heap(), size, alignment, 0, FILL_ZERO);
}

void *mi_calloc_aligned_at(size_t count, size_t size, size_t alignment, size_t offset)
{
    return mi_heap_calloc_aligned_at(mi_os_tls_heap(), count, size, alignment, offset);
}

void *mi_calloc_aligned(size_t count, size_t size, size_t alignment)
{
    return mi_heap_calloc_aligned_at(mi_os_tls_heap(), count, size, alignment, 0);
}

// ---- POSIX spellings ----

int mi_posix_memalign(void **p, size_t alignment, size_t size)
{
    if (p == NULL || alignment % sizeof(void *) != 0 || !is_valid_alignment(alignment))
        return EINVAL;
    // Not through allocate: POSIX leaves errno alone.
    void *block = mi_alloc_aligned_in(mi_os_tls_heap(), size, alignment, 0, false);
    if (block == NULL)
        return ENOMEM;
    *p = block;
    return 0;
}

void *mi_memalign(size_t alignment, size_t size)
{
    return mi_malloc_aligned(size, alignment);
}

void *mi_aligned_alloc(size_t alignment, size_t size)
{
    return mi_malloc_aligned(size, alignment);
}

void *mi_valloc(size_t size)
{
    mi_heap_t *heap = mi_heap_current(); // also starts the process: the page size is known then
    return allocate(heap, size, mi_os_config.page_size, 0, FILL_NONE);
}

void *mi_pvalloc(size_t size)
{
    mi_heap_t *heap = mi_heap_current();
    size_t page_size = mi_os_config.page_size;
    if (size > SIZE_MAX - page_size)
        return mi_fail_memory(size);
    return allocate(heap, mi_align_up(size, page_size), page_size, 0, FILL_NONE);
}
