// SPDX-License-Identifier: MIT
// Growing a large block where it is.
#pragma once

#include "heap/heap.h"

// Makes room for size bytes in the block p of the calling thread, whose contents stay; what comes to
// it is not zeroed. False, and nothing changed, for small and huge blocks, for those of other threads,
// and where the memory behind the block is in use.
bool mi_heap_grow(void *p, size_t size);
