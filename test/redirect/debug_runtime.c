// SPDX-License-Identifier: MIT
// A stand-in for Microsoft's debug runtime, ucrtbased.dll: the same names, the same header before each
// block, a list of all blocks. It does only what the tests of the redirect need.
#include "debug_runtime.h"

#include <windows.h>

typedef struct header { // as in the debug runtime, x64
    struct header *next;
    struct header *previous;
    const char *file;
    int line;
    int type;
    size_t size;
    long number;
    unsigned char guard[4];
} header_t;

enum { ASKED_TOO_EARLY = 77 };

static HANDLE heap; // NULL before DllMain, as in the real one
static header_t *first;
static int errno_value;

static void fill(void *to, unsigned char value, size_t size)
{
    for (volatile unsigned char *p = to; size-- > 0;)
        *p++ = value;
}

HANDLE debug_get_heap_handle(void)
{
    // The real one asserts so, and before its start-up hangs in the report of it.
    if (heap == NULL)
        ExitProcess(ASKED_TOO_EARLY);
    return heap;
}

int *debug_errno(void)
{
    return &errno_value;
}

int debug_crt_isvalidheappointer(const void *block)
{
    for (const header_t *header = first; header != NULL; header = header->next)
        if (header + 1 == block)
            return 1;
    return 0;
}

int debug_crt_setdbgflag(int flag)
{
    return flag;
}

int debug_runtime_block_count(void)
{
    int count = 0;
    const header_t *previous = NULL;
    for (const header_t *header = first; header != NULL; header = header->next) {
        if (header->previous != previous || header->guard[0] != 0xFD)
            return -1;
        previous = header;
        count++;
    }
    return count;
}

void *debug_malloc_dbg(size_t size, int type, const char *file, int line)
{
    header_t *header = HeapAlloc(heap, 0, sizeof *header + size + 4);
    if (header == NULL)
        return NULL;
    *header = (header_t){first, NULL, file, line, type, size, 1, {0xFD, 0xFD, 0xFD, 0xFD}};
    if (first != NULL)
        first->previous = header;
    first = header;
    fill(header + 1, 0xCD, size);
    return header + 1;
}

void debug_free_dbg(void *block, int type)
{
    (void)type;
    if (block == NULL)
        return;
    header_t *header = (header_t *)block - 1;
    if (header->next != NULL)
        header->next->previous = header->previous;
    if (header->previous != NULL)
        header->previous->next = header->next;
    else
        first = header->next;
    HeapFree(heap, 0, header);
}

size_t debug_msize_dbg(void *block, int type)
{
    (void)type;
    return ((header_t *)block)[-1].size;
}

void *debug_calloc_dbg(size_t count, size_t size, int type, const char *file, int line)
{
    void *block = debug_malloc_dbg(count * size, type, file, line);
    if (block != NULL)
        fill(block, 0, count * size);
    return block;
}

void *debug_realloc_dbg(void *block, size_t size, int type, const char *file, int line)
{
    unsigned char *moved = debug_malloc_dbg(size, type, file, line);
    if (moved != NULL && block != NULL) {
        size_t old = debug_msize_dbg(block, type);
        for (size_t i = 0; i < size && i < old; i++)
            moved[i] = ((unsigned char *)block)[i];
        debug_free_dbg(block, type);
    }
    return moved;
}

void *debug_malloc(size_t size)
{
    return debug_malloc_dbg(size, 1, NULL, 0);
}

void *debug_calloc(size_t count, size_t size)
{
    return debug_calloc_dbg(count, size, 1, NULL, 0);
}

void *debug_realloc(void *block, size_t size)
{
    return debug_realloc_dbg(block, size, 1, NULL, 0);
}

void debug_free(void *block)
{
    debug_free_dbg(block, 1);
}

size_t debug_msize(void *block)
{
    return debug_msize_dbg(block, 1);
}

BOOL WINAPI debug_runtime_main(HINSTANCE instance, DWORD reason, void *reserved);
BOOL WINAPI debug_runtime_main(HINSTANCE instance, DWORD reason, void *reserved)
{
    (void)instance;
    (void)reserved;
    if (reason == DLL_PROCESS_ATTACH)
        heap = GetProcessHeap();
    return TRUE;
}
