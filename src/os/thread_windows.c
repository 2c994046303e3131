// SPDX-License-Identifier: MIT
// Threads of the Windows port: the slot that holds a thread's heap, the start of threads, the lock, and
// whether the process is ending.
#include "os/os_windows.h"

#include "os/os_tls.h"

// Has no header; since Windows Vista.
NTSYSAPI BOOLEAN NTAPI RtlDllShutdownInProgress(void);

#define SPINS_PER_YIELD 64

static _Atomic(bool) is_process_ending;

// Offsets in the thread block, the same since Windows 2000 (x64: since it exists; ARM64 has the x64
// layout). The Vdm word served 16-bit programs; it is 0 in every thread of a process without them.
#if MI_64BIT
#define TEB_SLOTS           0x1480
#define TEB_ALWAYS_ZERO     0x1690
#define TEB_EXPANSION_SLOTS 0x1780
#else
#define TEB_SLOTS           0xE10
#define TEB_ALWAYS_ZERO     0xF18
#define TEB_EXPANSION_SLOTS 0xF94
#endif
#define TEB_SLOT_COUNT 64

uint32_t mi_os_tls_offset = TEB_ALWAYS_ZERO;
static DWORD tls_slot = TLS_OUT_OF_INDEXES; // const from mi_os_init to mi_os_release_tls_slot

void mi_os_take_tls_slot(void)
{
    if (tls_slot != TLS_OUT_OF_INDEXES)
        return;
    tls_slot = TlsAlloc();
    if (tls_slot < TEB_SLOT_COUNT)
        mi_os_tls_offset = TEB_SLOTS + tls_slot * (uint32_t)sizeof(void *);
}

void mi_os_release_tls_slot(void)
{
    DWORD slot = tls_slot;
    mi_os_tls_offset = TEB_ALWAYS_ZERO;
    tls_slot = TLS_OUT_OF_INDEXES;
    if (slot != TLS_OUT_OF_INDEXES)
        TlsFree(slot);
}

void *mi_os_tls_heap_slow(void)
{
    if (tls_slot < TEB_SLOT_COUNT)
        return mi_os_tls_heap();
    if (tls_slot == TLS_OUT_OF_INDEXES)
        return NULL;
    void *const *expansion = (void *const *)mi_teb_word(TEB_EXPANSION_SLOTS);
    return expansion == NULL ? NULL : expansion[tls_slot - TEB_SLOT_COUNT];
}

void mi_os_set_tls_heap(void *heap)
{
    DWORD saved_error = GetLastError();
    if (heap != NULL)
        mi_os_take_tls_slot(); // it was given back, but something still allocates
    // The only failures: no slot was left in the process, or no memory for the expansion slots.
    // Going on would make a new heap for every allocation.
    if (!TlsSetValue(tls_slot, heap) && heap != NULL) {
        mi_os_stderr("mimalloc: error: no thread-local slot is left in this process\n");
        mi_os_abort();
    }
    SetLastError(saved_error);
}

// ---- threads ----

void mi_os_yield(void)
{
    SwitchToThread();
}

size_t mi_os_thread_id(void)
{
    return GetCurrentThreadId();
}

typedef struct thread_start {
    void (*main)(void *arg);
    void *arg;
} thread_start_t;

static DWORD WINAPI run_thread(void *arg)
{
    thread_start_t *given = arg;
    void (*thread_main)(void *) = given->main;
    void *thread_arg = given->arg;
    HeapFree(GetProcessHeap(), 0, given);
    thread_main(thread_arg);
    return 0;
}

// The image that this code is in must stay as long as a thread may run in it. False: not now, as the
// loader is busy.
static bool pin_own_image(void)
{
    HMODULE image;
    ULONG_PTR cookie;
    if (!mi_os_try_lock_loader(&cookie))
        return false;
    (void)GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                             (LPCWSTR)(uintptr_t)run_thread, &image);
    mi_os_unlock_loader(cookie);
    return true;
}

// The start data is on the system's heap: under the loader lock the new thread does not run before
// this one returns, so its frame cannot hold it.
bool mi_os_start_thread(void (*main)(void *arg), void *arg)
{
    DWORD saved_error = GetLastError();
    thread_start_t *start = HeapAlloc(GetProcessHeap(), 0, sizeof *start);
    if (start == NULL || !pin_own_image()) {
        if (start != NULL)
            HeapFree(GetProcessHeap(), 0, start);
        SetLastError(saved_error);
        return false;
    }
    start->main = main;
    start->arg = arg;
    HANDLE thread = CreateThread(NULL, 0, run_thread, start, 0, NULL);
    if (thread == NULL)
        HeapFree(GetProcessHeap(), 0, start);
    else
        CloseHandle(thread);
    SetLastError(saved_error);
    return thread != NULL;
}

void mi_os_sleep(size_t milliseconds)
{
    Sleep((DWORD)mi_min(milliseconds, INFINITE - 1));
}

bool mi_os_process_is_ending(void)
{
    return mi_load_relaxed(&is_process_ending) || RtlDllShutdownInProgress();
}

void mi_os_set_process_ending(void)
{
    mi_store_relaxed(&is_process_ending, true);
}

bool mi_os_lock(mi_os_lock_t *lock)
{
    for (unsigned spins = 1; mi_exchange_acquire(&lock->taken, 1) != 0; spins++) {
        if (mi_os_process_is_ending())
            return false;
        if (spins % SPINS_PER_YIELD == 0)
            SwitchToThread();
        else
            YieldProcessor();
    }
    return true;
}

void mi_os_unlock(mi_os_lock_t *lock)
{
    // release: pairs with the acquire exchange in mi_os_lock.
    mi_store_release(&lock->taken, 0);
}
