// SPDX-License-Identifier: MIT
// What the compiler and pe/ expect of a C library. Slow and simple: used at start-up only, except
// that blocks of the runtime which move to the allocator are copied with memcpy.
#pragma once

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);
