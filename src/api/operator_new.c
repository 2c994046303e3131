// SPDX-License-Identifier: MIT
// What C++'s operator new needs: on failure the program's new handler runs and the allocation is
// tried again, until the handler gives up; then std::bad_alloc is thrown through the C++ runtime's
// own function, where the program has one, else the process ends. The nothrow forms return NULL.
#include "api/alloc.h"
#include "api/fail.h"
#include "heap/heap.h"
#include "os/os.h"
#include "support/message.h"

#include <errno.h>

typedef void new_handler_fun(void);

// std::get_new_handler() and std::__throw_bad_alloc() as GCC's and clang's runtimes name them; not
// there in programs without C++, nor in Microsoft's, which has other names and no weak ones.
#if MI_HAS_WEAK
mi_weak new_handler_fun *_ZSt15get_new_handlerv(void);
mi_weak void _ZSt17__throw_bad_allocv(void);
#else
static new_handler_fun *(*const _ZSt15get_new_handlerv)(void) = NULL;
static void (*const _ZSt17__throw_bad_allocv)(void) = NULL;
#endif

typedef enum on_failure { FAIL_THROWS, FAIL_NULL } on_failure_t;

static void give_up(size_t size)
{
    if (_ZSt17__throw_bad_allocv != NULL)
        _ZSt17__throw_bad_allocv();
    mi_error_report(ENOMEM, "operator new: unable to allocate %zu bytes", size);
    mi_os_abort();
}

// True: the program's handler ran, try again. It may throw.
static bool run_new_handler(void)
{
    new_handler_fun *handler = _ZSt15get_new_handlerv != NULL ? _ZSt15get_new_handlerv() : NULL;
    if (handler == NULL)
        return false;
    handler();
    return true;
}

static mi_cold void *retry(mi_heap_t *heap, size_t size, size_t alignment, on_failure_t on_failure)
{
    void *p = NULL;
    while (p == NULL && run_new_handler())
        p = mi_alloc_aligned_in(heap, size, alignment, 0, false);
    if (p == NULL && on_failure == FAIL_THROWS)
        give_up(size);
    return p;
}

static void *allocate_n(mi_heap_t *heap, size_t count, size_t size)
{
    size_t total;
    if (mi_likely(mi_mul_size(count, size, &total)))
        return mi_heap_alloc_new(heap, total);
    give_up(SIZE_MAX);
    return NULL;
}

void *mi_heap_alloc_new(mi_heap_t *heap, size_t size)
{
    void *p = mi_heap_malloc(heap, size);
    return mi_likely(p != NULL) ? p : retry(heap, size, MI_BLOCK_ALIGN, FAIL_THROWS);
}

void *mi_heap_alloc_new_n(mi_heap_t *heap, size_t count, size_t size)
{
    return allocate_n(heap, count, size);
}

void *mi_new(size_t size)
{
    void *p = mi_malloc(size);
    return mi_likely(p != NULL) ? p : retry(mi_os_tls_heap(), size, MI_BLOCK_ALIGN, FAIL_THROWS);
}

void *mi_new_nothrow(size_t size)
{
    void *p = mi_malloc(size);
    return mi_likely(p != NULL) ? p : retry(mi_os_tls_heap(), size, MI_BLOCK_ALIGN, FAIL_NULL);
}

void *mi_new_aligned(size_t size, size_t alignment)
{
    void *p = mi_malloc_aligned(size, alignment);
    if (mi_likely(p != NULL))
        return p;
    if (!mi_is_power_of_two(alignment))
        give_up(size);
    return retry(mi_os_tls_heap(), size, alignment, FAIL_THROWS);
}

void *mi_new_aligned_nothrow(size_t size, size_t alignment)
{
    void *p = mi_malloc_aligned(size, alignment);
    if (mi_likely(p != NULL) || !mi_is_power_of_two(alignment))
        return p;
    return retry(mi_os_tls_heap(), size, alignment, FAIL_NULL);
}

void *mi_new_n(size_t count, size_t size)
{
    return allocate_n(mi_os_tls_heap(), count, size);
}

void *mi_new_realloc(void *p, size_t newsize)
{
    void *block = mi_realloc(p, newsize);
    while (block == NULL && run_new_handler())
        block = mi_realloc(p, newsize);
    if (block == NULL)
        give_up(newsize);
    return block;
}

void *mi_new_reallocn(void *p, size_t newcount, size_t size)
{
    size_t total;
    if (!mi_mul_size(newcount, size, &total))
        give_up(SIZE_MAX);
    return mi_new_realloc(p, total);
}
