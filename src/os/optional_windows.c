// SPDX-License-Identifier: MIT
// Functions that not every Windows has, or not at every moment: looked for when they are wanted, never
// at the start, and never by waiting for the loader. Random bytes come from one of them.
#include "os/os_windows.h"

// These have no header; all exist since Windows Vista.
NTSYSAPI LONG NTAPI LdrLockLoaderLock(ULONG flags, ULONG *disposition, ULONG_PTR *cookie);
NTSYSAPI LONG NTAPI LdrUnlockLoaderLock(ULONG flags, ULONG_PTR cookie);
NTSYSAPI LONG NTAPI LdrFindEntryForAddress(void *address, void **entry);

// Never waits: a DllMain that holds the loader lock may wait for the thread that allocates here.
bool mi_os_try_lock_loader(ULONG_PTR *cookie)
{
    const ULONG try_only = 2;
    const ULONG acquired = 1;
    ULONG disposition = 0;
    return LdrLockLoaderLock(try_only, &disposition, cookie) == 0 && disposition == acquired;
}

void mi_os_unlock_loader(ULONG_PTR cookie)
{
    LdrUnlockLoaderLock(0, cookie);
}

// With the loader lock. Never loads a DLL, which is forbidden in DllMain, and we cannot know whether
// we run in one.
static void *find_function(HMODULE module, const char *name)
{
    return module == NULL ? NULL : (void *)(uintptr_t)GetProcAddress(module, name);
}

// any: the function's address, or one of the two words below. Threads that look at the same time find
// the same.
static _Atomic(uintptr_t) virtual_alloc2;
enum { NOT_LOOKED_FOR, NOT_THERE };

mi_virtual_alloc2_fun *mi_os_virtual_alloc2(void)
{
    uintptr_t known = mi_load_relaxed(&virtual_alloc2);
    if (known != NOT_LOOKED_FOR)
        return known == NOT_THERE ? NULL : (mi_virtual_alloc2_fun *)known;
    ULONG_PTR cookie;
    if (!mi_os_try_lock_loader(&cookie))
        return NULL;
    DWORD saved_error = GetLastError();
    void *function = find_function(GetModuleHandleW(L"kernelbase.dll"), "VirtualAlloc2");
    SetLastError(saved_error);
    mi_os_unlock_loader(cookie);
    mi_store_relaxed(&virtual_alloc2, function != NULL ? (uintptr_t)function : NOT_THERE);
    return (mi_virtual_alloc2_fun *)function;
}

// Looks into the loader's record of a module: a DLL that is mapped but not started yet must not be
// called. The flag is set when its DllMain has been called for the process.
static bool has_started(HMODULE module)
{
    const size_t flags_offset = MI_64BIT ? 0x68 : 0x34;
    const ULONG process_attach_called = 0x80000;
    void *entry;
    if (LdrFindEntryForAddress(module, &entry) != 0)
        return false;
    return (*(const ULONG *)mi_offset(entry, flags_offset) & process_attach_called) != 0;
}

typedef BOOL WINAPI process_prng_fun(BYTE *buffer, SIZE_T size);

static process_prng_fun *find_process_prng(void)
{
    ULONG_PTR cookie;
    process_prng_fun *function = NULL;
    if (!mi_os_try_lock_loader(&cookie))
        return NULL;
    HMODULE module = GetModuleHandleW(L"bcryptprimitives.dll");
    if (module != NULL && has_started(module))
        function = (process_prng_fun *)find_function(module, "ProcessPrng");
    mi_os_unlock_loader(cookie);
    return function;
}

bool mi_os_random(void *buffer, size_t size)
{
    DWORD saved_error = GetLastError();
    process_prng_fun *process_prng = find_process_prng();
    bool is_done = process_prng != NULL && process_prng(buffer, size);
    SetLastError(saved_error);
    return is_done;
}
