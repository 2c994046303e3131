// SPDX-License-Identifier: MIT
// Threads and child processes for tests, natively and on Windows. What waits, sleeps or yields: no
// busy loops.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void thread_main_t(void *arg);

typedef struct thread {
    uintptr_t handle;
    thread_main_t *main;
    void *arg;
} thread_t;

// The struct must live until thread_join. Ends the program when no thread can be had.
void thread_start(thread_t *thread, thread_main_t *main, void *arg);
void thread_join(thread_t *thread);
// Starts a thread and waits for its end.
void thread_run(thread_main_t *main, void *arg);
void thread_yield(void);
void thread_sleep_ms(unsigned ms);
// Runs program with two arguments and waits; its exit status, or -1 when it did not exit by itself.
int process_run(const char *program, const char *first, const char *second);
