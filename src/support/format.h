// SPDX-License-Identifier: MIT
// A small printf into a buffer. It allocates nothing and needs no C runtime or locale, so that it
// works under the loader lock. Understands flags - and 0, a width, a precision for %s, and
//   %s %c %d %i %u %x %X %p %%  with the lengths l, ll and z
#pragma once

#include <stdarg.h>

#include "base/bits.h"

// Writes at most size bytes with the terminating zero (size > 0) and returns the characters written
// without it: a text that does not fit is cut.
size_t mi_format(char *buffer, size_t size, const char *fmt, ...) mi_attr_format(3, 4);
size_t mi_format_args(char *buffer, size_t size, const char *fmt, va_list args)
    mi_attr_format(3, 0);
// Bytes as "12.3 MiB"; at least 16 characters of room give the whole text.
size_t mi_format_size(char *buffer, size_t size, int64_t bytes);
