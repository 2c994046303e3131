// SPDX-License-Identifier: MIT
// A DLL that uses msvcrt.dll for itself, as many of the system do.
#include <windows.h>

void *malloc(size_t size);
void free(void *block);
int old_user_works(void);
BOOL WINAPI old_user_main(HINSTANCE instance, DWORD reason, void *reserved);

int old_user_works(void)
{
    char *volatile block = malloc(100);
    if (block == NULL)
        return 0;
    block[99] = 1;
    free(block);
    return 1;
}

BOOL WINAPI old_user_main(HINSTANCE instance, DWORD reason, void *reserved)
{
    (void)instance;
    (void)reason;
    (void)reserved;
    return TRUE;
}
