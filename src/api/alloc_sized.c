// SPDX-License-Identifier: MIT
// The forms that also tell how much the caller may use.
#include "api/alloc.h"

static void *tell(void *p, size_t *block_size)
{
    if (block_size != NULL)
        *block_size = p == NULL ? 0 : mi_block_usable_size(p);
    return p;
}

void *mi_umalloc(size_t size, size_t *block_size)
{
    return tell(mi_malloc(size), block_size);
}

void *mi_ucalloc(size_t count, size_t size, size_t *block_size)
{
    return tell(mi_calloc(count, size), block_size);
}

void *mi_urealloc(void *p, size_t newsize, size_t *block_size_pre, size_t *block_size_post)
{
    if (block_size_pre != NULL)
        *block_size_pre = mi_usable_size(p);
    return tell(mi_realloc(p, newsize), block_size_post);
}

void mi_ufree(void *p, size_t *block_size)
{
    if (block_size != NULL)
        *block_size = mi_usable_size(p);
    mi_free(p);
}

void *mi_umalloc_aligned(size_t size, size_t alignment, size_t *block_size)
{
    return tell(mi_malloc_aligned(size, alignment), block_size);
}

void *mi_uzalloc_aligned(size_t size, size_t alignment, size_t *block_size)
{
    return tell(mi_zalloc_aligned(size, alignment), block_size);
}

void *mi_umalloc_small(size_t size, size_t *block_size)
{
    return tell(mi_malloc_small(size), block_size);
}

void *mi_uzalloc_small(size_t size, size_t *block_size)
{
    return tell(mi_zalloc_small(size), block_size);
}
