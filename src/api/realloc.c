// SPDX-License-Identifier: MIT
// Reallocation in all its forms. A block stays where it is when the new size fits and does not waste
// more than half of it; otherwise: allocate, copy, free.
#include "api/alloc.h"
#include "api/fail.h"
#include "api/runtime.h"
#include "heap/grow.h"
#include "heap/heap.h"

#include <errno.h>
#include <string.h>

typedef enum fill {
    FILL_NONE,
    FILL_ZERO // what the block grows by is zeroed; it was zeroed up to its end before
} fill_t;

typedef struct request {
    size_t size;
    size_t alignment; // 1 when any will do
    size_t offset;
    fill_t fill;
} request_t;

static bool is_aligned_at(const void *p, const request_t *request)
{
    return (((uintptr_t)p + request->offset) & (request->alignment - 1)) == 0;
}

static bool can_stay(const void *p, size_t usable, const request_t *request)
{
    return request->size != 0 && mi_may_stay(usable, request->size) && is_aligned_at(p, request);
}

static void *allocate(mi_heap_t *heap, const request_t *request)
{
    if (request->alignment <= 1)
        return mi_heap_malloc(heap, request->size);
    return mi_heap_malloc_aligned_at(heap, request->size, request->alignment, request->offset);
}

static void *move(mi_heap_t *heap, void *p, size_t usable, const request_t *request)
{
    char *block = allocate(heap, request);
    if (block == NULL)
        return NULL;
    size_t kept = mi_min(usable, request->size);
    memcpy(block, p, kept);
    // To the end of the block, so that growing into it later finds zeros.
    if (request->fill == FILL_ZERO)
        memset(block + kept, 0, mi_block_usable_size(block) - kept);
    mi_free(p);
    return block;
}

// After a block has grown: what came to it, zeroed if that is asked for. Returns its usable size now.
static size_t clear_grown(char *p, size_t usable, const request_t *request)
{
    size_t grown = mi_block_usable_size(p);
    if (request->fill == FILL_ZERO)
        memset(p + usable, 0, grown - usable);
    return grown;
}

static void *reallocate(mi_heap_t *heap, void *p, const request_t *request)
{
    if (p == NULL) {
        if (request->fill == FILL_NONE)
            return allocate(heap, request);
        return mi_heap_zalloc_aligned_at(heap, request->size, request->alignment, request->offset);
    }
    if (mi_unlikely(!mi_is_ours(p))) {
        size_t size = mi_foreign_size(p, "realloc");
        return size == 0 ? NULL : move(heap, p, size, request);
    }
    size_t usable = mi_block_usable_size(p);
    if (request->size > usable && is_aligned_at(p, request) && mi_heap_grow(p, request->size))
        usable = clear_grown(p, usable, request);
    if (!can_stay(p, usable, request))
        return move(heap, p, usable, request);
    if (request->fill == FILL_ZERO)
        memset((char *)p + request->size, 0, usable - request->size);
    if (MI_PADDING)
        mi_checked_resize(p, request->size);
    return p;
}

static void *reallocate_plain(mi_heap_t *heap, void *p, size_t size, fill_t fill)
{
    request_t request = {.size = size, .alignment = 1, .fill = fill};
    return reallocate(heap, p, &request);
}

static void *reallocate_aligned(mi_heap_t *heap, void *p, const request_t *request)
{
    if (!mi_is_power_of_two(request->alignment) || request->alignment > MI_ALIGN_MAX)
        return mi_fail_alignment(request->alignment);
    return reallocate(heap, p, request);
}

// ---- in a heap ----

void *mi_realloc_slow(mi_heap_t *heap, void *p, size_t newsize)
{
    return reallocate_plain(heap, p, newsize, FILL_NONE);
}

void *mi_heap_realloc(mi_heap_t *heap, void *p, size_t newsize)
{
    void *block = newsize == 0 ? NULL : mi_realloc_fast(heap, p, newsize);
    return mi_likely(block != NULL) ? block : mi_realloc_slow(heap, p, newsize);
}

void *mi_heap_reallocn(mi_heap_t *heap, void *p, size_t count, size_t size)
{
    size_t total;
    if (!mi_mul_size(count, size, &total))
        return mi_fail_overflow(count, size);
    return reallocate_plain(heap, p, total, FILL_NONE);
}

void *mi_heap_reallocf(mi_heap_t *heap, void *p, size_t newsize)
{
    void *block = reallocate_plain(heap, p, newsize, FILL_NONE);
    if (block == NULL)
        mi_free(p);
    return block;
}

void *mi_heap_rezalloc(mi_heap_t *heap, void *p, size_t newsize)
{
    return reallocate_plain(heap, p, newsize, FILL_ZERO);
}

void *mi_heap_recalloc(mi_heap_t *heap, void *p, size_t newcount, size_t size)
{
    size_t total;
    if (!mi_mul_size(newcount, size, &total))
        return mi_fail_overflow(newcount, size);
    return reallocate_plain(heap, p, total, FILL_ZERO);
}

void *mi_heap_realloc_aligned_at(mi_heap_t *heap, void *p, size_t newsize, size_t alignment,
                                 size_t offset)
{
    request_t request = {.size = newsize, .alignment = alignment, .offset = offset};
    return reallocate_aligned(heap, p, &request);
}

void *mi_heap_realloc_aligned(mi_heap_t *heap, void *p, size_t newsize, size_t alignment)
{
    return mi_heap_realloc_aligned_at(heap, p, newsize, alignment, 0);
}

void *mi_heap_rezalloc_aligned_at(mi_heap_t *heap, void *p, size_t newsize, size_t alignment,
                                  size_t offset)
{
    request_t request = {
        .size = newsize, .alignment = alignment, .offset = offset, .fill = FILL_ZERO};
    return reallocate_aligned(heap, p, &request);
}

void *mi_heap_rezalloc_aligned(mi_heap_t *heap, void *p, size_t newsize, size_t alignment)
{
    return mi_heap_rezalloc_aligned_at(heap, p, newsize, alignment, 0);
}

void *mi_heap_recalloc_aligned_at(mi_heap_t *heap, void *p, size_t newcount, size_t size,
                                  size_t alignment, size_t offset)
{
    size_t total;
    if (!mi_mul_size(newcount, size, &total))
        return mi_fail_overflow(newcount, size);
    return mi_heap_rezalloc_aligned_at(heap, p, total, alignment, offset);
}

void *mi_heap_recalloc_aligned(mi_heap_t *heap, void *p, size_t newcount, size_t size,
                               size_t alignment)
{
    return mi_heap_recalloc_aligned_at(heap, p, newcount, size, alignment, 0);
}

// ---- in the thread's default heap ----

void *mi_realloc(void *p, size_t newsize)
{
    return mi_heap_realloc(mi_os_tls_heap(), p, newsize);
}

void *mi_reallocn(void *p, size_t count, size_t size)
{
    return mi_heap_reallocn(mi_os_tls_heap(), p, count, size);
}

void *mi_reallocf(void *p, size_t newsize)
{
    return mi_heap_reallocf(mi_os_tls_heap(), p, newsize);
}

void *mi_rezalloc(void *p, size_t newsize)
{
    return mi_heap_rezalloc(mi_os_tls_heap(), p, newsize);
}

void *mi_recalloc(void *p, size_t newcount, size_t size)
{
    return mi_heap_recalloc(mi_os_tls_heap(), p, newcount, size);
}

void *mi_realloc_aligned_at(void *p, size_t newsize, size_t alignment, size_t offset)
{
    return mi_heap_realloc_aligned_at(mi_os_tls_heap(), p, newsize, alignment, offset);
}

void *mi_realloc_aligned(void *p, size_t newsize, size_t alignment)
{
    return mi_heap_realloc_aligned_at(mi_os_tls_heap(), p, newsize, alignment, 0);
}

void *mi_rezalloc_aligned_at(void *p, size_t newsize, size_t alignment, size_t offset)
{
    return mi_heap_rezalloc_aligned_at(mi_os_tls_heap(), p, newsize, alignment, offset);
}

void *mi_rezalloc_aligned(void *p, size_t newsize, size_t alignment)
{
    return mi_heap_rezalloc_aligned_at(mi_os_tls_heap(), p, newsize, alignment, 0);
}

void *mi_recalloc_aligned_at(void *p, size_t newcount, size_t size, size_t alignment, size_t offset)
{
    return mi_heap_recalloc_aligned_at(mi_os_tls_heap(), p, newcount, size, alignment, offset);
}

void *mi_recalloc_aligned(void *p, size_t newcount, size_t size, size_t alignment)
{
    return mi_heap_recalloc_aligned_at(mi_os_tls_heap(), p, newcount, size, alignment, 0);
}

// ---- in place ----

void *mi_expand(void *p, size_t newsize)
{
    if (p == NULL)
        return NULL;
    size_t usable = mi_is_ours(p) ? mi_block_usable_size(p) : mi_foreign_size(p, "expand");
    if (newsize > usable) {
        mi_set_errno(ENOMEM);
        return NULL;
    }
    return p;
}

// ---- other spellings ----

void *mi__expand(void *p, size_t newsize)
{
    return mi_expand(p, newsize);
}

void *mi_reallocarray(void *p, size_t count, size_t size)
{
    size_t total;
    if (!mi_mul_size(count, size, &total)) {
        void *none = mi_fail_overflow(count, size);
        mi_set_errno(EOVERFLOW);
        return none;
    }
    return mi_realloc(p, total);
}

int mi_reallocarr(void *ptrp, size_t count, size_t size)
{
    size_t total;
    void *p;
    if (ptrp == NULL)
        return EINVAL;
    if (!mi_mul_size(count, size, &total))
        return EOVERFLOW;
    // The caller's pointer may have any type: it is copied, not read as a void *.
    memcpy(&p, ptrp, sizeof p);
    p = mi_realloc(p, total);
    if (p == NULL)
        return ENOMEM;
    memcpy(ptrp, &p, sizeof p);
    return 0;
}

void *mi_aligned_recalloc(void *p, size_t newcount, size_t size, size_t alignment)
{
    return mi_recalloc_aligned(p, newcount, size, alignment);
}

void *mi_aligned_offset_recalloc(void *p, size_t newcount, size_t size, size_t alignment,
                                 size_t offset)
{
    return mi_recalloc_aligned_at(p, newcount, size, alignment, offset);
}
