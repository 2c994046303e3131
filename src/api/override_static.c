// SPDX-License-Identifier: MIT
// The standard names: for LD_PRELOAD of the shared object, and for programs that link the archive.
// Each is the mi_ function of the same meaning; C++ operators under the names that the Itanium ABI
// gives them. What programs call most has its fast path here: no jump from name to name, and all of it
// in a few cache lines in a row. In the Windows DLL the redirect does this instead.
#include "api/alloc.h"
#include "mimalloc.h"

#include <errno.h>

// The C library's headers declare these with attributes of their own.
#define EXPORT mi_exported

EXPORT void *malloc(size_t size);
EXPORT void *calloc(size_t count, size_t size);
EXPORT void *realloc(void *p, size_t size);
EXPORT void free(void *p);
EXPORT void cfree(void *p);
EXPORT void *reallocf(void *p, size_t size);
EXPORT void *reallocarray(void *p, size_t count, size_t size);
EXPORT void *memalign(size_t alignment, size_t size);
EXPORT void *aligned_alloc(size_t alignment, size_t size);
EXPORT int posix_memalign(void **p, size_t alignment, size_t size);
EXPORT void *valloc(size_t size);
EXPORT void *pvalloc(size_t size);
EXPORT size_t malloc_usable_size(void *p);
EXPORT size_t malloc_size(const void *p);
EXPORT size_t malloc_good_size(size_t size);

void *malloc(size_t size)
{
    mi_heap_t *heap = mi_os_tls_heap();
    void *block = mi_alloc_fast(heap, size);
    return mi_likely(block != NULL) ? block : mi_malloc_slow(size, heap);
}

void *calloc(size_t count, size_t size)
{
    size_t total;
    if (mi_unlikely(!mi_mul_size(count, size, &total)))
        return mi_calloc(count, size);
    mi_heap_t *heap = mi_os_tls_heap();
    void *block = mi_alloc_zero_fast(heap, total);
    return mi_likely(block != NULL) ? block : mi_zalloc_slow(total, heap);
}

static mi_noinline void *realloc_slow(mi_heap_t *heap, void *p, size_t size)
{
    if (size != 0 || p == NULL)
        return mi_realloc_slow(heap, p, size);
    mi_free(p);
    return NULL;
}

// As the C library: a size of 0 frees p, and the result is NULL.
void *realloc(void *p, size_t size)
{
    mi_heap_t *heap = mi_os_tls_heap();
    void *block = size == 0 ? NULL : mi_realloc_fast(heap, p, size);
    return mi_likely(block != NULL) ? block : realloc_slow(heap, p, size);
}

mi_inline void free_block(void *p)
{
    if (MI_PADDING || mi_unlikely(!mi_free_local(p)))
        mi_free_slow(p);
}

void free(void *p)
{
    free_block(p);
}

void cfree(void *p)
{
    mi_free(p);
}

void *reallocf(void *p, size_t size)
{
    return mi_reallocf(p, size);
}

void *reallocarray(void *p, size_t count, size_t size)
{
    size_t total;
    if (!mi_mul_size(count, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(p, total);
}

void *memalign(size_t alignment, size_t size)
{
    return mi_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return mi_aligned_alloc(alignment, size);
}

int posix_memalign(void **p, size_t alignment, size_t size)
{
    return mi_posix_memalign(p, alignment, size);
}

void *valloc(size_t size)
{
    return mi_valloc(size);
}

void *pvalloc(size_t size)
{
    return mi_pvalloc(size);
}

size_t malloc_usable_size(void *p)
{
    return mi_block_usable_size(p);
}

size_t malloc_size(const void *p)
{
    return mi_usable_size(p);
}

size_t malloc_good_size(size_t size)
{
    return mi_good_size(size);
}

// ---- C++ operators: new, new[], nothrow, aligned; delete in all its forms ----
// m is the letter of a size_t of 64 bits; nothrow_t and align_val_t arrive as one argument each.

#define NEW(name, ...)    EXPORT void *name(__VA_ARGS__);
#define DELETE(name, ...) EXPORT void name(__VA_ARGS__);

#define DEFINE_NEW(name)                                                                           \
    NEW(name, size_t size)                                                                         \
    void *name(size_t size)                                                                        \
    {                                                                                              \
        return mi_new(size);                                                                       \
    }
#define DEFINE_NEW_NOTHROW(name)                                                                   \
    NEW(name, size_t size, const void *nothrow)                                                    \
    void *name(size_t size, const void *nothrow)                                                   \
    {                                                                                              \
        (void)nothrow;                                                                             \
        return mi_new_nothrow(size);                                                               \
    }
#define DEFINE_NEW_ALIGNED(name)                                                                   \
    NEW(name, size_t size, size_t alignment)                                                       \
    void *name(size_t size, size_t alignment)                                                      \
    {                                                                                              \
        return mi_new_aligned(size, alignment);                                                    \
    }
#define DEFINE_NEW_ALIGNED_NOTHROW(name)                                                           \
    NEW(name, size_t size, size_t alignment, const void *nothrow)                                  \
    void *name(size_t size, size_t alignment, const void *nothrow)                                 \
    {                                                                                              \
        (void)nothrow;                                                                             \
        return mi_new_aligned_nothrow(size, alignment);                                            \
    }
// Size, alignment and nothrow do not matter to mi_free; the extra arguments stay in registers.
#define DEFINE_DELETE(name)                                                                        \
    DELETE(name, void *p, size_t a, size_t b)                                                      \
    void name(void *p, size_t a, size_t b)                                                         \
    {                                                                                              \
        (void)a;                                                                                   \
        (void)b;                                                                                   \
        mi_free(p);                                                                                \
    }

DEFINE_NEW(_Znwm)
DEFINE_NEW(_Znam)
DEFINE_NEW_NOTHROW(_ZnwmRKSt9nothrow_t)
DEFINE_NEW_NOTHROW(_ZnamRKSt9nothrow_t)
DEFINE_NEW_ALIGNED(_ZnwmSt11align_val_t)
DEFINE_NEW_ALIGNED(_ZnamSt11align_val_t)
DEFINE_NEW_ALIGNED_NOTHROW(_ZnwmSt11align_val_tRKSt9nothrow_t)
DEFINE_NEW_ALIGNED_NOTHROW(_ZnamSt11align_val_tRKSt9nothrow_t)
DEFINE_DELETE(_ZdlPv)
DEFINE_DELETE(_ZdaPv)
DEFINE_DELETE(_ZdlPvm)
DEFINE_DELETE(_ZdaPvm)
DEFINE_DELETE(_ZdlPvRKSt9nothrow_t)
DEFINE_DELETE(_ZdaPvRKSt9nothrow_t)
DEFINE_DELETE(_ZdlPvSt11align_val_t)
DEFINE_DELETE(_ZdaPvSt11align_val_t)
DEFINE_DELETE(_ZdlPvmSt11align_val_t)
DEFINE_DELETE(_ZdaPvmSt11align_val_t)
DEFINE_DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t)
DEFINE_DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t)
