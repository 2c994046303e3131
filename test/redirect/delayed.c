// SPDX-License-Identifier: MIT
// A DLL whose only imports from a runtime are delay-loaded. Its helper does what those of compilers do:
// it loads the DLL, looks the function up by its name, and keeps the address.
#include "delayed.h"

#include <windows.h>

#include <delayimp.h>

// Declared here: the headers of the runtime would have them imported in the ordinary way.
void *malloc(size_t size);
void free(void *block);

FARPROC WINAPI __delayLoadHelper2(PCImgDelayDescr descriptor, FARPROC *slot);
BOOL WINAPI delayed_main(HINSTANCE instance, DWORD reason, void *reserved);

static volatile LONG lookup_count;

static const char *at(DWORD rva)
{
    extern const char image_start[] __asm__(
#if defined(__i386__)
        "___ImageBase"
#else
        "__ImageBase"
#endif
    );
    return image_start + rva;
}

FARPROC WINAPI __delayLoadHelper2(PCImgDelayDescr descriptor, FARPROC *slot)
{
    const IMAGE_THUNK_DATA *names = (const IMAGE_THUNK_DATA *)(const void *)at(descriptor->rvaINT);
    size_t index = (size_t)(slot - (FARPROC *)(uintptr_t)(const void *)at(descriptor->rvaIAT));
    const char *name = at((DWORD)names[index].u1.AddressOfData) + sizeof(WORD);
    InterlockedIncrement(&lookup_count);
    *slot = GetProcAddress(LoadLibraryA(at(descriptor->rvaDLLName)), name);
    return *slot;
}

static void *delayed_malloc(size_t size)
{
    return malloc(size);
}

static void delayed_free(void *block)
{
    free(block);
}

static long lookups(void)
{
    return lookup_count;
}

const delayed_t *delayed_functions(void)
{
    static const delayed_t functions = {delayed_malloc, delayed_free, lookups};
    return &functions;
}

BOOL WINAPI delayed_main(HINSTANCE instance, DWORD reason, void *reserved)
{
    (void)instance;
    (void)reason;
    (void)reserved;
    return TRUE;
}
