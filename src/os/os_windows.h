// SPDX-License-Identifier: MIT
// What the files of the Windows port share among themselves; the port itself is os.h. KERNEL32 and
// ntdll only. It runs before any DllMain but the redirect's, under the loader lock, and while the
// process ends, so it loads no DLL and waits for nobody but the system.
//   os_windows.c           start, clock, processors, figures of the process, its end
//   vm_windows.c           reserve, commit, purge
//   thread_windows.c       the thread-local slot, threads, the lock
//   optional_windows.c     functions that not every Windows has; random bytes
//   environment_windows.c  variables, paths, and what is written to whom
// Thread ends are told by DllMain (api/dll_windows.c) or a TLS callback (tls_callback_windows.c).
#pragma once

#if !defined(WIN32_LEAN_AND_MEAN)
#define WIN32_LEAN_AND_MEAN
#endif
#if !defined(_WIN32_WINNT)
#define _WIN32_WINNT 0x0A00
#endif
#include "os/os.h"

#include <windows.h>

// The last address that this process may use; const after mi_os_init.
extern uintptr_t mi_os_process_end;

// Takes a slot if we have none; part of mi_os_init.
void mi_os_take_tls_slot(void);

// What VirtualAlloc2 takes; the SDK's names for these depend on its version.
typedef struct mi_address_requirements {
    void *lowest;
    void *highest;
    SIZE_T alignment;
} mi_address_requirements_t;

// Whole words: a 64-bit system reads all of them for a 32-bit program too.
typedef struct mi_extended_parameter {
    DWORD64 type;  // low 8 bits
    DWORD64 value; // a number, or a pointer
} mi_extended_parameter_t;

#define MI_PARAMETER_ADDRESS_REQUIREMENTS 1
#define MI_PARAMETER_NUMA_NODE            3
#define MI_PARAMETER_ATTRIBUTE_FLAGS      5
#define MI_ATTRIBUTE_NONPAGED_HUGE        0x10

typedef void *WINAPI mi_virtual_alloc2_fun(HANDLE process, void *base, SIZE_T size, ULONG type,
                                           ULONG protection, mi_extended_parameter_t *parameters,
                                           ULONG parameter_count);

// The loader lock, without waiting for it. False: another thread has it, so nothing can be found out
// about DLLs; try again at the next occasion.
bool mi_os_try_lock_loader(ULONG_PTR *cookie);
void mi_os_unlock_loader(ULONG_PTR cookie);

// VirtualAlloc2, or NULL: before Windows 10 1803, and while the loader is busy and it was not looked
// for yet.
mi_virtual_alloc2_fun *mi_os_virtual_alloc2(void);
