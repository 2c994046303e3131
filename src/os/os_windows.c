// SPDX-License-Identifier: MIT
// The Windows port's start, and what is too little for a file of its own: the clock, processors,
// figures of the process, its end. See os_windows.h for the other files.
#include "os/os_windows.h"

#include <psapi.h>

mi_os_config_t mi_os_config;

uintptr_t mi_os_process_end;
static uint64_t clock_frequency; // const after mi_os_init

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
    mi_os_process_end = (uintptr_t)system.lpMaximumApplicationAddress;
    mi_os_config.granularity = system.dwAllocationGranularity;
    mi_os_config.path_max = MAX_PATH;
    mi_os_config.has_wide_environment = true;
    mi_os_config.large_page_size = GetLargePageMinimum();
    mi_os_take_tls_slot();
    mi_os_config.page_size = system.dwPageSize;
    SetLastError(saved_error);
}

// ---- time ----

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

// The system's clock may have been set back meanwhile.
static uint64_t age_ms(const FILETIME *created)
{
    FILETIME now;
    GetSystemTimeAsFileTime(&now);
    uint64_t now_ms = filetime_ms(&now);
    uint64_t created_ms = filetime_ms(created);
    return now_ms > created_ms ? now_ms - created_ms : 0;
}

void mi_os_process_info(mi_os_process_info_t *info)
{
    FILETIME created, ended, kernel, user;
    PROCESS_MEMORY_COUNTERS memory = {.cb = sizeof memory};
    DWORD saved_error = GetLastError();
    *info = (mi_os_process_info_t){0};
    if (GetProcessTimes(GetCurrentProcess(), &created, &ended, &kernel, &user)) {
        info->elapsed_ms = age_ms(&created);
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
