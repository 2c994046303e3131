// SPDX-License-Identifier: MIT
// Copies of strings, paths and environment variables in blocks of ours.
#include "api/alloc.h"
#include "api/runtime.h"
#include "heap/heap.h"
#include "os/os.h"

#include <errno.h>
#include <string.h>

static char *copy_string(mi_heap_t *heap, const char *s, size_t length)
{
    char *copy = mi_heap_malloc(heap, length + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, s, length);
    copy[length] = 0;
    return copy;
}

static size_t length_within(const char *s, size_t limit)
{
    size_t length = 0;
    while (length < limit && s[length] != 0)
        length++;
    return length;
}

char *mi_heap_strdup(mi_heap_t *heap, const char *s)
{
    return s == NULL ? NULL : copy_string(heap, s, length_within(s, SIZE_MAX - 1));
}

char *mi_heap_strndup(mi_heap_t *heap, const char *s, size_t n)
{
    return s == NULL ? NULL : copy_string(heap, s, length_within(s, mi_min(n, SIZE_MAX - 1)));
}

char *mi_heap_realpath(mi_heap_t *heap, const char *fname, char *resolved_name)
{
    if (fname == NULL) {
        mi_set_errno(EINVAL);
        return NULL;
    }
    if (resolved_name != NULL) {
        int error = mi_os_full_path(fname, resolved_name, mi_os_config.path_max);
        if (error == 0)
            return resolved_name;
        mi_set_errno(error);
        return NULL;
    }
    const size_t room = 32 * MI_KIB; // the longest path that either system has
    char *path = mi_heap_malloc(heap, room);
    if (path == NULL)
        return NULL;
    int error = mi_os_full_path(fname, path, room);
    char *copy = error == 0 ? mi_heap_strdup(heap, path) : NULL;
    mi_free(path);
    if (error != 0)
        mi_set_errno(error);
    return copy;
}

char *mi_strdup(const char *s)
{
    return mi_heap_strdup(mi_os_tls_heap(), s);
}

char *mi_strndup(const char *s, size_t n)
{
    return mi_heap_strndup(mi_os_tls_heap(), s, n);
}

char *mi_realpath(const char *fname, char *resolved_name)
{
    return mi_heap_realpath(mi_os_tls_heap(), fname, resolved_name);
}

wchar_t *mi_wcsdup(const wchar_t *s)
{
    size_t length = 0;
    if (s == NULL)
        return NULL;
    while (s[length] != 0)
        length++;
    wchar_t *copy = mi_mallocn(length + 1, sizeof(wchar_t));
    if (copy != NULL)
        memcpy(copy, s, (length + 1) * sizeof(wchar_t));
    return copy;
}

unsigned char *mi_mbsdup(const unsigned char *s)
{
    return (unsigned char *)mi_strdup((const char *)s);
}

// ---- environment ----

int mi_dupenv_s(char **buf, size_t *size, const char *name)
{
    if (size != NULL)
        *size = 0;
    if (buf == NULL || name == NULL)
        return EINVAL;
    *buf = NULL;
    size_t room = mi_os_env_copy(name, NULL, 0);
    // Another thread may make the value longer between the two calls.
    while (room != 0) {
        char *copy = mi_malloc(room);
        if (copy == NULL)
            return ENOMEM;
        size_t needed = mi_os_env_copy(name, copy, room);
        if (needed != 0 && needed <= room) {
            *buf = copy;
            if (size != NULL)
                *size = needed;
            return 0;
        }
        mi_free(copy);
        room = needed;
    }
    return 0;
}

int mi_wdupenv_s(wchar_t **buf, size_t *size, const wchar_t *name)
{
    if (size != NULL)
        *size = 0;
    if (buf == NULL || name == NULL || !mi_os_config.has_wide_environment)
        return EINVAL;
    *buf = NULL;
    size_t room = mi_os_env_copy_wide(name, NULL, 0);
    while (room != 0) {
        wchar_t *copy = mi_mallocn(room, sizeof(wchar_t));
        if (copy == NULL)
            return ENOMEM;
        size_t needed = mi_os_env_copy_wide(name, copy, room);
        if (needed != 0 && needed <= room) {
            *buf = copy;
            if (size != NULL)
                *size = needed;
            return 0;
        }
        mi_free(copy);
        room = needed;
    }
    return 0;
}
