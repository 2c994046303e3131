// SPDX-License-Identifier: MIT
// UTF-16 as Windows has it, to and from UTF-8. File names may hold unpaired surrogates; each is
// written as the three bytes that its number would take, and comes back as it was.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

size_t mj_wide_length(const wchar_t *text);

// From mj_alloc, terminated; *length without the end. NULL when memory runs out.
wchar_t *mj_widen(const char *text, size_t size, size_t *length);

// From mj_alloc, terminated. NULL when memory runs out.
char *mj_narrow(const wchar_t *text, size_t length);

// False when the terminated result does not fit.
bool mj_narrow_into(const wchar_t *text, char *to, size_t size);

// The full path in the form that has no length limit (\\?\...), from mj_alloc; NULL on failure.
wchar_t *mj_wide_path(const char *path);

// Writes ".<a>-<b>.minject" with its end, at most 32 characters.
void mj_wide_number(wchar_t *to, uint32_t a, uint32_t b);
