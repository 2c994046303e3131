// SPDX-License-Identifier: MIT
// HeapFree, HeapSize, HeapReAlloc, LocalFree and GlobalFree of a block that is ours: Microsoft's
// runtime keeps its blocks in the process heap, and system DLLs and programs have come to rely on it.
#pragma once

#include <stdint.h>

#include "compiler/atomics.h"

extern _Atomic(uint64_t) rd_heap_rescue_count;

// Tells imports.c which addresses to exchange. HeapAlloc is never among them.
void rd_heap_guard_prepare(void);
