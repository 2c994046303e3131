// SPDX-License-Identifier: MIT
// Threads for tests: Windows.
#include "support/threads.h"

#include <windows.h>

#include <process.h>

#include <stdio.h>
#include <stdlib.h>

static DWORD WINAPI run(void *arg)
{
    thread_t *thread = arg;
    thread->main(thread->arg);
    return 0;
}

void thread_start(thread_t *thread, thread_main_t *main, void *arg)
{
    thread->main = main;
    thread->arg = arg;
    HANDLE handle = CreateThread(NULL, 0, run, thread, 0, NULL);
    if (handle == NULL) {
        fprintf(stderr, "cannot start a thread\n");
        exit(2);
    }
    thread->handle = (uintptr_t)handle;
}

void thread_join(thread_t *thread)
{
    WaitForSingleObject((HANDLE)thread->handle, INFINITE);
    CloseHandle((HANDLE)thread->handle);
}

void thread_run(thread_main_t *main, void *arg)
{
    thread_t thread;
    thread_start(&thread, main, arg);
    thread_join(&thread);
}

void thread_yield(void)
{
    SwitchToThread();
}

void thread_sleep_ms(unsigned ms)
{
    Sleep(ms);
}

int process_run(const char *program, const char *first, const char *second)
{
    return (int)_spawnl(_P_WAIT, program, program, first, second, NULL);
}
