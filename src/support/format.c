// SPDX-License-Identifier: MIT
// The formatter. A text is a cursor that drops what does not fit.
#include "support/format.h"

typedef struct text {
    char *next;
    char *last; // where the terminating zero goes at the latest
} text_t;

typedef struct spec {
    bool is_left;
    bool has_zeros;
    size_t width;
    size_t precision; // SIZE_MAX: none
    unsigned longs;   // number of l
    bool is_size;     // z
} spec_t;

static void put(text_t *text, char c)
{
    if (text->next < text->last)
        *text->next++ = c;
}

static void put_padded(text_t *text, const char *s, size_t length, const spec_t *spec)
{
    size_t padding = spec->width > length ? spec->width - length : 0;
    bool has_zeros = spec->has_zeros && !spec->is_left;
    // A sign stays in front of the zeros.
    if (has_zeros && length > 0 && s[0] == '-') {
        put(text, '-');
        s++;
        length--;
    }
    if (!spec->is_left)
        for (size_t i = 0; i < padding; i++)
            put(text, has_zeros ? '0' : ' ');
    for (size_t i = 0; i < length; i++)
        put(text, s[i]);
    if (spec->is_left)
        for (size_t i = 0; i < padding; i++)
            put(text, ' ');
}

static void put_string(text_t *text, const char *s, const spec_t *spec)
{
    size_t length = 0;
    if (s == NULL)
        s = "(null)";
    while (length < spec->precision && s[length] != 0)
        length++;
    put_padded(text, s, length, spec);
}

static void put_number(text_t *text, uint64_t value, bool is_negative, unsigned radix,
                       const char *digits, const spec_t *spec)
{
    char reversed[24];
    char number[24];
    size_t count = 0;
    size_t length = 0;
    do {
        reversed[count++] = digits[value % radix];
        value /= radix;
    } while (value != 0);
    if (is_negative)
        number[length++] = '-';
    while (count > 0)
        number[length++] = reversed[--count];
    put_padded(text, number, length, spec);
}

static size_t read_digits(const char **fmt, va_list *args)
{
    size_t value = 0;
    if (**fmt == '*') {
        int given = va_arg(*args, int);
        (*fmt)++;
        return given > 0 ? (size_t)given : 0;
    }
    for (; **fmt >= '0' && **fmt <= '9'; (*fmt)++)
        value = value * 10 + (size_t)(**fmt - '0');
    return value;
}

static spec_t read_spec(const char **fmt, va_list *args)
{
    spec_t spec = {.precision = SIZE_MAX};
    for (; **fmt == '-' || **fmt == '0'; (*fmt)++) {
        if (**fmt == '-')
            spec.is_left = true;
        else
            spec.has_zeros = true;
    }
    spec.width = read_digits(fmt, args);
    if (**fmt == '.') {
        (*fmt)++;
        spec.precision = read_digits(fmt, args);
    }
    for (; **fmt == 'l'; (*fmt)++)
        spec.longs++;
    if (**fmt == 'z') {
        spec.is_size = true;
        (*fmt)++;
    }
    return spec;
}

static uint64_t read_unsigned(const spec_t *spec, va_list *args)
{
    if (spec->is_size)
        return va_arg(*args, size_t);
    if (spec->longs >= 2)
        return va_arg(*args, unsigned long long);
    if (spec->longs == 1)
        return va_arg(*args, unsigned long);
    return va_arg(*args, unsigned);
}

static int64_t read_signed(const spec_t *spec, va_list *args)
{
    if (spec->is_size)
        return (int64_t)va_arg(*args, ptrdiff_t);
    if (spec->longs >= 2)
        return va_arg(*args, long long);
    if (spec->longs == 1)
        return va_arg(*args, long);
    return va_arg(*args, int);
}

static void put_pointer(text_t *text, const void *p)
{
    spec_t plain = {.precision = SIZE_MAX};
    put_string(text, "0x", &plain);
    put_number(text, (uintptr_t)p, false, 16, "0123456789abcdef", &plain);
}

static void put_conversion(text_t *text, char conversion, const spec_t *spec, va_list *args)
{
    char c;
    int64_t number;
    switch (conversion) {
    case 's':
        put_string(text, va_arg(*args, const char *), spec);
        break;
    case 'c':
        c = (char)va_arg(*args, int);
        put_padded(text, &c, 1, spec);
        break;
    case 'd':
    case 'i':
        number = read_signed(spec, args);
        put_number(text, number < 0 ? 0 - (uint64_t)number : (uint64_t)number, number < 0, 10,
                   "0123456789", spec);
        break;
    case 'u':
        put_number(text, read_unsigned(spec, args), false, 10, "0123456789", spec);
        break;
    case 'x':
        put_number(text, read_unsigned(spec, args), false, 16, "0123456789abcdef", spec);
        break;
    case 'X':
        put_number(text, read_unsigned(spec, args), false, 16, "0123456789ABCDEF", spec);
        break;
    case 'p':
        put_pointer(text, va_arg(*args, const void *));
        break;
    default:
        put(text, conversion);
        break;
    }
}

// args by pointer: passing a va_list on to a function leaves it undefined in the caller.
static void put_all(text_t *text, const char *fmt, va_list *args)
{
    while (*fmt != 0) {
        if (*fmt != '%') {
            put(text, *fmt++);
            continue;
        }
        fmt++;
        spec_t spec = read_spec(&fmt, args);
        if (*fmt == 0)
            return;
        put_conversion(text, *fmt++, &spec, args);
    }
}

size_t mi_format_args(char *buffer, size_t size, const char *fmt, va_list args)
{
    text_t text = {.next = buffer, .last = buffer + size - 1};
    va_list copy;
    va_copy(copy, args);
    put_all(&text, fmt, &copy);
    va_end(copy);
    *text.next = 0;
    return (size_t)(text.next - buffer);
}

size_t mi_format(char *buffer, size_t size, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    size_t length = mi_format_args(buffer, size, fmt, args);
    va_end(args);
    return length;
}

size_t mi_format_size(char *buffer, size_t size, int64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    bool is_negative = bytes < 0;
    uint64_t magnitude = is_negative ? 0 - (uint64_t)bytes : (uint64_t)bytes;
    const char *sign = is_negative ? "-" : "";
    if (magnitude < MI_KIB)
        return mi_format(buffer, size, "%s%llu B", sign, (unsigned long long)magnitude);
    unsigned unit = 0;
    uint64_t divisor = MI_KIB;
    while (unit < 3 && magnitude / divisor >= MI_KIB) {
        divisor *= MI_KIB;
        unit++;
    }
    unsigned long long whole = magnitude / divisor;
    unsigned long long tenths = magnitude % divisor * 10 / divisor;
    return mi_format(buffer, size, "%s%llu.%llu %s", sign, whole, tenths, units[unit]);
}
