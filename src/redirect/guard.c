// SPDX-License-Identifier: MIT
// The guarded functions. Error rules as Microsoft documents them for each function of the runtime.
#include "redirect/guard.h"
#include "redirect/allocator.h"
#include "redirect/foreign.h"
#include "redirect/freestanding.h"
#include "redirect/patch_apply.h"

enum { ERR_NO_MEMORY = 12, ERR_INVALID = 22 }; // ENOMEM and EINVAL of every Microsoft runtime

#define NOT_A_BLOCK ((size_t)-1)
#define REQUEST_MAX ((size_t)-32) // _HEAP_MAXREQ

bool rd_is_ours(const void *block)
{
    return rd_allocator.is_in_heap_region(block);
}

// After a refused allocation. True: try again.
static bool should_retry(const rd_runtime_t *runtime, size_t size)
{
    if (size <= REQUEST_MAX && rd_call_new_handler(runtime, size))
        return true;
    rd_set_errno(runtime, ERR_NO_MEMORY);
    return false;
}

static bool multiply(size_t a, size_t b, size_t *product)
{
    *product = a * b;
    return b == 0 || a <= (size_t)-1 / b;
}

// The exact size where the allocator keeps it, else the usable one.
static size_t size_of_ours(void *block)
{
    if (rd_allocator.crt[RD_F_msize] != NULL)
        return ((size_t (*)(void *))rd_allocator.crt[RD_F_msize])(block);
    return rd_allocator.usable_size(block);
}

void *rd_guard_malloc(const rd_runtime_t *runtime, size_t size)
{
    void *block;
    do {
        block = size <= REQUEST_MAX ? rd_allocator.malloc(size) : NULL;
    } while (block == NULL && should_retry(runtime, size));
    return block;
}

void *rd_guard_calloc(const rd_runtime_t *runtime, size_t count, size_t size)
{
    size_t total;
    if (!multiply(count, size, &total)) {
        rd_set_errno(runtime, ERR_NO_MEMORY);
        return NULL;
    }
    void *block;
    do {
        block = total <= REQUEST_MAX ? rd_allocator.calloc(1, total) : NULL;
    } while (block == NULL && should_retry(runtime, total));
    return block;
}

static void *realloc_ours(const rd_runtime_t *runtime, void *block, size_t size)
{
    void *moved;
    do {
        moved = size <= REQUEST_MAX ? rd_allocator.realloc(block, size) : NULL;
    } while (moved == NULL && should_retry(runtime, size));
    return moved;
}

static void *realloc_foreign(const rd_runtime_t *runtime, void *block, size_t size)
{
    void *moved;
    do {
        moved = size <= REQUEST_MAX ? rd_foreign_realloc(runtime, block, size) : NULL;
    } while (moved == NULL && should_retry(runtime, size));
    return moved;
}

void *rd_guard_realloc(const rd_runtime_t *runtime, void *block, size_t size)
{
    if (block == NULL)
        return rd_guard_malloc(runtime, size);
    if (size == 0) {
        rd_guard_free(runtime, block);
        return NULL;
    }
    return rd_is_ours(block) ? realloc_ours(runtime, block, size)
                             : realloc_foreign(runtime, block, size);
}

void rd_guard_free(const rd_runtime_t *runtime, void *block)
{
    if (block == NULL)
        return;
    if (rd_is_ours(block))
        rd_allocator.free(block);
    else
        rd_foreign_free(runtime, block);
}

size_t rd_guard_msize(const rd_runtime_t *runtime, void *block)
{
    if (block == NULL) {
        rd_invalid_parameter(runtime, ERR_INVALID);
        return NOT_A_BLOCK;
    }
    return rd_is_ours(block) ? size_of_ours(block) : rd_foreign_msize(runtime, block);
}

void *rd_guard_expand(const rd_runtime_t *runtime, void *block, size_t size)
{
    if (block == NULL) {
        rd_invalid_parameter(runtime, ERR_INVALID);
        return NULL;
    }
    void *same = NULL;
    if (!rd_is_ours(block))
        same = size <= REQUEST_MAX ? rd_foreign_expand(runtime, block, size) : NULL;
    else if (rd_allocator.crt[RD_F_expand] != NULL)
        return ((void *(*)(void *, size_t))rd_allocator.crt[RD_F_expand])(block, size);
    else if (size <= rd_allocator.usable_size(block))
        same = block;
    if (same == NULL)
        rd_set_errno(runtime, ERR_NO_MEMORY);
    return same;
}

void *rd_guard_recalloc(const rd_runtime_t *runtime, void *block, size_t count, size_t size)
{
    size_t total;
    if (!multiply(count, size, &total)) {
        rd_set_errno(runtime, ERR_NO_MEMORY);
        return NULL;
    }
    if (block == NULL)
        return rd_guard_calloc(runtime, 1, total);
    size_t old = total != 0 ? rd_guard_msize(runtime, block) : 0;
    uint8_t *moved = rd_guard_realloc(runtime, block, total);
    if (moved != NULL && old != NOT_A_BLOCK && old < total)
        memset(moved + old, 0, total - old);
    return moved;
}

static bool is_valid_alignment(size_t size, size_t alignment, size_t offset)
{
    return alignment != 0 && (alignment & (alignment - 1)) == 0 && (offset == 0 || offset < size);
}

void *rd_guard_aligned_malloc(const rd_runtime_t *runtime, size_t size, size_t alignment,
                              size_t offset)
{
    if (!is_valid_alignment(size, alignment, offset)) {
        rd_invalid_parameter(runtime, ERR_INVALID);
        return NULL;
    }
    if (alignment < sizeof(void *))
        alignment = sizeof(void *);
    void *block;
    do {
        block =
            size <= REQUEST_MAX ? rd_allocator.malloc_aligned_at(size, alignment, offset) : NULL;
    } while (block == NULL && should_retry(runtime, size));
    return block;
}

static void *move_foreign_aligned(const rd_runtime_t *runtime, void *block, size_t size,
                                  size_t alignment, size_t offset)
{
    size_t old = rd_foreign_aligned_msize(runtime, block, alignment, offset);
    void *moved = rd_guard_aligned_malloc(runtime, size, alignment, offset);
    if (moved == NULL)
        return NULL;
    if (old != NOT_A_BLOCK)
        memcpy(moved, block, old < size ? old : size);
    rd_foreign_aligned_free(runtime, block);
    return moved;
}

void *rd_guard_aligned_realloc(const rd_runtime_t *runtime, void *block, size_t size,
                               size_t alignment, size_t offset)
{
    if (block == NULL)
        return rd_guard_aligned_malloc(runtime, size, alignment, offset);
    if (size == 0) {
        rd_guard_aligned_free(runtime, block);
        return NULL;
    }
    if (!is_valid_alignment(size, alignment, offset)) {
        rd_invalid_parameter(runtime, ERR_INVALID);
        return NULL;
    }
    if (!rd_is_ours(block))
        return move_foreign_aligned(runtime, block, size, alignment, offset);
    if (alignment < sizeof(void *))
        alignment = sizeof(void *);
    void *moved;
    do {
        moved = size <= REQUEST_MAX
                    ? rd_allocator.realloc_aligned_at(block, size, alignment, offset)
                    : NULL;
    } while (moved == NULL && should_retry(runtime, size));
    return moved;
}

void *rd_guard_aligned_recalloc(const rd_runtime_t *runtime, void *block, size_t count, size_t size,
                                size_t alignment, size_t offset)
{
    size_t total;
    if (!multiply(count, size, &total)) {
        rd_set_errno(runtime, ERR_NO_MEMORY);
        return NULL;
    }
    size_t old = 0;
    if (block != NULL && total != 0)
        old = rd_guard_aligned_msize(runtime, block, alignment, offset);
    uint8_t *moved = rd_guard_aligned_realloc(runtime, block, total, alignment, offset);
    if (moved != NULL && old != NOT_A_BLOCK && old < total)
        memset(moved + old, 0, total - old);
    return moved;
}

void rd_guard_aligned_free(const rd_runtime_t *runtime, void *block)
{
    if (block == NULL)
        return;
    if (rd_is_ours(block))
        rd_allocator.free(block);
    else
        rd_foreign_aligned_free(runtime, block);
}

size_t rd_guard_aligned_msize(const rd_runtime_t *runtime, void *block, size_t alignment,
                              size_t offset)
{
    if (block == NULL) {
        rd_invalid_parameter(runtime, ERR_INVALID);
        return NOT_A_BLOCK;
    }
    return rd_is_ours(block) ? size_of_ours(block)
                             : rd_foreign_aligned_msize(runtime, block, alignment, offset);
}

// operator new of the old runtimes. It asks the new handler whatever the new mode is.
void *rd_guard_new(const rd_runtime_t *runtime, size_t size)
{
    for (;;) {
        void *block = size <= REQUEST_MAX ? rd_allocator.malloc(size) : NULL;
        if (block != NULL)
            return block;
        if (size > REQUEST_MAX || runtime->call_new_handler == NULL || !rd_runtime_is_up(runtime) ||
            runtime->call_new_handler(size) == 0)
            return rd_original_new(runtime, size);
    }
}
