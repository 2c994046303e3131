// SPDX-License-Identifier: MIT
// The memory functions that compilers call on their own. The DLL has no C runtime to take them from.
#include "redirect/freestanding.h"

#include "compiler/intrinsics.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    unsigned char *t = to;
    const unsigned char *f = from;
    while (size-- > 0) {
        *t++ = *f++;
        mi_keep_loop();
    }
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    unsigned char *t = to;
    const unsigned char *f = from;
    if (t < f)
        return memcpy(to, from, size);
    while (size-- > 0) {
        t[size] = f[size];
        mi_keep_loop();
    }
    return to;
}

void *memset(void *to, int value, size_t size)
{
    unsigned char *t = to;
    while (size-- > 0) {
        *t++ = (unsigned char)value;
        mi_keep_loop();
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *x = a;
    const unsigned char *y = b;
    for (; size-- > 0; x++, y++)
        if (*x != *y)
            return *x < *y ? -1 : 1;
    return 0;
}

size_t strlen(const char *text)
{
    size_t length = 0;
    while (text[length] != 0)
        length++;
    return length;
}
