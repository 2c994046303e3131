// SPDX-License-Identifier: MIT
// The runtime's own functions, for the redirect to install: the semantics that programs rely on
// where they call malloc and its family by those names (docs/crt-semantics.md). Blocks that the
// runtime made itself, before the redirect came, go back to it.
#include "api/alloc.h"
#include "api/crt.h"
#include "api/dll_windows.h"
#include "heap/grow.h"

#include <errno.h>
#include <string.h>

#define FAILED_SIZE ((size_t)-1)
// The runtime's limit for any request (_HEAP_MAXREQ).
#define REQUEST_MAX ((size_t)-32)

// ---- failing ----

static void set_errno(int value)
{
    if (mi_redirect_host != NULL)
        mi_redirect_host->set_errno(value);
}

static void *fail(int value)
{
    set_errno(value);
    return NULL;
}

// A bad argument: errno and the program's handler, which may end the process.
static void *refuse(void)
{
    if (mi_redirect_host != NULL)
        mi_redirect_host->invalid_parameter(EINVAL);
    return NULL;
}

// True: the program's new handler ran, and the allocation is to be tried again.
static bool should_retry(size_t size)
{
    return size <= REQUEST_MAX && mi_redirect_host != NULL && mi_redirect_host->new_handler(size);
}

static mi_cold void *malloc_failed(size_t size)
{
    void *p = NULL;
    while (p == NULL && should_retry(size))
        p = mi_alloc_in(mi_os_tls_heap(), size);
    return p != NULL ? p : fail(ENOMEM);
}

static mi_cold void *zalloc_failed(size_t size)
{
    void *p = NULL;
    while (p == NULL && should_retry(size))
        p = mi_alloc_zero_in(mi_os_tls_heap(), size);
    return p != NULL ? p : fail(ENOMEM);
}

// ---- malloc, calloc, free ----

// The size first: it stays in the register in which it came.
static mi_noinline void *malloc_slow(size_t size, mi_heap_t *heap)
{
    void *p =
        MI_PADDING ? mi_checked_alloc(heap, size, false) : mi_heap_alloc_slow(heap, size, false);
    return mi_likely(p != NULL) ? p : malloc_failed(size);
}

void *mi_crt_malloc(size_t size)
{
    mi_heap_t *heap = mi_os_tls_heap();
    void *p = mi_alloc_fast(heap, size);
    return mi_likely(p != NULL) ? p : malloc_slow(size, heap);
}

void *mi_crt_calloc(size_t count, size_t size)
{
    size_t total;
    if (mi_unlikely(!mi_mul_size(count, size, &total)))
        return fail(ENOMEM);
    void *p = mi_alloc_zero_in(mi_os_tls_heap(), total);
    return mi_likely(p != NULL) ? p : zalloc_failed(total);
}

static mi_noinline void free_slow(void *p)
{
    bool is_done = MI_PADDING ? mi_checked_free(p) : mi_free_other(p);
    if (!is_done && p != NULL && mi_redirect_host != NULL)
        mi_redirect_host->foreign_free(p);
}

void mi_crt_free(void *p)
{
    if (MI_PADDING || mi_unlikely(!mi_free_local(p)))
        free_slow(p);
}

// ---- realloc and its relatives ----

// The block keeps its place; where exact sizes are kept, it has a new one.
static void *stay(void *p, size_t size)
{
    if (MI_PADDING)
        mi_checked_resize(p, size);
    return p;
}

// Copies what fits and frees p; NULL, with p as it was, when there is no new block.
static void *move(void *p, size_t usable, void *block, size_t size)
{
    if (block == NULL)
        return NULL;
    memcpy(block, p, mi_min(usable, size));
    mi_free(p);
    return block;
}

static void *realloc_foreign(void *p, size_t size)
{
    void *block = NULL;
    if (mi_redirect_host == NULL)
        return fail(ENOMEM);
    do
        block = mi_redirect_host->foreign_realloc(p, size);
    while (block == NULL && should_retry(size));
    return block != NULL ? block : fail(ENOMEM);
}

static mi_noinline void *realloc_slow(void *p, size_t size)
{
    if (p == NULL)
        return mi_crt_malloc(size);
    if (size == 0) {
        mi_crt_free(p);
        return NULL;
    }
    if (mi_unlikely(!mi_is_ours(p)))
        return realloc_foreign(p, size);
    size_t usable = mi_block_usable_size(p);
    if (mi_may_stay(usable, size) || mi_heap_grow(p, size))
        return stay(p, size);
    return move(p, usable, mi_crt_malloc(size), size);
}

void *mi_crt_realloc(void *p, size_t size)
{
    void *block = size == 0 ? NULL : mi_realloc_fast(mi_os_tls_heap(), p, size);
    return mi_likely(block != NULL) ? block : realloc_slow(p, size);
}

static size_t size_of(void *p)
{
    if (mi_is_ours(p))
        return mi_block_usable_size(p);
    return mi_redirect_host == NULL ? FAILED_SIZE : mi_redirect_host->foreign_msize(p);
}

size_t mi_crt_msize(void *p)
{
    if (p != NULL)
        return size_of(p);
    refuse();
    return FAILED_SIZE;
}

void *mi_crt_expand(void *p, size_t size)
{
    if (p == NULL)
        return refuse();
    if (!mi_is_ours(p)) {
        void *block = mi_redirect_host == NULL ? NULL : mi_redirect_host->foreign_expand(p, size);
        return block != NULL ? block : fail(ENOMEM);
    }
    return size <= mi_block_usable_size(p) ? stay(p, size) : fail(ENOMEM);
}

// Zeroes what a block of ours or of the runtime grew by, to its end: growing into that later finds
// zeros, too.
static void *zero_rest(void *block, size_t old_size)
{
    size_t size = block == NULL ? 0 : size_of(block);
    if (size != FAILED_SIZE && size > old_size)
        memset((char *)block + old_size, 0, size - old_size);
    return block;
}

void *mi_crt_recalloc(void *p, size_t count, size_t size)
{
    size_t total;
    if (!mi_mul_size(count, size, &total))
        return fail(ENOMEM);
    if (p == NULL)
        return mi_crt_calloc(1, total);
    size_t old_size = size_of(p);
    if (total == 0 || old_size == FAILED_SIZE)
        return mi_crt_realloc(p, total);
    void *block = mi_crt_realloc(p, total);
    // A block that stayed is cleared beyond its new end, so that it may grow again.
    return zero_rest(block, block == p && total < old_size && mi_is_ours(p) ? total : old_size);
}

// ---- the aligned family ----

static bool are_valid(size_t size, size_t alignment, size_t offset)
{
    return mi_is_power_of_two(alignment) && (offset == 0 || offset < size);
}

static void *aligned_alloc_once(size_t size, size_t alignment, size_t offset)
{
    return mi_alloc_aligned_in(mi_os_tls_heap(), size, mi_max(alignment, sizeof(void *)), offset,
                               false);
}

// The runtime's own limit leaves room for its bookkeeping.
static void *aligned_alloc(size_t size, size_t alignment, size_t offset)
{
    void *p = aligned_alloc_once(size, alignment, offset);
    while (p == NULL && should_retry(size))
        p = aligned_alloc_once(size, alignment, offset);
    return p != NULL ? p : fail(ENOMEM);
}

void *mi_crt_aligned_offset_malloc(size_t size, size_t alignment, size_t offset)
{
    if (!are_valid(size, alignment, offset))
        return refuse();
    return aligned_alloc(size, alignment, offset);
}

void *mi_crt_aligned_malloc(size_t size, size_t alignment)
{
    return mi_crt_aligned_offset_malloc(size, alignment, 0);
}

void mi_crt_aligned_free(void *p)
{
    if (p == NULL || mi_is_ours(p))
        mi_crt_free(p);
    else if (mi_redirect_host != NULL)
        mi_redirect_host->foreign_aligned_free(p);
}

static size_t aligned_size_of(void *p, size_t alignment, size_t offset)
{
    if (mi_is_ours(p))
        return mi_block_usable_size(p);
    if (mi_redirect_host == NULL)
        return FAILED_SIZE;
    return mi_redirect_host->foreign_aligned_msize(p, alignment, offset);
}

size_t mi_crt_aligned_msize(void *p, size_t alignment, size_t offset)
{
    if (p != NULL)
        return aligned_size_of(p, alignment, offset);
    refuse();
    return FAILED_SIZE;
}

static bool is_aligned_at(const void *p, size_t alignment, size_t offset)
{
    return (((uintptr_t)p + offset) & (alignment - 1)) == 0;
}

void *mi_crt_aligned_offset_realloc(void *p, size_t size, size_t alignment, size_t offset)
{
    if (p == NULL)
        return mi_crt_aligned_offset_malloc(size, alignment, offset);
    if (size == 0) {
        mi_crt_aligned_free(p);
        return NULL;
    }
    if (!are_valid(size, alignment, offset))
        return refuse();
    size_t old_size = aligned_size_of(p, alignment, offset);
    if (old_size == FAILED_SIZE)
        return fail(EINVAL);
    if (mi_is_ours(p) && mi_may_stay(old_size, size) && is_aligned_at(p, alignment, offset))
        return stay(p, size);
    void *block = aligned_alloc(size, alignment, offset);
    if (block == NULL)
        return NULL;
    memcpy(block, p, mi_min(old_size, size));
    mi_crt_aligned_free(p);
    return block;
}

void *mi_crt_aligned_realloc(void *p, size_t size, size_t alignment)
{
    return mi_crt_aligned_offset_realloc(p, size, alignment, 0);
}

void *mi_crt_aligned_offset_recalloc(void *p, size_t count, size_t size, size_t alignment,
                                     size_t offset)
{
    size_t total;
    if (!mi_mul_size(count, size, &total))
        return fail(ENOMEM);
    if (p == NULL)
        return zero_rest(mi_crt_aligned_offset_malloc(total, alignment, offset), 0);
    if (total == 0)
        return mi_crt_aligned_offset_realloc(p, 0, alignment, offset);
    size_t old_size = aligned_size_of(p, alignment, offset);
    void *block = mi_crt_aligned_offset_realloc(p, total, alignment, offset);
    if (block == NULL || old_size == FAILED_SIZE)
        return block;
    return zero_rest(block, block == p && total < old_size ? total : old_size);
}

void *mi_crt_aligned_recalloc(void *p, size_t count, size_t size, size_t alignment)
{
    return mi_crt_aligned_offset_recalloc(p, count, size, alignment, 0);
}
