// SPDX-License-Identifier: MIT
// A stand-in for a runtime of older Visual C++, on the process heap: enough of it for the tests that
// load and unload several. On Windows itself the real ones are mostly not installed, and some only
// load by a manifest. Its definition file gives the functions the names of C++ operators.
#include <windows.h>

// Not inlined anywhere: a caller inside the runtime reaches the function's entry, which is patched.
#define AT_ITS_ENTRY __attribute__((noinline))

BOOL WINAPI stand_in_main(HINSTANCE instance, DWORD reason, void *reserved);
void *stand_in_malloc(size_t size);
void *stand_in_calloc(size_t count, size_t size);
void *stand_in_realloc(void *block, size_t size);
void stand_in_free(void *block);
size_t stand_in_msize(void *block);
char *stand_in_strdup(const char *text);
int *stand_in_errno(void);
HANDLE stand_in_get_heap_handle(void);

static int errno_value;

BOOL WINAPI stand_in_main(HINSTANCE instance, DWORD reason, void *reserved)
{
    (void)instance, (void)reason, (void)reserved;
    return TRUE;
}

AT_ITS_ENTRY void *stand_in_malloc(size_t size)
{
    return HeapAlloc(GetProcessHeap(), 0, size);
}

AT_ITS_ENTRY void *stand_in_calloc(size_t count, size_t size)
{
    if (size != 0 && count > (size_t)-1 / size)
        return NULL;
    return HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, count * size);
}

AT_ITS_ENTRY void *stand_in_realloc(void *block, size_t size)
{
    if (block == NULL)
        return stand_in_malloc(size);
    return HeapReAlloc(GetProcessHeap(), 0, block, size);
}

AT_ITS_ENTRY void stand_in_free(void *block)
{
    if (block != NULL)
        HeapFree(GetProcessHeap(), 0, block);
}

AT_ITS_ENTRY size_t stand_in_msize(void *block)
{
    return HeapSize(GetProcessHeap(), 0, block);
}

char *stand_in_strdup(const char *text)
{
    size_t length = 0;
    while (text[length] != 0)
        length++;
    char *copy = stand_in_malloc(length + 1);
    for (size_t i = 0; copy != NULL && i <= length; i++)
        copy[i] = text[i];
    return copy;
}

int *stand_in_errno(void)
{
    return &errno_value;
}

HANDLE stand_in_get_heap_handle(void)
{
    return GetProcessHeap();
}
