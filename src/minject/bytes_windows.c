// SPDX-License-Identifier: MIT
// The memory and string functions that compilers call and minject uses, where there is no C runtime.
// Built with -fno-builtin, or the loops would become calls of themselves.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
#if defined(__x86_64__) || defined(__i386__)
    void *start = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
    return start;
#else
    uint8_t *target = to;
    const uint8_t *source = from;
    for (; size >= 8; size -= 8, target += 8, source += 8)
        __builtin_memcpy_inline(target, source, 8);
    while (size-- > 0)
        *target++ = *source++;
    return to;
#endif
}

void *memmove(void *to, const void *from, size_t size)
{
    uint8_t *target = to;
    const uint8_t *source = from;
    if ((uintptr_t)target - (uintptr_t)source >= size)
        return memcpy(to, from, size);
    while (size-- > 0)
        target[size] = source[size];
    return to;
}

void *memset(void *to, int value, size_t size)
{
#if defined(__x86_64__) || defined(__i386__)
    void *start = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
    return start;
#else
    uint8_t *target = to;
    while (size-- > 0)
        *target++ = (uint8_t)value;
    return to;
#endif
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
