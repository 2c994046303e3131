// SPDX-License-Identifier: MIT
// A DLL without a runtime that calls malloc and free by address at the end of the process, when the
// runtime itself is gone. It ends the process with status 77 if that goes wrong.
#include <windows.h>

void *(*late_malloc)(size_t size);
void (*late_free)(void *block);
void *late_block;

__declspec(dllexport) void late_caller_set(void *malloc_address, void *free_address, void *block);
void late_caller_set(void *malloc_address, void *free_address, void *block)
{
    late_malloc = (void *(*)(size_t))malloc_address;
    late_free = (void (*)(void *))free_address;
    late_block = block;
}

BOOL WINAPI late_caller_main(HINSTANCE instance, DWORD reason, void *reserved);
BOOL WINAPI late_caller_main(HINSTANCE instance, DWORD reason, void *reserved)
{
    (void)instance;
    if (reason != DLL_PROCESS_DETACH || reserved == NULL || late_malloc == NULL)
        return TRUE;
    char *block = late_malloc(5000);
    if (block == NULL)
        TerminateProcess(GetCurrentProcess(), 77);
    else
        block[4999] = 1;
    late_free(block);
    late_free(late_block);
    // The exit status says that this place was reached.
    TerminateProcess(GetCurrentProcess(), 33);
    return TRUE;
}
