// SPDX-License-Identifier: MIT
// A DLL that says on standard error when it is initialised: for tests that a changed program loads it.
// Without a C runtime, as the allocator is.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

__declspec(dllexport) int mi_version(void);
BOOL WINAPI mark_main(HINSTANCE instance, DWORD reason, LPVOID reserved);

int mi_version(void)
{
    return 1;
}

BOOL WINAPI mark_main(HINSTANCE instance, DWORD reason, LPVOID reserved)
{
    static const char text[] = "minject_mark: loaded\n";
    DWORD put;
    (void)instance;
    (void)reserved;
    if (reason == DLL_PROCESS_ATTACH)
        WriteFile(GetStdHandle(STD_ERROR_HANDLE), text, sizeof text - 1, &put, NULL);
    return TRUE;
}
