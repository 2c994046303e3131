// SPDX-License-Identifier: MIT
// Lines for the user, before anything of the allocator or of a runtime is up.
#pragma once

#include <stdarg.h>
#include <stddef.h>

// Formats %s %u %x %p %d and %%; %08x-like widths pad with zeros. Cuts what does not fit.
void rd_format(char *out, size_t size, const char *format, ...);
void rd_format_list(char *out, size_t size, const char *format, va_list args);

// Prints "mimalloc-redirect: ...\n" if MIMALLOC_VERBOSE is at least level: to standard error, or
// where there is none to the debugger; and to MIMALLOC_LOG_FILE, there with the process before it.
void rd_log(int level, const char *format, ...);
