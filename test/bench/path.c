// SPDX-License-Identifier: MIT
// The fast path alone: malloc and free of one size in one pattern, nothing else.
// bin/bench runs it under callgrind, which counts the instructions of `measured` and of all it
// calls; the loop and the calls themselves are the "stub" column (path_stub.c). The blocks are not
// touched, so a page that the allocator takes from the system costs no page fault here.
// It prints the nanoseconds of wall time and of CPU time per pair, which callgrind's runs ignore.
//
//     bench_path pair|keep|lifo|fifo SIZE WARM-UP COUNT
#include "bench_os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 1000, KEPT = 8 };

static void *blocks[BATCH];

// The compiler must neither drop a pair nor know what malloc is.
static inline void keep_alive(void *p)
{
    __asm__ volatile("" : : "r"(p) : "memory");
}

static void run_pairs(size_t size, unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        void *p = malloc(size);
        keep_alive(p);
        free(p);
    }
}

static void run_lifo(size_t size, unsigned long count)
{
    for (unsigned long done = 0; done < count; done += BATCH) {
        for (size_t i = 0; i < BATCH; i++)
            blocks[i] = malloc(size);
        for (size_t i = BATCH; i-- > 0;)
            free(blocks[i]);
    }
}

static void run_fifo(size_t size, unsigned long count)
{
    for (unsigned long done = 0; done < count; done += BATCH) {
        for (size_t i = 0; i < BATCH; i++)
            blocks[i] = malloc(size);
        for (size_t i = 0; i < BATCH; i++)
            free(blocks[i]);
    }
}

typedef void (*run_fn)(size_t size, unsigned long count);

// callgrind counts from the entry of this function to its return (--toggle-collect).
__attribute__((noinline)) void bench_path_measured(run_fn run, size_t size, unsigned long count);
void bench_path_measured(run_fn run, size_t size, unsigned long count)
{
    run(size, count);
    keep_alive(blocks);
}

static run_fn find_mode(const char *mode)
{
    if (strcmp(mode, "lifo") == 0)
        return run_lifo;
    if (strcmp(mode, "fifo") == 0)
        return run_fifo;
    return strcmp(mode, "pair") == 0 || strcmp(mode, "keep") == 0 ? run_pairs : NULL;
}

int main(int argc, char **argv)
{
    run_fn run = argc == 5 ? find_mode(argv[1]) : NULL;
    if (run == NULL) {
        fputs("usage: bench_path pair|keep|lifo|fifo SIZE WARM-UP COUNT\n", stderr);
        return 2;
    }
    size_t size = strtoul(argv[2], NULL, 10);
    unsigned long warm_up = strtoul(argv[3], NULL, 10);
    unsigned long count = strtoul(argv[4], NULL, 10);
    static void *kept[KEPT];
    if (strcmp(argv[1], "keep") == 0) {
        for (size_t i = 0; i < KEPT; i++)
            kept[i] = malloc(size);
    }
    run(size, warm_up);
    double wall = bench_wall_s();
    double cpu = bench_cpu_s();
    bench_path_measured(run, size, count);
    cpu = bench_cpu_s() - cpu;
    wall = bench_wall_s() - wall;
    printf("{\"wall_ns\":%.3f,\"cpu_ns\":%.3f}\n", wall * 1e9 / (double)count,
           cpu * 1e9 / (double)count);
    for (size_t i = 0; i < KEPT; i++)
        free(kept[i]);
    return 0;
}
