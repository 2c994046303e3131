// SPDX-License-Identifier: MIT
// Runs one load and prints one line of JSON about it.
//
//     bench_loads --list
//     bench_loads LOAD [--threads=N] [--scale=PERCENT] [--size=BYTES] [--idle]
//
// Memory is resident memory in bytes: at the start, at the peak, after the load has freed
// everything; with --idle also one second later with no call to the allocator in between, and after
// one more malloc and free.
#include "bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const bench_load_t *const lists[] = {bench_batch_loads,  bench_server_loads,
                                            bench_mix_loads,    bench_classic_loads,
                                            bench_stress_loads, bench_cfrac_loads};
enum { LIST_COUNT = sizeof lists / sizeof lists[0], IDLE_MS = 1000, IDLE_CALL_SIZE = 64 };

_Noreturn void bench_fail(const char *what, const void *block, size_t size)
{
    fprintf(stderr, "bench: %s: block %p of %zu bytes\n", what, block, size);
    exit(3);
}

typedef struct {
    bench_worker_t worker;
    bench_work_fn fn;
    bench_start_t start;
} thread_t;

static void enter_worker(void *arg)
{
    thread_t *thread = arg;
    // On its own stack the counter does not share a cache line with another thread's.
    bench_worker_t worker = thread->worker;
    thread->fn(&worker);
    atomic_fetch_add_explicit(&worker.run->ops, worker.ops, memory_order_relaxed);
}

static thread_t thread_for(bench_run_t *run, unsigned index, bench_work_fn fn, void *shared)
{
    return (thread_t){
        .fn = fn,
        .worker = {.run = run, .index = index, .rng = bench_seed(index), .shared = shared}};
}

void bench_in_new_threads(bench_run_t *run, unsigned count, bench_work_fn fn, void *shared)
{
    thread_t threads[BENCH_MAX_THREADS];
    for (unsigned i = 0; i < count; i++) {
        threads[i] = thread_for(run, i, fn, shared);
        threads[i].start = (bench_start_t){.fn = enter_worker, .arg = &threads[i]};
    }
    for (unsigned i = 0; i < count; i++)
        bench_thread_start(&threads[i].start);
    for (unsigned i = 0; i < count; i++)
        bench_thread_join(&threads[i].start);
}

void bench_in_threads(bench_run_t *run, bench_work_fn fn, void *shared)
{
    if (run->threads > 1) {
        bench_in_new_threads(run, run->threads, fn, shared);
        return;
    }
    thread_t thread = thread_for(run, 0, fn, shared);
    enter_worker(&thread);
}

static const bench_load_t *find_load(const char *name)
{
    for (size_t i = 0; i < LIST_COUNT; i++) {
        for (const bench_load_t *load = lists[i]; load->name != NULL; load++) {
            if (strcmp(load->name, name) == 0)
                return load;
        }
    }
    return NULL;
}

static void print_list(void)
{
    for (size_t i = 0; i < LIST_COUNT; i++) {
        for (const bench_load_t *load = lists[i]; load->name != NULL; load++)
            printf("%-14s %s\n", load->name, load->what);
    }
}

static bool parse_number(const char *arg, const char *key, uint64_t *value)
{
    size_t length = strlen(key);
    if (strncmp(arg, key, length) != 0)
        return false;
    char *end;
    *value = strtoull(arg + length, &end, 10);
    return *end == 0 && end != arg + length;
}

static bool parse_args(int argc, char **argv, bench_run_t *run, bool *idle)
{
    for (int i = 2; i < argc; i++) {
        uint64_t value;
        if (strcmp(argv[i], "--idle") == 0)
            *idle = true;
        else if (parse_number(argv[i], "--threads=", &value) && value - 1 < BENCH_MAX_THREADS)
            run->threads = (unsigned)value;
        else if (parse_number(argv[i], "--scale=", &value) && value - 1 < 100000)
            run->scale = (unsigned)value;
        else if (parse_number(argv[i], "--size=", &value) && value - 1 < ((uint64_t)1 << 30))
            run->size = (size_t)value;
        else
            return false;
    }
    return true;
}

static void measure(const bench_load_t *load, bench_run_t *run, bool idle)
{
    size_t start = bench_resident();
    double wall = bench_wall_s();
    double cpu = bench_cpu_s();
    load->run(run);
    cpu = bench_cpu_s() - cpu;
    wall = bench_wall_s() - wall;
    size_t freed = bench_resident();
    size_t idle_uncalled = 0;
    size_t idle_called = 0;
    if (idle) {
        bench_sleep_ms(IDLE_MS);
        idle_uncalled = bench_resident();
        free(malloc(IDLE_CALL_SIZE));
        idle_called = bench_resident();
    }
    printf("{\"load\":\"%s\",\"threads\":%u,\"scale\":%u,\"size\":%zu,\"ops\":%" PRIu64
           ",\"wall_s\":%.6f,\"cpu_s\":%.6f,\"start_rss\":%zu,\"peak_rss\":%zu,\"live_peak\":%zu,"
           "\"table\":%zu,"
           "\"freed_rss\":%zu,\"idle_rss\":%zu,\"called_rss\":%zu}\n",
           load->name, run->threads, run->scale, run->size,
           atomic_load_explicit(&run->ops, memory_order_relaxed), wall, cpu, start,
           bench_resident_peak(), run->live_peak, run->table, freed, idle_uncalled, idle_called);
}

int main(int argc, char **argv)
{
    // No buffer from malloc: the only calls that are measured are the load's.
    static char buffer[4096];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        print_list();
        return 0;
    }
    bench_run_t run = {.threads = 1, .scale = 100};
    bool idle = false;
    const bench_load_t *load = argc > 1 ? find_load(argv[1]) : NULL;
    if (load == NULL || !parse_args(argc, argv, &run, &idle)) {
        fputs("usage: bench_loads LOAD [--threads=N] [--scale=PERCENT] [--size=BYTES] [--idle]\n"
              "       bench_loads --list\n",
              stderr);
        return 2;
    }
    measure(load, &run, idle);
    return 0;
}
