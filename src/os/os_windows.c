// SPDX-License-Identifier: MIT
// The Windows port: KERNEL32 and ntdll only. It runs before any DllMain but the redirect's, under the
// loader lock, and while the process ends, so it loads no DLL and waits for nobody but the system.
// Thread ends are told by DllMain (api/dll_windows.c) or a TLS callback (tls_callback_windows.c).
#define WIN32_LEAN_AND_MEAN
#define _WIN32_WINNT 0x0A00
#include "os/os.h"

#include "os/os_tls.h"

#include <windows.h>

#include <psapi.h>

#define SPINS_PER_YIELD 64
#define RETRY_PAUSE_MS  25

// ntdll functions that have no header; all exist since Windows Vista.
NTSYSAPI BOOLEAN NTAPI RtlDllShutdownInProgress(void);
NTSYSAPI LONG NTAPI RtlAdjustPrivilege(ULONG privilege, BOOLEAN enable, BOOLEAN thread_only,
                                       BOOLEAN *was_enabled);
NTSYSAPI LONG NTAPI LdrLockLoaderLock(ULONG flags, ULONG *disposition, ULONG_PTR *cookie);
NTSYSAPI LONG NTAPI LdrUnlockLoaderLock(ULONG flags, ULONG_PTR cookie);
NTSYSAPI LONG NTAPI LdrFindEntryForAddress(void *address, void **entry);

// What VirtualAlloc2 takes; the SDK's names for these depend on its version.
typedef struct address_requirements {
    void *lowest;
    void *highest;
    SIZE_T alignment;
} address_requirements_t;

typedef struct extended_parameter {
    DWORD64 type; // low 8 bits
    union {
        DWORD64 number;
        void *pointer;
    };
} extended_parameter_t;

#define PARAMETER_ADDRESS_REQUIREMENTS 1
#define PARAMETER_NUMA_NODE            3
#define PARAMETER_ATTRIBUTE_FLAGS      5
#define ATTRIBUTE_NONPAGED_HUGE        0x10

typedef void *WINAPI virtual_alloc2_fun(HANDLE process, void *base, SIZE_T size, ULONG type,
                                        ULONG protection, extended_parameter_t *parameters,
                                        ULONG parameter_count);

mi_os_config_t mi_os_config;

static uint64_t clock_frequency; // const after mi_os_init
static uintptr_t process_end;    // const after mi_os_init: of the process's addresses
static _Atomic(uint32_t) retry_limit_ms;
static _Atomic(bool) is_process_ending;

// ---- start ----

static void take_tls_slot(void);

// Other threads wait until this is done, and one of them may hold the loader lock: so nothing is
// called here that may take it.
void mi_os_init(void)
{
    if (mi_os_config.page_size != 0)
        return;
    DWORD saved_error = GetLastError();
    SYSTEM_INFO system;
    LARGE_INTEGER frequency;
    GetSystemInfo(&system);
    QueryPerformanceFrequency(&frequency);
    clock_frequency = (uint64_t)frequency.QuadPart;
    process_end = (uintptr_t)system.lpMaximumApplicationAddress;
    mi_os_config.granularity = system.dwAllocationGranularity;
    mi_os_config.path_max = MAX_PATH;
    mi_os_config.has_wide_environment = true;
    mi_os_config.large_page_size = GetLargePageMinimum();
    take_tls_slot();
    mi_os_config.page_size = system.dwPageSize;
    SetLastError(saved_error);
}

// ---- functions that not every Windows has ----

// Never waits: a DllMain that holds the loader lock may wait for the thread that allocates here.
// False: another thread has the lock, so nothing can be found out; try again at the next occasion.
static bool try_lock_loader(ULONG_PTR *cookie)
{
    const ULONG try_only = 2;
    const ULONG acquired = 1;
    ULONG disposition = 0;
    return LdrLockLoaderLock(try_only, &disposition, cookie) == 0 && disposition == acquired;
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

// Before Windows 10 1803 there is none. While the loader is busy it is taken for missing.
static bool has_virtual_alloc2(void)
{
    uintptr_t known = mi_load_relaxed(&virtual_alloc2);
    if (known != NOT_LOOKED_FOR)
        return known != NOT_THERE;
    ULONG_PTR cookie;
    if (!try_lock_loader(&cookie))
        return false;
    DWORD saved_error = GetLastError();
    void *function = find_function(GetModuleHandleW(L"kernelbase.dll"), "VirtualAlloc2");
    SetLastError(saved_error);
    LdrUnlockLoaderLock(0, cookie);
    mi_store_relaxed(&virtual_alloc2, function != NULL ? (uintptr_t)function : NOT_THERE);
    return function != NULL;
}

// ---- memory ----

void mi_os_set_retry_on_oom(size_t limit_ms)
{
    mi_store_relaxed(&retry_limit_ms, (uint32_t)mi_min(limit_ms, UINT32_MAX));
}

// Commit fails for a moment while the system enlarges its paging file.
static bool is_worth_retrying(DWORD error)
{
    return error == ERROR_NOT_ENOUGH_MEMORY || error == ERROR_COMMITMENT_LIMIT ||
           error == ERROR_COMMITMENT_MINIMUM || error == ERROR_NO_SYSTEM_RESOURCES ||
           error == ERROR_PAGEFILE_QUOTA;
}

// VirtualAlloc2 when parameters are given, else VirtualAlloc. Parameters require has_virtual_alloc2.
static void *allocate_once(void *at, size_t size, DWORD type, extended_parameter_t *parameters,
                           ULONG parameter_count)
{
    if (parameter_count == 0)
        return VirtualAlloc(at, size, type, PAGE_READWRITE);
    virtual_alloc2_fun *function = (virtual_alloc2_fun *)mi_load_relaxed(&virtual_alloc2);
    return function(GetCurrentProcess(), at, size, type, PAGE_READWRITE, parameters,
                    parameter_count);
}

static void *allocate(void *at, size_t size, DWORD type, extended_parameter_t *parameters,
                      ULONG parameter_count)
{
    DWORD saved_error = GetLastError();
    void *start = allocate_once(at, size, type, parameters, parameter_count);
    // A pure reservation does not depend on the paging file.
    uint32_t left_ms = (type & MEM_COMMIT) != 0 ? mi_load_relaxed(&retry_limit_ms) : 0;
    while (start == NULL && left_ms > 0 && is_worth_retrying(GetLastError()) &&
           !mi_os_process_is_ending()) {
        uint32_t pause_ms = left_ms < RETRY_PAUSE_MS ? left_ms : RETRY_PAUSE_MS;
        Sleep(pause_ms);
        left_ms -= pause_ms;
        start = allocate_once(at, size, type, parameters, parameter_count);
    }
    SetLastError(saved_error);
    return start;
}

static void release(void *base)
{
    DWORD saved_error = GetLastError();
    VirtualFree(base, 0, MEM_RELEASE);
    SetLastError(saved_error);
}

// Before Windows 10 1803: find room by reserving more, give it back, and take the aligned part.
// Another thread may take it first, so try a few times.
static void *allocate_in_found_room(size_t size, size_t alignment, DWORD type)
{
    size_t larger;
    if (!mi_add_size(size, alignment, &larger))
        return NULL;
    for (unsigned tries = 0; tries < 8; tries++) {
        void *room = allocate(NULL, larger, MEM_RESERVE, NULL, 0);
        if (room == NULL)
            return NULL;
        release(room);
        void *aligned = (void *)mi_align_up((uintptr_t)room, alignment);
        void *start = allocate(aligned, size, type, NULL, 0);
        if (start != NULL)
            return start;
    }
    return NULL;
}

// Our memory lies below this; the system is free to answer with an address above it.
#if MI_64BIT
#define ADDRESS_END     ((uintptr_t)1 << MI_ADDRESS_BITS)
#define HIGHEST_ADDRESS ((void *)(ADDRESS_END - 1))
#else
#define ADDRESS_END     ((uintptr_t)0 - MI_RESERVE_GRANULARITY)
#define HIGHEST_ADDRESS NULL
#endif

static void *if_below_end(void *start, size_t size)
{
    if (start == NULL || (uintptr_t)start <= ADDRESS_END - size)
        return start;
    release(start);
    return NULL;
}

// Where the system prefers high addresses: asks for one place after the other, from 2 TiB upwards.
// Each caller gets a place of its own, so threads do not fight for them. Never above what the process
// is marked for, 2 GiB for most 32-bit programs: Wine would give it.
static void *allocate_upwards(size_t size, size_t alignment, DWORD type)
{
    enum { TRIES = 256 };
    static _Atomic(uintptr_t) next;
    uintptr_t first = ADDRESS_END / 8;
    uintptr_t end = mi_min(ADDRESS_END, process_end);
    size_t step = mi_align_up(size, alignment);
    if (size > end)
        return NULL;
    for (unsigned tries = 0; tries < TRIES; tries++) {
        uintptr_t none = 0;
        (void)mi_cas_strong_acq_rel(&next, &none, mi_align_up(first, alignment));
        uintptr_t at = mi_align_up(mi_add_relaxed(&next, step), alignment);
        if (at > end - size)
            mi_store_relaxed(&next, 0); // the others begin anew, too
        if (at < first || at > end - size)
            continue;
        void *start = allocate((void *)at, size, type, NULL, 0);
        if (start != NULL)
            return start;
    }
    return NULL;
}

static void *allocate_aligned(size_t size, size_t alignment, DWORD type)
{
    if (alignment <= mi_os_config.granularity)
        return allocate(NULL, size, type, NULL, 0);
    if (size > ADDRESS_END / 2)
        return NULL;
    if (has_virtual_alloc2()) {
        address_requirements_t requirements = {.highest = HIGHEST_ADDRESS, .alignment = alignment};
        extended_parameter_t parameter = {.type = PARAMETER_ADDRESS_REQUIREMENTS,
                                          .pointer = &requirements};
        void *start = allocate(NULL, size, type, &parameter, 1);
        if (start != NULL && !mi_is_aligned(start, alignment)) {
            release(start);
            start = NULL;
        }
        start = if_below_end(start, size);
        if (start != NULL)
            return start;
    }
    void *start = if_below_end(allocate_in_found_room(size, alignment, type), size);
    return start != NULL ? start : allocate_upwards(size, alignment, type);
}

// Large pages need a privilege that an administrator must have granted. Asked for once.
static bool may_lock_memory(void)
{
    enum { UNKNOWN, GRANTED, REFUSED };
    const ULONG lock_memory_privilege = 4;
    static _Atomic(int) answer;
    if (mi_load_relaxed(&answer) == UNKNOWN) {
        BOOLEAN was_enabled;
        LONG status = RtlAdjustPrivilege(lock_memory_privilege, TRUE, FALSE, &was_enabled);
        mi_store_relaxed(&answer, status == 0 ? GRANTED : REFUSED);
    }
    return mi_load_relaxed(&answer) == GRANTED;
}

static void *allocate_large(size_t size, size_t alignment)
{
    size_t large = mi_os_config.large_page_size;
    if (large == 0 || size % large != 0 || !may_lock_memory())
        return NULL;
    return allocate_aligned(size, alignment, MEM_RESERVE | MEM_COMMIT | MEM_LARGE_PAGES);
}

mi_os_memory_t mi_os_reserve(size_t size, size_t alignment, bool commit, mi_os_page_kind_t kind)
{
    mi_os_memory_t memory = {.size = size, .is_zero = true, .is_committed = commit};
    if (commit && kind == MI_OS_PAGES_LARGE_ALLOWED) {
        memory.start = allocate_large(size, alignment);
        memory.is_large = memory.start != NULL;
    }
    if (memory.start == NULL)
        memory.start =
            allocate_aligned(size, alignment, commit ? MEM_RESERVE | MEM_COMMIT : MEM_RESERVE);
    memory.base = memory.start;
    memory.base_size = size;
    return memory;
}

static void *allocate_huge(size_t size, int numa_node)
{
    address_requirements_t requirements = {.highest = HIGHEST_ADDRESS, .alignment = MI_GIB};
    extended_parameter_t parameters[3] = {
        {.type = PARAMETER_ADDRESS_REQUIREMENTS, .pointer = &requirements},
        {.type = PARAMETER_ATTRIBUTE_FLAGS, .number = ATTRIBUTE_NONPAGED_HUGE},
        {.type = PARAMETER_NUMA_NODE, .number = (DWORD64)numa_node}};
    return allocate(NULL, size, MEM_RESERVE | MEM_COMMIT | MEM_LARGE_PAGES, parameters,
                    numa_node >= 0 ? 3 : 2);
}

mi_os_memory_t mi_os_reserve_huge(size_t page_count, int numa_node, size_t timeout_ms, size_t *got)
{
    mi_os_memory_t memory = {.is_zero = true, .is_committed = true, .is_large = true};
    uint64_t start_ms = mi_os_clock_ms();
    *got = 0;
    if (!has_virtual_alloc2() || page_count > SIZE_MAX / MI_GIB || !may_lock_memory())
        return memory;
    // One reservation holds all pages, so that it can be released: try for fewer and fewer.
    for (size_t pages = page_count; pages > 0; pages /= 2) {
        memory.start = allocate_huge(pages * MI_GIB, numa_node);
        if (memory.start != NULL) {
            *got = pages;
            break;
        }
        if (timeout_ms != 0 && mi_os_clock_ms() - start_ms > timeout_ms)
            break;
    }
    memory.base = memory.start;
    memory.size = memory.base_size = *got * MI_GIB;
    return memory;
}

void mi_os_release(const mi_os_memory_t *memory)
{
    release(memory->base);
}

bool mi_os_commit(void *start, size_t size)
{
    return allocate(start, size, MEM_COMMIT, NULL, 0) != NULL;
}

bool mi_os_decommit(void *start, size_t size)
{
    DWORD saved_error = GetLastError();
    bool is_done = VirtualFree(start, size, MEM_DECOMMIT);
    SetLastError(saved_error);
    return is_done;
}

bool mi_os_reset(void *start, size_t size)
{
    DWORD saved_error = GetLastError();
    bool is_done = VirtualAlloc(start, size, MEM_RESET, PAGE_READWRITE) != NULL;
    SetLastError(saved_error);
    return is_done;
}

bool mi_os_discard(void *start, size_t size)
{
    DWORD saved_error = GetLastError();
    bool is_done = VirtualAlloc(start, size, MEM_RESET, PAGE_READWRITE) != NULL;
    // Of pages that are not locked it says so, and removes them from the working set: documented.
    if (is_done)
        (void)VirtualUnlock(start, size);
    SetLastError(saved_error);
    return is_done;
}

static bool set_protection(void *start, size_t size, DWORD protection)
{
    DWORD saved_error = GetLastError();
    DWORD before;
    bool is_done = VirtualProtect(start, size, protection, &before);
    SetLastError(saved_error);
    return is_done;
}

bool mi_os_protect(void *start, size_t size)
{
    return set_protection(start, size, PAGE_NOACCESS);
}

bool mi_os_unprotect(void *start, size_t size)
{
    return set_protection(start, size, PAGE_READWRITE);
}

void mi_os_disallow_thp(void)
{
}

// ---- thread-local slot ----

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

static void take_tls_slot(void)
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
        take_tls_slot(); // it was given back, but something still allocates
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
    if (!try_lock_loader(&cookie))
        return false;
    (void)GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                             (LPCWSTR)(uintptr_t)run_thread, &image);
    LdrUnlockLoaderLock(0, cookie);
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

// ---- time and random numbers ----

static uint64_t clock_in(uint64_t units_per_second)
{
    LARGE_INTEGER count;
    QueryPerformanceCounter(&count);
    uint64_t ticks = (uint64_t)count.QuadPart;
    // Whole seconds first, or the product would overflow after some days.
    return ticks / clock_frequency * units_per_second +
           ticks % clock_frequency * units_per_second / clock_frequency;
}

uint64_t mi_os_clock_ms(void)
{
    return clock_in(1000);
}

uint64_t mi_os_clock_us(void)
{
    return clock_in(1000000);
}

uint64_t mi_os_cycles(void)
{
#if MI_HAS_CYCLES
    return mi_cycles();
#else
    LARGE_INTEGER count;
    QueryPerformanceCounter(&count);
    return (uint64_t)count.QuadPart;
#endif
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
    if (!try_lock_loader(&cookie))
        return NULL;
    HMODULE module = GetModuleHandleW(L"bcryptprimitives.dll");
    if (module != NULL && has_started(module))
        function = (process_prng_fun *)find_function(module, "ProcessPrng");
    LdrUnlockLoaderLock(0, cookie);
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

// ---- environment ----

static char ascii(wchar_t c)
{
    return c < 0x80 ? (char)c : '?';
}

static wchar_t upper(wchar_t c)
{
    return c >= L'a' && c <= L'z' ? (wchar_t)(c - L'a' + L'A') : c;
}

static bool has_prefix(const wchar_t *entry, const char *prefix)
{
    for (; *prefix != 0; prefix++, entry++)
        if (upper(*entry) != (wchar_t)*prefix)
            return false;
    return true;
}

static void copy_ascii(char *buffer, size_t size, const wchar_t *text)
{
    size_t i = 0;
    for (; i + 1 < size && text[i] != 0; i++)
        buffer[i] = ascii(text[i]);
    buffer[i] = 0;
}

static size_t wide_length(const wchar_t *text)
{
    size_t length = 0;
    while (text[length] != 0)
        length++;
    return length;
}

size_t mi_os_env_copy(const char *name, char *buffer, size_t size)
{
    DWORD saved_error = GetLastError();
    DWORD room = (DWORD)mi_min(size, UINT32_MAX);
    SetLastError(ERROR_SUCCESS);
    DWORD length = GetEnvironmentVariableA(name, buffer, room);
    bool is_set = length != 0 || GetLastError() == ERROR_SUCCESS;
    SetLastError(saved_error);
    // When it does not fit the zero is counted, else it is not.
    return !is_set ? 0 : length < room || length == 0 ? (size_t)length + 1 : length;
}

size_t mi_os_env_copy_wide(const wchar_t *name, wchar_t *buffer, size_t size)
{
    DWORD saved_error = GetLastError();
    DWORD room = (DWORD)mi_min(size, UINT32_MAX);
    SetLastError(ERROR_SUCCESS);
    DWORD length = GetEnvironmentVariableW(name, buffer, room);
    bool is_set = length != 0 || GetLastError() == ERROR_SUCCESS;
    SetLastError(saved_error);
    return !is_set ? 0 : length < room || length == 0 ? (size_t)length + 1 : length;
}

int mi_os_full_path(const char *name, char *buffer, size_t size)
{
    const int no_such_file = 2;   // ENOENT
    const int name_too_long = 38; // ENAMETOOLONG
    DWORD saved_error = GetLastError();
    DWORD room = (DWORD)mi_min(size, UINT32_MAX);
    DWORD length = GetFullPathNameA(name, room, buffer, NULL);
    SetLastError(saved_error);
    if (length == 0)
        return no_such_file;
    return length < room ? 0 : name_too_long;
}

// Splits NAME=value in place; false for the entries of drives (=C:=...) and for what has no '='.
static bool split_entry(char *entry, char **value)
{
    char *c = entry;
    for (; *c != 0 && *c != '='; c++)
        *c = (char)upper((wchar_t)*c);
    if (*c == 0 || c == entry)
        return false;
    *c = 0;
    *value = c + 1;
    return true;
}

bool mi_os_each_env(const char *prefix, mi_os_env_fun *visit)
{
    char text[MI_OS_ENV_MAX];
    char *value;
    size_t prefix_length = 0;
    while (prefix[prefix_length] != 0)
        prefix_length++;
    DWORD saved_error = GetLastError();
    wchar_t *block = GetEnvironmentStringsW();
    if (block == NULL)
        return false;
    for (const wchar_t *entry = block; *entry != 0; entry += wide_length(entry) + 1) {
        if (!has_prefix(entry, prefix))
            continue;
        copy_ascii(text, sizeof text, entry + prefix_length);
        if (split_entry(text, &value))
            visit(text, value);
    }
    FreeEnvironmentStringsW(block);
    SetLastError(saved_error);
    return true;
}

// ---- output ----

// The file that MIMALLOC_LOG_FILE names, opened once to append; NULL when there is none.
static HANDLE log_file(void)
{
    static _Atomic(HANDLE) file;
    wchar_t path[MAX_PATH];
    HANDLE opened = mi_load_acquire(&file);
    if (opened != NULL)
        return opened == INVALID_HANDLE_VALUE ? NULL : opened;
    DWORD length = GetEnvironmentVariableW(L"MIMALLOC_LOG_FILE", path, MAX_PATH);
    opened = INVALID_HANDLE_VALUE;
    if (length > 0 && length < MAX_PATH)
        opened = CreateFileW(path, FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                             OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    // Two threads may open it at the same time; appending through either handle is right.
    mi_store_release(&file, opened);
    return opened == INVALID_HANDLE_VALUE ? NULL : opened;
}

void mi_os_stderr(const char *text)
{
    DWORD saved_error = GetLastError();
    DWORD length = 0;
    DWORD written;
    while (text[length] != 0)
        length++;
    HANDLE file = log_file();
    HANDLE console = GetStdHandle(STD_ERROR_HANDLE);
    if (file != NULL)
        WriteFile(file, text, length, &written, NULL);
    // A program with windows has no stderr: a debugger may listen.
    if (console == NULL || console == INVALID_HANDLE_VALUE ||
        !WriteFile(console, text, length, &written, NULL))
        OutputDebugStringA(text);
    SetLastError(saved_error);
}

// ---- the rest ----

size_t mi_os_numa_node_count(void)
{
    ULONG highest = 0;
    DWORD saved_error = GetLastError();
    if (!GetNumaHighestNodeNumber(&highest))
        highest = 0;
    SetLastError(saved_error);
    return (size_t)highest + 1;
}

size_t mi_os_numa_node(void)
{
    PROCESSOR_NUMBER processor;
    USHORT node = 0;
    DWORD saved_error = GetLastError();
    GetCurrentProcessorNumberEx(&processor);
    if (!GetNumaProcessorNodeEx(&processor, &node) || node == 0xFFFF)
        node = 0;
    SetLastError(saved_error);
    return node;
}

static uint64_t filetime_ms(const FILETIME *time)
{
    const uint64_t units_per_ms = 10000;
    return ((uint64_t)time->dwHighDateTime << 32 | time->dwLowDateTime) / units_per_ms;
}

void mi_os_process_info(mi_os_process_info_t *info)
{
    FILETIME created, ended, kernel, user;
    PROCESS_MEMORY_COUNTERS memory = {.cb = sizeof memory};
    DWORD saved_error = GetLastError();
    *info = (mi_os_process_info_t){0};
    if (GetProcessTimes(GetCurrentProcess(), &created, &ended, &kernel, &user)) {
        info->user_ms = filetime_ms(&user);
        info->system_ms = filetime_ms(&kernel);
    }
    if (K32GetProcessMemoryInfo(GetCurrentProcess(), &memory, sizeof memory)) {
        info->current_rss = memory.WorkingSetSize;
        info->peak_rss = memory.PeakWorkingSetSize;
        info->current_commit = memory.PagefileUsage;
        info->peak_commit = memory.PeakPagefileUsage;
        info->page_faults = memory.PageFaultCount;
    }
    SetLastError(saved_error);
}

void mi_os_abort(void)
{
    // The exit status that abort() has; nothing of the program runs any more.
    const UINT abort_status = 3;
    TerminateProcess(GetCurrentProcess(), abort_status);
    for (;;)
        mi_trap();
}
