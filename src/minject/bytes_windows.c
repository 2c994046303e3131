// SPDX-License-Identifier: MIT
// The memory and string functions that compilers call and minject uses, where there is no C runtime.
// Built with -fno-builtin, or the loops would become calls of themselves.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "compiler/intrinsics.h"

// Eight bytes at any address.
#pragma pack(push, 1)
typedef struct word {
    uint64_t value;
} mi_may_alias word_t;
#pragma pack(pop)

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
#if MI_HAS_STRING_LOOPS
    mi_copy_up(to, from, size);
#else
    uint8_t *target = to;
    const uint8_t *source = from;
    for (; size >= sizeof(word_t); size -= sizeof(word_t)) {
        *(word_t *)target = *(const word_t *)source;
        target += sizeof(word_t);
        source += sizeof(word_t);
        mi_keep_loop();
    }
    for (; size > 0; size--) {
        *target++ = *source++;
        mi_keep_loop();
    }
#endif
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    uint8_t *target = to;
    const uint8_t *source = from;
    if ((uintptr_t)target - (uintptr_t)source >= size)
        return memcpy(to, from, size);
    while (size-- > 0) {
        target[size] = source[size];
        mi_keep_loop();
    }
    return to;
}

void *memset(void *to, int value, size_t size)
{
#if MI_HAS_STRING_LOOPS
    mi_fill_up(to, (unsigned char)value, size);
#else
    uint8_t *target = to;
    for (; size > 0; size--) {
        *target++ = (uint8_t)value;
        mi_keep_loop();
    }
#endif
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const uint8_t *left = a;
    const uint8_t *right = b;
    for (; size > 0; size--, left++, right++) {
        if (*left != *right)
            return *left - *right;
    }
    return 0;
}

void *memchr(const void *bytes, int c, size_t size)
{
    const uint8_t *at = bytes;
    for (; size > 0; size--, at++) {
        if (*at == (uint8_t)c)
            return (void *)(uintptr_t)at;
    }
    return NULL;
}

size_t strlen(const char *text)
{
    size_t size = 0;
    while (text[size] != '\0')
        size++;
    return size;
}

int strncmp(const char *a, const char *b, size_t size)
{
    for (; size > 0; size--, a++, b++) {
        if (*a != *b)
            return (int)(uint8_t)*a - (int)(uint8_t)*b;
        if (*a == '\0')
            break;
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *text, int c)
{
    for (; *text != (char)c; text++) {
        if (*text == '\0')
            return NULL;
    }
    return (char *)(uintptr_t)text;
}

char *strrchr(const char *text, int c)
{
    char *found = NULL;
    for (; *text != '\0'; text++) {
        if (*text == (char)c)
            found = (char *)(uintptr_t)text;
    }
    return found;
}
