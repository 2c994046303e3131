// SPDX-License-Identifier: MIT
// The runtime's heap functions as the redirect installs them, each with the signature and the
// promises of the runtime's function of that name (mi_crt_msize is _msize). Any thread, any pointer.
#pragma once

#include <stddef.h>

void *mi_crt_malloc(size_t size);
void *mi_crt_calloc(size_t count, size_t size);
void *mi_crt_realloc(void *p, size_t size);
void mi_crt_free(void *p);
size_t mi_crt_msize(void *p);
void *mi_crt_expand(void *p, size_t size);
void *mi_crt_recalloc(void *p, size_t count, size_t size);
void *mi_crt_aligned_malloc(size_t size, size_t alignment);
void *mi_crt_aligned_realloc(void *p, size_t size, size_t alignment);
void *mi_crt_aligned_recalloc(void *p, size_t count, size_t size, size_t alignment);
void mi_crt_aligned_free(void *p);
size_t mi_crt_aligned_msize(void *p, size_t alignment, size_t offset);
void *mi_crt_aligned_offset_malloc(size_t size, size_t alignment, size_t offset);
void *mi_crt_aligned_offset_realloc(void *p, size_t size, size_t alignment, size_t offset);
void *mi_crt_aligned_offset_recalloc(void *p, size_t count, size_t size, size_t alignment,
                                     size_t offset);
