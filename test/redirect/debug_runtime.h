// SPDX-License-Identifier: MIT
// The exports of the stand-in for the debug runtime; debug_runtime.def gives them its names.
#pragma once

#include <stddef.h>

void *debug_get_heap_handle(void);
int *debug_errno(void);
int debug_crt_isvalidheappointer(const void *block);
int debug_crt_setdbgflag(int flag);
void *debug_malloc_dbg(size_t size, int type, const char *file, int line);
void *debug_calloc_dbg(size_t count, size_t size, int type, const char *file, int line);
void *debug_realloc_dbg(void *block, size_t size, int type, const char *file, int line);
void debug_free_dbg(void *block, int type);
size_t debug_msize_dbg(void *block, int type);
void *debug_malloc(size_t size);
void *debug_calloc(size_t count, size_t size);
void *debug_realloc(void *block, size_t size);
void debug_free(void *block);
size_t debug_msize(void *block);

// The number of blocks in its list; -1 when the list or a guard is damaged.
int debug_runtime_block_count(void);
