// SPDX-License-Identifier: MIT
// See vcruntime.h. Signatures: the C standard.
#pragma once

#include <vcruntime.h>

#ifdef __cplusplus
extern "C" {
#endif
void *__cdecl memchr(const void *block, int value, size_t size);
int __cdecl memcmp(const void *a, const void *b, size_t size);
void *__cdecl memcpy(void *to, const void *from, size_t size);
void *__cdecl memmove(void *to, const void *from, size_t size);
void *__cdecl memset(void *to, int value, size_t size);
char *__cdecl strchr(const char *text, int c);
char *__cdecl strrchr(const char *text, int c);
char *__cdecl strstr(const char *text, const char *part);
wchar_t *__cdecl wcschr(const wchar_t *text, wchar_t c);
wchar_t *__cdecl wcsrchr(const wchar_t *text, wchar_t c);
wchar_t *__cdecl wcsstr(const wchar_t *text, const wchar_t *part);
#ifdef __cplusplus
}
#endif
