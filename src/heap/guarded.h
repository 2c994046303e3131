// SPDX-License-Identifier: MIT
// Sampling of allocations to guard. Owner only.
#pragma once

#include "heap/heap.h"

// Takes the options for a new heap.
void mi_guarded_init(mi_heap_t *heap);
// True for the allocations that are to be guarded; counts this one.
bool mi_guarded_wants(mi_heap_t *heap, size_t size);
// A guarded block; NULL when it cannot be had, and an ordinary one must do.
void *mi_guarded_alloc(mi_heap_t *heap, size_t size, bool zero);
// A block of room bytes that ends guard bytes before the end of a page of its own, those being
// protected. In heap.c.
void *mi_heap_alloc_at_end(mi_heap_t *heap, size_t slices, size_t room, size_t guard, bool zero);
