// SPDX-License-Identifier: MIT
// The frame of the loads: a load is a function with a fixed amount of deterministic work that frees
// all it allocated and checks the contents of its blocks on the way. bench_main.c measures it.
#pragma once

#include "bench_os.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

enum { BENCH_MAX_THREADS = 128 };

typedef struct {
    unsigned threads;      // const
    unsigned scale;        // const: percent of the full work
    size_t size;           // const: block size where a load takes one, else 0
    size_t live_peak;      // the load's own count of live bytes at their peak, where it keeps one
    size_t table;          // bytes of the load's own tables that it touched by then
    _Atomic(uint64_t) ops; // any: allocations made
} bench_run_t;

typedef struct {
    const char *name;
    const char *what;
    void (*run)(bench_run_t *run);
} bench_load_t;

extern const bench_load_t bench_batch_loads[]; // each list ends with a NULL name
extern const bench_load_t bench_server_loads[];
extern const bench_load_t bench_mix_loads[];
extern const bench_load_t bench_classic_loads[];
extern const bench_load_t bench_stress_loads[];
extern const bench_load_t bench_cfrac_loads[];

// Ends the process with status 3: the allocator broke its promise.
_Noreturn void bench_fail(const char *what, const void *block, size_t size);

// `full` units of work at scale 100, at least one.
static inline uint64_t bench_work(const bench_run_t *run, uint64_t full)
{
    uint64_t work = full * run->scale / 100;
    return work != 0 ? work : 1;
}

// Runs `fn` in run->threads threads (in this one, if one is asked for), each with its own worker.
typedef struct {
    bench_run_t *run;
    unsigned index;
    uint64_t rng;
    uint64_t ops;
    void *shared; // the load's own
} bench_worker_t;
typedef void (*bench_work_fn)(bench_worker_t *worker);
void bench_in_threads(bench_run_t *run, bench_work_fn fn, void *shared);
// In `count` threads that start for it and end, also if that is one.
void bench_in_new_threads(bench_run_t *run, unsigned count, bench_work_fn fn, void *shared);

// xorshift64*: fast, and the same everywhere.
static inline uint64_t bench_random(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545f4914f6cdd1dULL;
}

static inline uint64_t bench_seed(uint64_t n)
{
    return (n + 1) * 0x9e3779b97f4a7c15ULL;
}

// Below `limit`; the bias does not matter here.
static inline size_t bench_below(uint64_t *state, size_t limit)
{
    return (size_t)(((bench_random(state) >> 32) * (uint64_t)limit) >> 32);
}

// low..high with each power of two as likely as the next: many small ones, few large ones.
static inline size_t bench_size_by_powers(uint64_t *state, unsigned low_log2, unsigned high_log2)
{
    unsigned power = low_log2 + (unsigned)bench_below(state, high_log2 - low_log2);
    return ((size_t)1 << power) + bench_below(state, (size_t)1 << power);
}

static inline uint64_t bench_tag(const void *block, size_t size)
{
    return ((uint64_t)(uintptr_t)block ^ ((uint64_t)size << 48)) * 0x9e3779b97f4a7c15ULL;
}

// Marks a block at both ends, so that overlapping or moved blocks are found when they are freed.
static inline void bench_stamp(void *block, size_t size)
{
    uint64_t tag = bench_tag(block, size);
    unsigned char *bytes = block;
    if (size >= sizeof tag)
        *(uint64_t *)block = tag;
    bytes[size - 1] = (unsigned char)(tag >> 56);
}

static inline void bench_verify(const void *block, size_t size)
{
    uint64_t tag = bench_tag(block, size);
    const unsigned char *bytes = block;
    if (size >= sizeof tag && *(const uint64_t *)block != tag)
        bench_fail("the first word changed", block, size);
    if (bytes[size - 1] != (unsigned char)(tag >> 56))
        bench_fail("the last byte changed", block, size);
}

static inline void *bench_new(bench_worker_t *worker, size_t size)
{
    void *block = malloc(size);
    if (block == NULL)
        bench_fail("out of memory", block, size);
    bench_stamp(block, size);
    worker->ops++;
    return block;
}

static inline void bench_delete(void *block, size_t size)
{
    bench_verify(block, size);
    free(block);
}

// One place in a load's table.
typedef struct {
    void *block;
    size_t size;
} bench_slot_t;

static inline void bench_slot_fill(bench_worker_t *worker, bench_slot_t *slot, size_t size)
{
    slot->block = bench_new(worker, size);
    slot->size = size;
}

static inline void bench_slot_clear(bench_slot_t *slot)
{
    if (slot->block != NULL)
        bench_delete(slot->block, slot->size);
    slot->block = NULL;
}
