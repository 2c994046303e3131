// SPDX-License-Identifier: MIT
// UTF-16 to UTF-8 and back without a C runtime, and paths without the old length limit.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include "minject/wide.h"

#include <string.h>

#include "minject/platform.h"

size_t mj_wide_length(const wchar_t *text)
{
    size_t length = 0;
    while (text[length] != 0)
        length++;
    return length;
}

static bool is_high(uint32_t c)
{
    return c >= 0xd800 && c < 0xdc00;
}

static bool is_low(uint32_t c)
{
    return c >= 0xdc00 && c < 0xe000;
}

static size_t put_utf8(uint32_t c, char *to)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xc0 | c >> 6);
        to[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xe0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 63));
        to[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    to[0] = (char)(0xf0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 63));
    to[2] = (char)(0x80 | (c >> 6 & 63));
    to[3] = (char)(0x80 | (c & 63));
    return 4;
}

char *mj_narrow(const wchar_t *text, size_t length)
{
    char *to = mj_alloc(length * 3 + 1);
    size_t size = 0;
    for (size_t i = 0; to != NULL && i < length; i++) {
        uint32_t c = text[i];
        if (is_high(c) && i + 1 < length && is_low(text[i + 1]))
            c = 0x10000 + ((c - 0xd800) << 10) + (text[++i] - 0xdc00U);
        size += put_utf8(c, to + size);
    }
    return to;
}

bool mj_narrow_into(const wchar_t *text, char *to, size_t size)
{
    char *narrow = mj_narrow(text, mj_wide_length(text));
    size_t length = narrow != NULL ? strlen(narrow) + 1 : 0;
    bool fits = narrow != NULL && length <= size;
    if (fits)
        memcpy(to, narrow, length);
    mj_free(narrow);
    return fits;
}

// The number of bytes that a sequence has by its first one; wrong ones count as single bytes.
static size_t sequence_size(uint8_t first, size_t left)
{
    size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    return size <= left ? size : 1;
}

static uint32_t get_utf8(const char *from, size_t size)
{
    uint8_t first = (uint8_t)*from;
    uint32_t c = size == 1 ? first : first & (0x7fU >> size);
    for (size_t i = 1; i < size; i++)
        c = c << 6 | ((uint8_t)from[i] & 63);
    return c;
}

wchar_t *mj_widen(const char *text, size_t size, size_t *length)
{
    wchar_t *to = mj_alloc((size + 1) * sizeof *to);
    *length = 0;
    for (size_t i = 0; to != NULL && i < size;) {
        size_t step = sequence_size((uint8_t)text[i], size - i);
        uint32_t c = get_utf8(text + i, step);
        i += step;
        if (c >= 0x10000) {
            to[(*length)++] = (wchar_t)(0xd800 + ((c - 0x10000) >> 10 & 0x3ff));
            c = 0xdc00 + ((c - 0x10000) & 0x3ff);
        }
        to[(*length)++] = (wchar_t)c;
    }
    return to;
}

static bool begins_with(const wchar_t *text, const wchar_t *start)
{
    while (*start != 0 && *text == *start) {
        text++;
        start++;
    }
    return *start == 0;
}

static wchar_t *join(const wchar_t *head, const wchar_t *tail)
{
    size_t head_length = mj_wide_length(head);
    size_t tail_length = mj_wide_length(tail);
    wchar_t *to = mj_alloc((head_length + tail_length + 1) * sizeof *to);
    if (to == NULL)
        return NULL;
    memcpy(to, head, head_length * sizeof *to);
    memcpy(to + head_length, tail, tail_length * sizeof *to);
    return to;
}

wchar_t *mj_wide_path(const char *path)
{
    size_t length;
    wchar_t *full = NULL;
    wchar_t *result = NULL;
    wchar_t *wide = mj_widen(path, strlen(path), &length);
    DWORD size = wide != NULL ? GetFullPathNameW(wide, 0, NULL, NULL) : 0;
    if (size != 0)
        full = mj_alloc((size + 1) * sizeof *full);
    if (full != NULL && GetFullPathNameW(wide, size, full, NULL) < size) {
        if (begins_with(full, L"\\\\?\\") || begins_with(full, L"\\\\.\\"))
            result = join(L"", full);
        else if (begins_with(full, L"\\\\"))
            result = join(L"\\\\?\\UNC\\", full + 2);
        else
            result = join(L"\\\\?\\", full);
    }
    mj_free(wide);
    mj_free(full);
    return result;
}

static wchar_t *put_number(wchar_t *to, uint32_t value)
{
    wchar_t digits[10];
    size_t count = 0;
    do {
        digits[count++] = (wchar_t)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (count > 0)
        *to++ = digits[--count];
    return to;
}

void mj_wide_number(wchar_t *to, uint32_t a, uint32_t b)
{
    *to++ = '.';
    to = put_number(to, a);
    *to++ = '-';
    to = put_number(to, b);
    memcpy(to, L".minject", sizeof L".minject");
}
