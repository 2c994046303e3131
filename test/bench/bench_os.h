// SPDX-License-Identifier: MIT
// What the loads need of the system, and nothing else: clocks, resident memory, threads, waiting.
// None of it calls malloc, except that the C library may for a thread's start. The tables of the
// loads live in mapped memory, so that what is resident after the last free is the allocator's.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

double bench_wall_s(void);
double bench_cpu_s(void); // user and system time of the process
size_t bench_resident(void);
size_t bench_resident_peak(void);
void bench_sleep_ms(unsigned ms);

// Zeroed pages; ends the process when there are none.
void *bench_map(size_t size);
void bench_unmap(void *start, size_t size);

typedef struct {
    uintptr_t handle;
} bench_thread_t;

typedef void (*bench_thread_fn)(void *arg);
// `start` and `arg` must stay valid until bench_thread_join.
typedef struct {
    bench_thread_fn fn;
    void *arg;
    bench_thread_t thread;
} bench_start_t;
void bench_thread_start(bench_start_t *start);
void bench_thread_join(bench_start_t *start);

// A lock with one condition; zero-initialised by bench_map is not enough, call init.
typedef struct {
    _Alignas(16) unsigned char storage[128];
} bench_gate_t;
void bench_gate_init(bench_gate_t *gate);
void bench_gate_lock(bench_gate_t *gate);
void bench_gate_unlock(bench_gate_t *gate);
void bench_gate_wait(bench_gate_t *gate); // with the lock held
void bench_gate_wake_all(bench_gate_t *gate);

// NULL when there is no memory. Windows frees aligned blocks by their own call.
void *bench_aligned_alloc(size_t size, size_t alignment);
void bench_aligned_free(void *p);
