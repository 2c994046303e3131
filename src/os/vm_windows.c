// SPDX-License-Identifier: MIT
// Memory of the Windows port: reserve, commit and purge are VirtualAlloc, VirtualAlloc2, VirtualFree.
// Which memory to take is not decided here.
#include "os/os_windows.h"

// Has no header; since Windows Vista.
NTSYSAPI LONG NTAPI RtlAdjustPrivilege(ULONG privilege, BOOLEAN enable, BOOLEAN thread_only,
                                       BOOLEAN *was_enabled);

#define RETRY_PAUSE_MS 25

static _Atomic(uint32_t) retry_limit_ms;

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

// VirtualAlloc2, which must have been found, when parameters are given, else VirtualAlloc.
static void *allocate_once(void *at, size_t size, DWORD type, mi_extended_parameter_t *parameters,
                           ULONG parameter_count)
{
    if (parameter_count == 0)
        return VirtualAlloc(at, size, type, PAGE_READWRITE);
    return mi_os_virtual_alloc2()(GetCurrentProcess(), at, size, type, PAGE_READWRITE, parameters,
                                  parameter_count);
}

static void *allocate(void *at, size_t size, DWORD type, mi_extended_parameter_t *parameters,
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
    uintptr_t end = mi_min(ADDRESS_END, mi_os_process_end);
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
    if (mi_os_virtual_alloc2() != NULL) {
        mi_address_requirements_t requirements = {.highest = HIGHEST_ADDRESS,
                                                  .alignment = alignment};
        mi_extended_parameter_t parameter = {.type = MI_PARAMETER_ADDRESS_REQUIREMENTS,
                                             .value = (uintptr_t)&requirements};
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
    mi_address_requirements_t requirements = {.highest = HIGHEST_ADDRESS, .alignment = MI_GIB};
    mi_extended_parameter_t parameters[3] = {
        {.type = MI_PARAMETER_ADDRESS_REQUIREMENTS, .value = (uintptr_t)&requirements},
        {.type = MI_PARAMETER_ATTRIBUTE_FLAGS, .value = MI_ATTRIBUTE_NONPAGED_HUGE},
        {.type = MI_PARAMETER_NUMA_NODE, .value = (DWORD64)numa_node}};
    return allocate(NULL, size, MEM_RESERVE | MEM_COMMIT | MEM_LARGE_PAGES, parameters,
                    numa_node >= 0 ? 3 : 2);
}

mi_os_memory_t mi_os_reserve_huge(size_t page_count, int numa_node, size_t timeout_ms, size_t *got)
{
    mi_os_memory_t memory = {.is_zero = true, .is_committed = true, .is_large = true};
    uint64_t start_ms = mi_os_clock_ms();
    *got = 0;
    if (mi_os_virtual_alloc2() == NULL || page_count > SIZE_MAX / MI_GIB || !may_lock_memory())
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
