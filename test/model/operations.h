// SPDX-License-Identifier: MIT
// The operations of the model test, chosen at random by a worker.
#pragma once

#include "live.h"

#define WORKER_SLOTS 600
#define WORKER_HEAPS 2

// What one thread at a time works on. Its blocks stay when the thread ends, its heaps do not.
typedef struct worker {
    rng_t rng;
    uint64_t lives;      // threads, one after the other
    uint64_t operations; // of one thread's life
    uint64_t done;
    size_t bytes; // live
    live_t slots[WORKER_SLOTS];
    mi_heap_t *heaps[WORKER_HEAPS]; // 0 is only ever deleted, 1 only ever destroyed
} worker_t;

// So many operations in all, cut into lives of the given length.
void worker_init(worker_t *worker, uint64_t seed, uint64_t operations, uint64_t life);
// One thread's life.
void worker_run(worker_t *worker);
// Frees what all threads of the worker have left, and what lies between the workers.
void worker_free_all(worker_t *worker);
