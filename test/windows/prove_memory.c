// SPDX-License-Identifier: MIT
// Proofs about memory that need a real Windows: each asks the system for something that Wine 8 does not
// do as Windows does. prove.ps1 runs it; here it is only compiled.
//   prove_memory job-limit      a commit beyond a job's limit fails, and nothing else does
//   prove_memory large-pages    large and 1 GiB pages for an account that may lock memory
//   prove_memory paging-file    more is committed than the system's limit at the start
//   prove_memory killed-thread  threads that are killed inside VirtualAlloc leave no lock behind
//   prove_memory fault          ends by an access violation
#include <mimalloc.h>

#include <windows.h>

#include <stdio.h>
#include <string.h>

enum { MIB = 1 << 20, BLOCKS_MAX = 1 << 16 };

static void *blocks[BLOCKS_MAX];

static int fail(const char *what)
{
    printf("prove_memory: %s\n", what);
    return 1;
}

// How many blocks of size bytes there are until NULL, at most limit; each is written to.
static size_t take(size_t size, size_t limit)
{
    size_t count = 0;
    while (count < limit && (blocks[count] = mi_malloc(size)) != NULL)
        memset(blocks[count++], 0x5A, size);
    return count;
}

static void give_back(size_t count)
{
    while (count > 0)
        mi_free(blocks[--count]);
}

static int job_limit(void)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits;
    const size_t limit_mib = 256;
    memset(&limits, 0, sizeof limits);
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_PROCESS_MEMORY;
    limits.ProcessMemoryLimit = limit_mib * MIB;
    HANDLE job = CreateJobObjectW(NULL, NULL);
    if (job == NULL ||
        !SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits) ||
        !AssignProcessToJobObject(job, GetCurrentProcess()))
        return fail("the limit cannot be set");
    for (unsigned round = 0; round < 3; round++) {
        size_t count = take(MIB, BLOCKS_MAX);
        if (count == 0 || count >= limit_mib)
            return fail("the limit is not felt");
        give_back(count);
    }
    void *again = mi_malloc(MIB);
    return again != NULL ? 0 : fail("nothing can be had after all was given back");
}

static int large_pages(void)
{
    if (GetLargePageMinimum() == 0)
        return fail("this processor has no large pages");
    if (mi_reserve_huge_os_pages_interleave(1, 0, 10000) != 0)
        return fail("no page of 1 GiB can be had");
    mi_option_set(mi_option_allow_large_os_pages, 1);
    if (mi_reserve_os_memory((size_t)64 * MIB, true, true) != 0)
        return fail("no large pages can be had");
    return 0;
}

static int paging_file(void)
{
    MEMORYSTATUSEX before = {.dwLength = sizeof before};
    const size_t size = (size_t)64 * MIB;
    if (!GlobalMemoryStatusEx(&before))
        return fail("the system does not tell its limit");
    mi_option_set(mi_option_retry_on_oom, 20000);
    size_t wanted = (size_t)(before.ullAvailPageFile / size) + 8;
    size_t count = take(size, wanted < BLOCKS_MAX ? wanted : BLOCKS_MAX);
    give_back(count);
    return count == wanted ? 0 : fail("a commit failed before the system enlarged its file");
}

// The thread is past its start, in which it may hold a lock of the loader's.
static volatile LONG is_at_work;

static DWORD WINAPI allocate_for_ever(void *arg)
{
    InterlockedExchange(&is_at_work, 1);
    for (;;) {
        void *memory = VirtualAlloc(NULL, MIB, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
        if (memory != NULL)
            VirtualFree(memory, 0, MEM_RELEASE);
    }
    return arg != NULL; // never
}

static int killed_thread(void)
{
    for (unsigned i = 0; i < 1000; i++) {
        InterlockedExchange(&is_at_work, 0);
        HANDLE thread = CreateThread(NULL, 0, allocate_for_ever, NULL, 0, NULL);
        if (thread == NULL)
            return fail("no thread starts any more");
        while (!is_at_work)
            SwitchToThread();
        for (unsigned spins = i * 37 % 5000; spins > 0; spins--)
            YieldProcessor();
        TerminateThread(thread, 1);
        WaitForSingleObject(thread, INFINITE);
        CloseHandle(thread);
    }
    size_t count = take(MIB, 16);
    give_back(count);
    return count == 16 ? 0 : fail("no memory can be had any more");
}

static int fault(void)
{
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX); // no window asks
    int *volatile nowhere = (int *)16;
    *nowhere = 1;
    return fail("memory that nobody has can be written");
}

int main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";
    if (strcmp(what, "job-limit") == 0)
        return job_limit();
    if (strcmp(what, "large-pages") == 0)
        return large_pages();
    if (strcmp(what, "paging-file") == 0)
        return paging_file();
    if (strcmp(what, "killed-thread") == 0)
        return killed_thread();
    if (strcmp(what, "fault") == 0)
        return fault();
    return fail("job-limit, large-pages, paging-file, killed-thread or fault?") + 1;
}
