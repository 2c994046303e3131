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

// False, with the reason in the output, when there is no exit status to look at.
static bool run_case(const char *name, DWORD *status)
{
    char command[MAX_PATH + 64];
    char path[MAX_PATH];
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    GetModuleFileNameA(NULL, path, sizeof path);
    snprintf(command, sizeof command, "\"%s\" %s", path, name);
    if (!CreateProcessA(NULL, command, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process)) {
        printf("     %s: CreateProcess fails with error %lu\n", name, GetLastError());
        return false;
    }
    bool has_ended = WaitForSingleObject(process.hProcess, 30000) == WAIT_OBJECT_0;
    if (!has_ended) {
        printf("     %s: has not ended after 30 seconds\n", name);
        TerminateProcess(process.hProcess, 99);
    }
    has_ended = has_ended && GetExitCodeProcess(process.hProcess, status);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return has_ended;
}

TEST(processes_end_as_they_want)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int round = 0; round < 5; round++) {
            DWORD status = 0;
            if (!CHECK(run_case(cases[i].name, &status)))
                continue;
            if (status != cases[i].status)
                printf("     %s: 0x%lx in round %d\n", cases[i].name, status, round);
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
