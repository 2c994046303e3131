// SPDX-License-Identifier: MIT
// The end of a process. Each case is a process of its own: without arguments this program starts
// itself once for each and looks at the exit status.
#include "check.h"
#include "stock_allocator.h"

#include <malloc.h>
#include <process.h>
#include <stdlib.h>
#include <windows.h>

void late_caller_set(void *malloc_address, void *free_address, void *block);

static void *kept;

static void free_kept(void)
{
    free(kept);
    free(malloc(100));
}

static int free_late(void)
{
    free(malloc(5000));
    return 0;
}

static unsigned __stdcall allocate_for_ever(void *arg)
{
    (void)arg;
    for (;;)
        free(malloc(300));
}

static unsigned __stdcall exit_from_thread(void *arg)
{
    (void)arg;
    free(malloc(100));
    ExitProcess(21);
}

static int case_exit_from_a_thread(void)
{
    for (int i = 0; i < 8; i++)
        _beginthreadex(NULL, 0, allocate_for_ever, NULL, 0, NULL);
    Sleep(20);
    _beginthreadex(NULL, 0, exit_from_thread, NULL, 0, NULL);
    Sleep(INFINITE);
    return 1;
}

static int case_exit_while_threads_allocate(void)
{
    for (int i = 0; i < 8; i++)
        _beginthreadex(NULL, 0, allocate_for_ever, NULL, 0, NULL);
    Sleep(20);
    return 22;
}

static int case_atexit_frees(void)
{
    kept = _strdup("freed at exit");
    atexit(free_kept);
    _onexit(free_late);
    return 23;
}

static int case_calls_after_the_runtimes_end(void)
{
    // The program's import thunks: they work in both modes of the redirect.
    late_caller_set((void *)malloc, (void *)free, malloc(1000));
    return 0;
}

typedef struct exit_case {
    const char *name;
    int (*run)(void);
    DWORD status;
} exit_case_t;

static const exit_case_t cases[] = {
    {"exit_from_a_thread", case_exit_from_a_thread, 21},
    {"exit_while_threads_allocate", case_exit_while_threads_allocate, 22},
    {"atexit_frees", case_atexit_frees, 23},
    {"calls_after_the_runtimes_end", case_calls_after_the_runtimes_end, 33},
};

static DWORD status_of(const char *name)
{
    char command[MAX_PATH + 64];
    char path[MAX_PATH];
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    DWORD status = (DWORD)-1;
    GetModuleFileNameA(NULL, path, sizeof path);
    snprintf(command, sizeof command, "\"%s\" %s", path, name);
    if (!CreateProcessA(NULL, command, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process))
        return status;
    if (WaitForSingleObject(process.hProcess, 30000) == WAIT_OBJECT_0)
        GetExitCodeProcess(process.hProcess, &status);
    else
        TerminateProcess(process.hProcess, 99);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return status;
}

TEST(processes_end_as_they_want)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int round = 0; round < 5; round++) {
            DWORD status = status_of(cases[i].name);
            if (status != cases[i].status)
                printf("     %s: %lu\n", cases[i].name, status);
            CHECK_EQ(status, cases[i].status);
        }
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof cases[0]; i++)
        if (strcmp(argv[1], cases[i].name) == 0)
            return mi_is_redirected() ? cases[i].run() : 98;
    RUN(processes_end_as_they_want)
    printf("%u passed, %u failed\n", check_state.passed, check_state.failed);
    return check_state.failed != 0;
}
