// SPDX-License-Identifier: MIT
// Allocation and free in builds with padding (debug, secure): the fast paths of alloc.h hand over to
// these as soon as they are entered. In other builds nothing calls them.
#pragma once

#include "page/padding.h"

struct mi_heap_s;

void *mi_checked_alloc(struct mi_heap_s *heap, size_t size, bool zero);
void *mi_checked_alloc_aligned(struct mi_heap_s *heap, size_t size, size_t alignment, size_t offset,
                               bool zero);
// False when p is not ours (NULL is not). Reports what is wrong with the block; a block that was
// freed before, or that is none, stays as it is.
bool mi_checked_free(void *p);
// The exact size of a block of ours.
size_t mi_checked_size(const void *p);
// The block stays where it is and has size bytes now, not more than before.
void mi_checked_resize(void *p, size_t size);
