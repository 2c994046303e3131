// SPDX-License-Identifier: MIT
// bench_os.h on Linux.
#define _GNU_SOURCE
#include "bench_os.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
} gate_t;
_Static_assert(sizeof(gate_t) <= sizeof(bench_gate_t), "the storage holds a gate");

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double bench_wall_s(void)
{
    return seconds(CLOCK_MONOTONIC);
}

double bench_cpu_s(void)
{
    return seconds(CLOCK_PROCESS_CPUTIME_ID);
}

// A "VmRSS:   1234 kB" line of /proc/self/status. Not getrusage: its peak survives exec, so a small
// program would show the size of the one that started it.
static size_t status_kib(const char *key)
{
    char text[4096];
    int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    text[length > 0 ? length : 0] = 0;
    const char *line = strstr(text, key);
    return line != NULL ? (size_t)strtoull(line + strlen(key), NULL, 10) * 1024 : 0;
}

size_t bench_resident(void)
{
    return status_kib("VmRSS:");
}

size_t bench_resident_peak(void)
{
    return status_kib("VmHWM:");
}

void bench_sleep_ms(unsigned ms)
{
    struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&span, NULL);
}

void *bench_map(size_t size)
{
    void *start = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) {
        perror("bench: mmap");
        exit(4);
    }
    return start;
}

void bench_unmap(void *start, size_t size)
{
    munmap(start, size);
}

static void *enter_thread(void *arg)
{
    bench_start_t *start = arg;
    start->fn(start->arg);
    return NULL;
}

void bench_thread_start(bench_start_t *start)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, enter_thread, start);
    if (error != 0) {
        fprintf(stderr, "bench: pthread_create: %s\n", strerror(error));
        exit(4);
    }
    start->thread.handle = (uintptr_t)thread;
}

void bench_thread_join(bench_start_t *start)
{
    pthread_join((pthread_t)start->thread.handle, NULL);
}

static gate_t *gate_of(bench_gate_t *gate)
{
    return (gate_t *)(void *)gate->storage;
}

void bench_gate_init(bench_gate_t *gate)
{
    pthread_mutex_init(&gate_of(gate)->lock, NULL);
    pthread_cond_init(&gate_of(gate)->changed, NULL);
}

void bench_gate_lock(bench_gate_t *gate)
{
    pthread_mutex_lock(&gate_of(gate)->lock);
}

void bench_gate_unlock(bench_gate_t *gate)
{
    pthread_mutex_unlock(&gate_of(gate)->lock);
}

void bench_gate_wait(bench_gate_t *gate)
{
    pthread_cond_wait(&gate_of(gate)->changed, &gate_of(gate)->lock);
}

void bench_gate_wake_all(bench_gate_t *gate)
{
    pthread_cond_broadcast(&gate_of(gate)->changed);
}

void *bench_aligned_alloc(size_t size, size_t alignment)
{
    // aligned_alloc wants a multiple of the alignment.
    return aligned_alloc(alignment, (size + alignment - 1) & ~(alignment - 1));
}

void bench_aligned_free(void *p)
{
    free(p);
}
