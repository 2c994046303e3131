// SPDX-License-Identifier: MIT
// Calls the runtime's heap functions in every way that its documentation promises something about,
// and prints a line for each. crt_differential.py compares the lines of the runtime's own functions
// with those of ours. Arguments: names of cases to leave out.
#include "mimalloc.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

// Not in every header.
typedef int(__cdecl new_handler_fun)(size_t);
new_handler_fun *__cdecl _set_new_handler(new_handler_fun *handler);
int __cdecl _set_new_mode(int mode);
size_t __cdecl _aligned_msize(void *p, size_t alignment, size_t offset);

// Hidden from the compiler, which knows what these functions do and would leave calls out.
static volatile size_t huge = (size_t)PTRDIFF_MAX - 100000;
static volatile size_t beyond = SIZE_MAX - 20; // above the runtime's own limit
static volatile size_t zero = 0;
static void *volatile null_pointer;

static int skip_count;
static char **skips;
static int invalid_calls; // of the invalid-parameter handler, in this case
static int new_calls;     // of the new handler
static int new_limit;     // it gives up then

static void count_invalid(const wchar_t *expression, const wchar_t *function, const wchar_t *file,
                          unsigned line, uintptr_t reserved)
{
    (void)expression, (void)function, (void)file, (void)line, (void)reserved;
    invalid_calls++;
}

static int __cdecl count_new(size_t size)
{
    (void)size;
    return ++new_calls < new_limit;
}

static int begin(const char *name)
{
    for (int i = 0; i < skip_count; i++)
        if (strcmp(skips[i], name) == 0)
            return 0;
    invalid_calls = 0;
    new_calls = 0;
    errno = 0;
    return 1;
}

// value is what the call gave, as a number that does not depend on addresses.
static void report(const char *name, long long value, int error)
{
    printf("%s = %lld errno %d invalid %d new %d\n", name, value, error, invalid_calls, new_calls);
    fflush(stdout);
}

// The expression's value is of an integer type; errno is read at once.
#define CASE(name, expression)                                                                     \
    do {                                                                                           \
        if (begin(#name)) {                                                                        \
            long long value = (long long)(expression);                                             \
            int error = errno;                                                                     \
            report(#name, value, error);                                                           \
        }                                                                                          \
    } while (0)

static int got(void *p)
{
    return p != NULL;
}

// 1 when the block is there; frees it.
static int got_and_free(void *p)
{
    int error = errno;
    int is_there = p != NULL;
    free(p);
    errno = error;
    return is_there;
}

// To what the processor's largest plain type wants.
static int is_aligned_and_free(void *p)
{
    int error = errno;
    int is_aligned = p != NULL && (uintptr_t)p % (sizeof(void *) * 2) == 0;
    free(p);
    errno = error;
    return is_aligned;
}

static int got_aligned(void *p, size_t alignment, size_t offset)
{
    int error = errno;
    int is_there = p == NULL ? 0 : ((uintptr_t)p + offset) % alignment == 0 ? 1 : -1;
    _aligned_free(p);
    errno = error;
    return is_there;
}

static void *filled(size_t size)
{
    void *p = malloc(size);
    if (p != NULL)
        memset(p, 0xEE, size);
    return p;
}

static int count_zeros(const void *p, size_t from, size_t to)
{
    int count = 0;
    for (size_t i = from; i < to; i++)
        count += ((const unsigned char *)p)[i] == 0;
    return count;
}

// ---- malloc, calloc, free, realloc ----

static void plain(void)
{
    CASE(malloc_zero, got_and_free(malloc(zero)));
    CASE(malloc_huge, got(malloc(huge)));
    CASE(malloc_beyond, got(malloc(beyond)));
    CASE(malloc_is_aligned, is_aligned_and_free(malloc(100)));
    CASE(calloc_zero_count, got_and_free(calloc(zero, 5)));
    CASE(calloc_zero_size, got_and_free(calloc(5, zero)));
    CASE(calloc_overflow, got(calloc(beyond, 16)));
    CASE(calloc_huge, got(calloc(1, huge)));
    CASE(free_null, (free(null_pointer), 0));
    CASE(realloc_null, got_and_free(realloc(null_pointer, 10)));
    CASE(realloc_null_zero, got_and_free(realloc(null_pointer, zero)));
    CASE(realloc_zero, got(realloc(malloc(10), zero)));
    if (begin("realloc_huge_keeps")) {
        char *p = filled(10);
        void *q = realloc(p, huge);
        int error = errno;
        report("realloc_huge_keeps", q == NULL && (unsigned char)p[9] == 0xEE, error);
        free(p);
    }
    if (begin("realloc_keeps_content")) {
        unsigned char *p = filled(1000);
        p = realloc(p, 100000);
        int is_kept = p[0] == 0xEE && p[999] == 0xEE;
        p = realloc(p, 10);
        report("realloc_keeps_content", is_kept && p[9] == 0xEE, errno);
        free(p);
    }
    if (begin("free_keeps_last_error")) {
        void *p = malloc(100);
        SetLastError(1234);
        errno = 77;
        free(p);
        report("free_keeps_last_error", GetLastError(), errno);
    }
    if (begin("malloc_keeps_errno")) {
        errno = 77;
        void *p = malloc(100);
        report("malloc_keeps_errno", p != NULL, errno);
        free(p);
    }
}

// ---- _msize, _expand, _recalloc ----

static void sized(void)
{
    CASE(msize_null, (int)_msize(null_pointer));
    if (begin("msize_exact")) {
        void *p = malloc(101);
        report("msize_exact", (long long)_msize(p), errno);
        free(p);
    }
    if (begin("msize_enough")) {
        void *p = malloc(101);
        report("msize_enough", _msize(p) >= 101, errno);
        free(p);
    }
    CASE(expand_null, got(_expand(null_pointer, 10)));
    if (begin("expand_smaller")) {
        void *p = malloc(1000);
        report("expand_smaller", _expand(p, 900) == p, errno);
        free(p);
    }
    if (begin("expand_zero")) {
        void *p = malloc(100);
        report("expand_zero", _expand(p, zero) == p, errno);
        free(p);
    }
    if (begin("expand_huge")) {
        void *p = malloc(100);
        void *q = _expand(p, huge);
        int error = errno;
        report("expand_huge", got(q), error);
        free(p);
    }
    if (begin("expand_beyond")) {
        void *p = malloc(100);
        void *q = _expand(p, beyond);
        int error = errno;
        report("expand_beyond", got(q), error);
        free(p);
    }
    CASE(recalloc_null, got_and_free(_recalloc(null_pointer, 3, 5)));
    CASE(recalloc_overflow, got(_recalloc(null_pointer, beyond, 16)));
    CASE(recalloc_zero, got(_recalloc(malloc(10), zero, 5)));
    CASE(recalloc_null_zero, got_and_free(_recalloc(null_pointer, zero, 5)));
    if (begin("recalloc_null_is_zeroed")) {
        void *p = _recalloc(null_pointer, 100, 3);
        report("recalloc_null_is_zeroed", count_zeros(p, 0, 300), errno);
        free(p);
    }
    if (begin("recalloc_moves_and_zeroes")) {
        void *p = _recalloc(filled(64), 10, 1000);
        report("recalloc_moves_and_zeroes", count_zeros(p, 64, 10000), errno);
        free(p);
    }
    if (begin("recalloc_of_calloc_zeroes")) {
        void *p = calloc(1, 23);
        memset(p, 0xEE, 23);
        p = _recalloc(p, 1, 32);
        report("recalloc_of_calloc_zeroes", count_zeros(p, 23, 32), errno);
        free(p);
    }
    if (begin("recalloc_after_shrinking_zeroes")) {
        void *p = _recalloc(null_pointer, 1, 100);
        memset(p, 0xEE, 100);
        p = _recalloc(p, 1, 80);
        p = _recalloc(p, 1, 100);
        report("recalloc_after_shrinking_zeroes", count_zeros(p, 80, 100), errno);
        free(p);
    }
    if (begin("recalloc_of_malloc_zeroes_slack")) {
        // The block has had other content.
        free(filled(32));
        void *p = malloc(23);
        memset(p, 0xEE, 23);
        p = _recalloc(p, 1, 32);
        report("recalloc_of_malloc_zeroes_slack", count_zeros(p, 23, 32), errno);
        free(p);
    }
}

// ---- the aligned family ----

static void aligned(void)
{
    CASE(aligned_malloc, got_aligned(_aligned_malloc(100, 64), 64, 0));
    CASE(aligned_malloc_page, got_aligned(_aligned_malloc(100, 65536), 65536, 0));
    CASE(aligned_malloc_zero, got_aligned(_aligned_malloc(zero, 64), 64, 0));
    CASE(aligned_malloc_alignment_1, got_aligned(_aligned_malloc(10, 1), 1, 0));
    CASE(aligned_malloc_alignment_3, got(_aligned_malloc(10, 3)));
    CASE(aligned_malloc_huge, got(_aligned_malloc(huge, 64)));
    CASE(aligned_malloc_beyond, got(_aligned_malloc(beyond, 64)));
    CASE(aligned_offset_malloc, got_aligned(_aligned_offset_malloc(100, 64, 8), 64, 8));
    CASE(aligned_offset_is_size, got(_aligned_offset_malloc(8, 64, 8)));
    CASE(aligned_offset_beyond_size, got(_aligned_offset_malloc(8, 64, 16)));
    CASE(aligned_free_null, (_aligned_free(null_pointer), 0));
    CASE(aligned_realloc_null, got_aligned(_aligned_realloc(null_pointer, 100, 64), 64, 0));
    CASE(aligned_realloc_zero, got(_aligned_realloc(_aligned_malloc(10, 64), zero, 64)));
    CASE(aligned_realloc_null_zero, got_aligned(_aligned_realloc(null_pointer, zero, 64), 64, 0));
    if (begin("aligned_realloc_bad_alignment")) {
        void *p = _aligned_malloc(10, 64);
        void *q = _aligned_realloc(p, 20, 48);
        int error = errno;
        report("aligned_realloc_bad_alignment", got(q), error);
        _aligned_free(p);
    }
    if (begin("aligned_realloc_huge_keeps")) {
        unsigned char *p = _aligned_malloc(10, 64);
        memset(p, 0xEE, 10);
        void *q = _aligned_realloc(p, huge, 64);
        int error = errno;
        report("aligned_realloc_huge_keeps", q == NULL && p[9] == 0xEE, error);
        _aligned_free(p);
    }
    if (begin("aligned_realloc_keeps_content")) {
        unsigned char *p = _aligned_malloc(1000, 64);
        memset(p, 0xEE, 1000);
        p = _aligned_realloc(p, 100000, 64);
        report("aligned_realloc_keeps_content",
               (uintptr_t)p % 64 == 0 && p[0] == 0xEE && p[999] == 0xEE, errno);
        _aligned_free(p);
    }
    CASE(aligned_msize_null, (int)_aligned_msize(null_pointer, 64, 0));
    if (begin("aligned_msize_exact")) {
        void *p = _aligned_malloc(101, 64);
        report("aligned_msize_exact", (long long)_aligned_msize(p, 64, 0), errno);
        _aligned_free(p);
    }
    if (begin("aligned_msize_enough")) {
        void *p = _aligned_malloc(101, 64);
        report("aligned_msize_enough", _aligned_msize(p, 64, 0) >= 101, errno);
        _aligned_free(p);
    }
    CASE(aligned_recalloc_null, got_aligned(_aligned_recalloc(null_pointer, 3, 50, 64), 64, 0));
    CASE(aligned_recalloc_overflow, got(_aligned_recalloc(null_pointer, beyond, 16, 64)));
    if (begin("aligned_recalloc_zeroes")) {
        unsigned char *p = _aligned_malloc(64, 64);
        memset(p, 0xEE, 64);
        p = _aligned_recalloc(p, 100, 10, 64);
        report("aligned_recalloc_zeroes", count_zeros(p, 64, 1000), errno);
        _aligned_free(p);
    }
    if (begin("aligned_offset_recalloc_zeroes")) {
        unsigned char *p = _aligned_offset_malloc(64, 64, 8);
        memset(p, 0xEE, 64);
        p = _aligned_offset_recalloc(p, 100, 10, 64, 8);
        report("aligned_offset_recalloc_zeroes",
               ((uintptr_t)p + 8) % 64 == 0 ? count_zeros(p, 64, 1000) : -1, errno);
        _aligned_free(p);
    }
}

// ---- the new handler ----

static void new_handler(void)
{
    _set_new_handler(count_new);
    new_limit = 3;
    CASE(handler_mode_0_malloc, got(malloc(huge)));
    _set_new_mode(1);
    CASE(handler_malloc, got(malloc(huge)));
    CASE(handler_malloc_beyond, got(malloc(beyond)));
    CASE(handler_calloc, got(calloc(1, huge)));
    CASE(handler_calloc_overflow, got(calloc(beyond, 16)));
    CASE(handler_realloc_null, got(realloc(null_pointer, huge)));
    if (begin("handler_realloc")) {
        void *p = malloc(10);
        void *q = realloc(p, huge);
        int error = errno;
        report("handler_realloc", got(q), error);
        free(p);
    }
    if (begin("handler_recalloc")) {
        void *p = malloc(10);
        void *q = _recalloc(p, 1, huge);
        int error = errno;
        report("handler_recalloc", got(q), error);
        free(p);
    }
    CASE(handler_aligned_malloc, got(_aligned_malloc(huge, 64)));
    if (begin("handler_expand")) {
        void *p = malloc(10);
        void *q = _expand(p, huge);
        int error = errno;
        report("handler_expand", got(q), error);
        free(p);
    }
    _set_new_mode(0);
    _set_new_handler(NULL);
}

int main(int argc, char **argv)
{
    skip_count = argc - 1;
    skips = argv + 1;
    _set_invalid_parameter_handler(count_invalid);
    printf("redirected = %d interface %d\n", mi_is_redirected(), mi_version() / 10000);
    plain();
    sized();
    aligned();
    new_handler();
    return 0;
}
