// SPDX-License-Identifier: MIT
// Memory for the allocator's own records: thread records, arenas. Zeroed, aligned to a cache line and
// never given back, so that a thread that still holds a pointer to one may always read it.
#pragma once

#include "base/bits.h"

// NULL when the system has no memory. Any thread.
void *mi_meta_alloc(size_t size);
// Bytes handed out so far.
size_t mi_meta_total(void);
