// SPDX-License-Identifier: MIT
// bench_os.h on Windows.
#include "bench_os.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#define PSAPI_VERSION 2
#include <psapi.h>

typedef struct {
    SRWLOCK lock;
    CONDITION_VARIABLE changed;
} gate_t;
_Static_assert(sizeof(gate_t) <= sizeof(bench_gate_t), "the storage holds a gate");

static double filetime_s(FILETIME time)
{
    ULARGE_INTEGER ticks = {.LowPart = time.dwLowDateTime, .HighPart = time.dwHighDateTime};
    return (double)ticks.QuadPart * 1e-7;
}

double bench_wall_s(void)
{
    LARGE_INTEGER count;
    LARGE_INTEGER per_second;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&per_second);
    return (double)count.QuadPart / (double)per_second.QuadPart;
}

double bench_cpu_s(void)
{
    FILETIME created;
    FILETIME ended;
    FILETIME kernel;
    FILETIME user;
    if (!GetProcessTimes(GetCurrentProcess(), &created, &ended, &kernel, &user))
        return 0;
    return filetime_s(kernel) + filetime_s(user);
}

static PROCESS_MEMORY_COUNTERS counters(void)
{
    PROCESS_MEMORY_COUNTERS now = {.cb = sizeof now};
    if (!GetProcessMemoryInfo(GetCurrentProcess(), &now, sizeof now))
        now = (PROCESS_MEMORY_COUNTERS){0};
    return now;
}

size_t bench_resident(void)
{
    return counters().WorkingSetSize;
}

size_t bench_resident_peak(void)
{
    return counters().PeakWorkingSetSize;
}

void bench_sleep_ms(unsigned ms)
{
    Sleep(ms);
}

void *bench_map(size_t size)
{
    void *start = VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (start == NULL) {
        fprintf(stderr, "bench: VirtualAlloc: error %lu\n", GetLastError());
        exit(4);
    }
    return start;
}

void bench_unmap(void *start, size_t size)
{
    (void)size;
    VirtualFree(start, 0, MEM_RELEASE);
}

static DWORD WINAPI enter_thread(void *arg)
{
    bench_start_t *start = arg;
    start->fn(start->arg);
    return 0;
}

void bench_thread_start(bench_start_t *start)
{
    HANDLE thread = CreateThread(NULL, 0, enter_thread, start, 0, NULL);
    if (thread == NULL) {
        fprintf(stderr, "bench: CreateThread: error %lu\n", GetLastError());
        exit(4);
    }
    start->thread.handle = (uintptr_t)thread;
}

void bench_thread_join(bench_start_t *start)
{
    HANDLE thread = (HANDLE)start->thread.handle;
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

static gate_t *gate_of(bench_gate_t *gate)
{
    return (gate_t *)(void *)gate->storage;
}

void bench_gate_init(bench_gate_t *gate)
{
    InitializeSRWLock(&gate_of(gate)->lock);
    InitializeConditionVariable(&gate_of(gate)->changed);
}

void bench_gate_lock(bench_gate_t *gate)
{
    AcquireSRWLockExclusive(&gate_of(gate)->lock);
}

void bench_gate_unlock(bench_gate_t *gate)
{
    ReleaseSRWLockExclusive(&gate_of(gate)->lock);
}

void bench_gate_wait(bench_gate_t *gate)
{
    SleepConditionVariableSRW(&gate_of(gate)->changed, &gate_of(gate)->lock, INFINITE, 0);
}

void bench_gate_wake_all(bench_gate_t *gate)
{
    WakeAllConditionVariable(&gate_of(gate)->changed);
}

void *bench_aligned_alloc(size_t size, size_t alignment)
{
    return _aligned_malloc(size, alignment);
}

void bench_aligned_free(void *p)
{
    _aligned_free(p);
}
