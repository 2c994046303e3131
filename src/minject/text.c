// SPDX-License-Identifier: MIT
// Output text, built in memory: minject has no C runtime on Windows, and both homes print the same.
#include "minject/minject.h"

#include <stdarg.h>
#include <string.h>

#include "minject/platform.h"

void mj_text_add_bytes(mj_text_t *text, const char *bytes, size_t size)
{
    if (text->is_cut)
        return;
    if (size >= text->capacity - text->size) {
        size_t capacity = text->capacity * 2 + size + 256;
        char *grown = mj_realloc(text->bytes, capacity);
        if (grown == NULL) {
            text->is_cut = true;
            return;
        }
        text->bytes = grown;
        text->capacity = capacity;
    }
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = '\0';
}

static void add_number(mj_text_t *text, unsigned value, unsigned radix)
{
    char digits[16];
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[value % radix];
        value /= radix;
    } while (value != 0);
    mj_text_add_bytes(text, digits + at, sizeof digits - at);
}

// The length of the well-formed UTF-8 sequence at text, 0 when there is none.
static size_t sequence_length(const char *text)
{
    uint8_t first = (uint8_t)*text;
    size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first > 0xf4)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if (((uint8_t)text[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

// Names come from files: control characters and bytes that are no UTF-8 are escaped, so that the
// output is always valid JSON.
static void add_json(mj_text_t *text, const char *string)
{
    static const char hex[] = "0123456789abcdef";
    if (string == NULL) {
        mj_text_add_bytes(text, "null", 4);
        return;
    }
    mj_text_add_bytes(text, "\"", 1);
    while (*string != '\0') {
        uint8_t c = (uint8_t)*string;
        size_t length = sequence_length(string);
        char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        if (c == '"' || c == '\\')
            mj_text_add_bytes(text, "\\", 1);
        if (c < 0x20 || c == 0x7f || length == 0)
            mj_text_add_bytes(text, escape, sizeof escape);
        else
            mj_text_add_bytes(text, string, length);
        string += length != 0 ? length : 1;
    }
    mj_text_add_bytes(text, "\"", 1);
}

static const char *add_argument(mj_text_t *text, const char *format, va_list *list)
{
    const char *string;
    switch (*format) {
    case 's':
        string = va_arg(*list, const char *);
        mj_text_add_bytes(text, string, strlen(string));
        break;
    case 'j':
        add_json(text, va_arg(*list, const char *));
        break;
    case 'u':
        add_number(text, va_arg(*list, unsigned), 10);
        break;
    case 'x':
        add_number(text, va_arg(*list, unsigned), 16);
        break;
    default:
        mj_text_add_bytes(text, format, 1);
        break;
    }
    return format + 1;
}

void mj_text_add(mj_text_t *text, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    while (*format != '\0') {
        const char *plain = format;
        while (*format != '\0' && *format != '%')
            format++;
        mj_text_add_bytes(text, plain, (size_t)(format - plain));
        if (*format == '%')
            format = add_argument(text, format + 1, &list);
    }
    va_end(list);
}

void mj_text_free(mj_text_t *text)
{
    mj_free(text->bytes);
    *text = (mj_text_t){0};
}
