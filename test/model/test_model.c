// SPDX-License-Identifier: MIT
// Random operations of four threads, held against a shadow record.
//
//     test_model [seed [operations [threads]]]     seed 0: from the clock
//
// Blocks wander between the threads, threads end and others go on with their blocks, heaps are made,
// deleted and destroyed. With one thread a seed repeats exactly.
#include "live.h"
#include "operations.h"

#include "support/shadow.h"
#include "support/threads.h"

#include <stdio.h>
#include <stdlib.h>

#define THREADS_MAX 16
#define LIVES       25 // threads that a worker's work is cut into

static worker_t workers[THREADS_MAX];

static void live_once(void *arg)
{
    worker_run(arg);
}

// One thread after the other, each with what the one before it has left.
static void live_on(void *arg)
{
    worker_t *worker = arg;
    for (int i = 0; i < LIVES; i++)
        thread_run(live_once, worker);
}

static unsigned long long number(int argc, char **argv, int index, unsigned long long otherwise)
{
    return argc > index ? strtoull(argv[index], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    uint64_t seed = number(argc, argv, 1, 0);
    uint64_t operations = number(argc, argv, 2, 200000);
    size_t count = mi_min((size_t)number(argc, argv, 3, 4), THREADS_MAX);
    thread_t threads[THREADS_MAX];
    if (seed == 0)
        seed = mi_os_clock_us();
    printf("model: seed %llu, %llu operations, %zu threads\n", (unsigned long long)seed,
           (unsigned long long)operations, count);
    fflush(stdout);
    live_set_seed(seed);
    for (size_t i = 0; i < count; i++)
        worker_init(&workers[i], seed + i * 1000003, operations / count / LIVES);
    for (size_t i = 0; i < count; i++)
        thread_start(&threads[i], live_on, &workers[i]);
    for (size_t i = 0; i < count; i++)
        thread_join(&threads[i]);
    uint64_t done = 0;
    for (size_t i = 0; i < count; i++) {
        done += workers[i].done;
        worker_free_all(&workers[i]);
    }
    mi_collect(true);
    size_t segments = (size_t)mi_stat_process_current(MI_STAT_segments);
    size_t abandoned = (size_t)mi_stat_process_current(MI_STAT_segments_abandoned);
    bool passed = shadow_bytes() == 0 && segments == 0 && abandoned == 0 && done != 0;
    printf("model: %llu operations done; left: %zu bytes, %zu segments, %zu abandoned\n",
           (unsigned long long)done, shadow_bytes(), segments, abandoned);
    printf("%d passed, %d failed\n", passed, !passed);
    return !passed;
}
