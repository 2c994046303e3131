// SPDX-License-Identifier: MIT
// Loads more runtimes than the redirect can handle, all of which MIMALLOC_REDIRECT_CRT names. The last
// one stays as it is and works. Exit status 0: it does.
#include "stock_allocator.h"

#include <stdio.h>
#include <windows.h>

static const char *const names[] = {"msvcrt.dll",  "msvcr70.dll",  "msvcr71.dll",  "msvcr80.dll",
                                    "msvcr90.dll", "msvcr100.dll", "msvcr110.dll", "msvcr120.dll"};
enum { NAMES = sizeof names / sizeof names[0] };

static int is_redirected(const char *name)
{
    HMODULE module = LoadLibraryA(name);
    void *(*alloc)(size_t) = (void *(*)(size_t))(void *)GetProcAddress(module, "malloc");
    void *(*resize)(void *, size_t) =
        (void *(*)(void *, size_t))(void *)GetProcAddress(module, "realloc");
    void (*release)(void *) = (void (*)(void *))(void *)GetProcAddress(module, "free");
    char *block = resize(alloc(100), 1000);
    int is_ours = mi_is_in_heap_region(block);
    block[999] = 1;
    release(block);
    return is_ours;
}

int main(void)
{
    for (int i = 0; i < NAMES; i++)
        if (is_redirected(names[i]) != (i < NAMES - 1)) {
            printf("%s\n", names[i]);
            return 1;
        }
    return 0;
}
