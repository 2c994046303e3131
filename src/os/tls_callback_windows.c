// SPDX-License-Identifier: MIT
// Thread ends for programs and DLLs that link the static library: a TLS callback of the image.
// Not part of our own DLL, whose DllMain hears of them.
// The callback is linked in every build, since it lies in the object file that defines
// mi_os_on_thread_exit, which the core calls; and the image gets a TLS directory, since this file
// refers to _tls_used, the linker's and the runtime's name for it. No compiler's pragma is involved.
#define WIN32_LEAN_AND_MEAN
#include "os/os.h"

#include "compiler/compiler.h"
#include "os/os_tls.h"

#include <windows.h>

static void (*thread_exit_function)(void *heap); // const after the first mi_os_on_thread_exit

void mi_os_on_thread_exit(void (*on_exit)(void *heap))
{
    thread_exit_function = on_exit;
}

static bool is_unloading;

bool mi_os_image_is_unloading(void)
{
    return is_unloading;
}

static void NTAPI on_image_event(void *module, DWORD reason, void *reserved)
{
    (void)module;
    // At a process's end reserved is not NULL: other threads may have been killed inside our locks.
    if (reason == DLL_PROCESS_DETACH && reserved != NULL)
        mi_os_set_process_ending();
    is_unloading = reason == DLL_PROCESS_DETACH && reserved == NULL;
    if (reason != DLL_THREAD_DETACH || thread_exit_function == NULL)
        return;
    void *heap = mi_os_tls_heap_slow();
    if (heap != NULL)
        thread_exit_function(heap);
}

extern const IMAGE_TLS_DIRECTORY _tls_used;

// The linker sorts these sections by name; the runtime's own callbacks for C++ thread_local objects
// are in XLC and XLD, so that their destructors may still use their heap.
MI_IN_SECTION(".CRT$XLY") const PIMAGE_TLS_CALLBACK mi_tls_callback;
mi_kept const PIMAGE_TLS_CALLBACK mi_tls_callback = on_image_event;
extern const IMAGE_TLS_DIRECTORY *const mi_tls_directory;
mi_kept const IMAGE_TLS_DIRECTORY *const mi_tls_directory = &_tls_used;
