// SPDX-License-Identifier: MIT
// Threads for tests: POSIX.
#define _GNU_SOURCE
#include "support/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void *run(void *arg)
{
    thread_t *thread = arg;
    thread->main(thread->arg);
    return NULL;
}

void thread_start(thread_t *thread, thread_main_t *main, void *arg)
{
    pthread_t id;
    thread->main = main;
    thread->arg = arg;
    if (pthread_create(&id, NULL, run, thread) != 0) {
        fprintf(stderr, "cannot start a thread\n");
        exit(2);
    }
    thread->handle = (uintptr_t)id;
}

void thread_join(thread_t *thread)
{
    pthread_join((pthread_t)thread->handle, NULL);
}

void thread_run(thread_main_t *main, void *arg)
{
    thread_t thread;
    thread_start(&thread, main, arg);
    thread_join(&thread);
}

void thread_yield(void)
{
    sched_yield();
}

void thread_sleep_ms(unsigned ms)
{
    struct timespec time = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}

int process_run(const char *program, const char *first, const char *second)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        execl(program, program, first, second, (char *)NULL);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
