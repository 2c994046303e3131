// SPDX-License-Identifier: MIT
// Random operations of four threads, held against a shadow record.
//
//     test_model [seed [operations [threads]]]     seed 0: from the clock
//
// Blocks wander between the threads, threads end and others go on with their blocks, heaps are made,
// deleted and destroyed. With one thread a seed repeats exactly. Long runs go in rounds with a seed
// each, one more than that of the round before; after each round nothing may be left.
#include "live.h"
#include "operations.h"

#include "support/shadow.h"
#include "support/threads.h"

#include <stdio.h>
#include <stdlib.h>

#define THREADS_MAX 16
#define ROUND       ((uint64_t)5000000)
#define LIFE        10000 // operations of one thread; then the next one goes on

static worker_t workers[THREADS_MAX];

static void live_once(void *arg)
{
    worker_run(arg);
}

// One thread after the other, each with what the one before it has left.
static void live_on(void *arg)
{
    worker_t *worker = arg;
    for (uint64_t i = 0; i < worker->lives; i++)
        thread_run(live_once, worker);
}

static unsigned long long number(int argc, char **argv, int index, unsigned long long otherwise)
{
    return argc > index ? strtoull(argv[index], NULL, 10) : otherwise;
}

// Each round has its own settings; those of a seed divisible by 16 are the usual ones.
static void choose_options(uint64_t seed)
{
    static const long delays[] = {10, 1, 100, 0};
    mi_option_set_enabled(mi_option_abandoned_reclaim_on_free, (seed & 1) != 0);
    mi_option_set_enabled(mi_option_background_purge, (seed & 2) != 0);
    mi_option_set(mi_option_purge_delay, delays[seed / 4 % 4]);
}

static void work(uint64_t seed, uint64_t operations, size_t count)
{
    thread_t threads[THREADS_MAX];
    live_set_seed(seed);
    choose_options(seed);
    for (size_t i = 0; i < count; i++)
        worker_init(&workers[i], seed + i * 1000003, operations / count, LIFE);
    for (size_t i = 0; i < count; i++)
        thread_start(&threads[i], live_on, &workers[i]);
    for (size_t i = 0; i < count; i++)
        thread_join(&threads[i]);
    for (size_t i = 0; i < count; i++)
        worker_free_all(&workers[i]);
    mi_collect(true);
}

// Whether nothing is left.
static bool is_over(uint64_t seed)
{
    uint64_t done = 0;
    size_t segments = (size_t)mi_stat_process_current(MI_STAT_segments);
    size_t abandoned = (size_t)mi_stat_process_current(MI_STAT_segments_abandoned);
    for (size_t i = 0; i < THREADS_MAX; i++)
        done += workers[i].done;
    printf("model: seed %llu, %llu operations done; left: %zu bytes, %zu segments, %zu abandoned\n",
           (unsigned long long)seed, (unsigned long long)done, shadow_bytes(), segments, abandoned);
    fflush(stdout);
    return shadow_bytes() == 0 && segments == 0 && abandoned == 0 && done != 0;
}

int main(int argc, char **argv)
{
    uint64_t seed = number(argc, argv, 1, 0);
    uint64_t operations = number(argc, argv, 2, 200000);
    size_t count = mi_min((size_t)number(argc, argv, 3, 4), THREADS_MAX);
    bool passed = true;
    if (seed == 0)
        seed = mi_os_clock_us();
    printf("model: seed %llu, %llu operations, %zu threads\n", (unsigned long long)seed,
           (unsigned long long)operations, count);
    fflush(stdout);
    for (; operations > 0 && passed; seed++) {
        uint64_t round = operations < ROUND ? operations : ROUND;
        work(seed, round, count);
        operations -= round;
        passed = is_over(seed);
    }
    printf("%d passed, %d failed\n", passed, !passed);
    return !passed;
}
