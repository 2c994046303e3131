// SPDX-License-Identifier: MIT
// The DLL of first_copy.h. The call is made in a TLS callback, which comes before the C runtime's part
// of DllMain and so before the copy's own start; the loader lock is held as in DllMain.
#include "first_copy.h"

#include "mimalloc.h"

#include <windows.h>

static void NTAPI on_event(void *module, DWORD reason, void *reserved)
{
    static const first_copy_t copy = {mi_malloc, mi_free, mi_is_in_heap_region};
    (void)module;
    (void)reserved;
    if (reason != DLL_PROCESS_ATTACH)
        return;
    first_copy_fun *function =
        (first_copy_fun *)(void *)GetProcAddress(GetModuleHandleA(NULL), "called_by_loader");
    if (function != NULL)
        function(&copy);
}

__attribute__((section(".CRT$XLB"), used)) static const PIMAGE_TLS_CALLBACK callback = on_event;
