// SPDX-License-Identifier: MIT
// Loads of one block size at a time: batches freed in three orders, and pairs.
#include "bench.h"

enum { BATCH = 1000, BATCH_BYTES_MAX = 32 << 20 };

typedef enum { ORDER_FIFO, ORDER_LIFO, ORDER_SHUFFLED } order_t;

static const size_t batch_sizes[] = {16, 32, 64, 128, 256, 512, 1024, 4096, 16384, 65536};
enum { BATCH_SIZE_COUNT = sizeof batch_sizes / sizeof batch_sizes[0] };

static void shuffle(void **blocks, size_t count, uint64_t *rng)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = bench_below(rng, i);
        void *kept = blocks[i - 1];
        blocks[i - 1] = blocks[j];
        blocks[j] = kept;
    }
}

static void one_batch(bench_worker_t *worker, size_t size, order_t order)
{
    void *blocks[BATCH];
    size_t count = size * BATCH <= BATCH_BYTES_MAX ? BATCH : BATCH_BYTES_MAX / size;
    for (size_t i = 0; i < count; i++)
        blocks[i] = bench_new(worker, size);
    if (order == ORDER_SHUFFLED)
        shuffle(blocks, count, &worker->rng);
    for (size_t i = 0; i < count; i++)
        bench_delete(blocks[order == ORDER_LIFO ? count - 1 - i : i], size);
}

// Small sizes are common: each size gets as many batches as its weight below says.
static uint64_t rounds_of(const bench_run_t *run, size_t size)
{
    return bench_work(run, size <= 1024 ? 300 : size <= 4096 ? 80 : 16);
}

static void batches(bench_worker_t *worker, order_t order)
{
    bench_run_t *run = worker->run;
    for (size_t i = 0; i < (run->size != 0 ? 1 : BATCH_SIZE_COUNT); i++) {
        size_t size = run->size != 0 ? run->size : batch_sizes[i];
        for (uint64_t round = rounds_of(run, size); round > 0; round--)
            one_batch(worker, size, order);
    }
}

static void work_fifo(bench_worker_t *worker)
{
    batches(worker, ORDER_FIFO);
}

static void work_lifo(bench_worker_t *worker)
{
    batches(worker, ORDER_LIFO);
}

static void work_shuffled(bench_worker_t *worker)
{
    batches(worker, ORDER_SHUFFLED);
}

// The fast path by size; a few blocks of each size stay alive.
static void work_pairs(bench_worker_t *worker)
{
    enum { KEPT = 8, PAIRS = 5000000 };
    static const size_t sizes[] = {8, 16, 32, 64, 128, 512, 1024};
    bench_run_t *run = worker->run;
    for (size_t i = 0; i < (run->size != 0 ? 1 : sizeof sizes / sizeof sizes[0]); i++) {
        size_t size = run->size != 0 ? run->size : sizes[i];
        void *kept[KEPT];
        for (size_t k = 0; k < KEPT; k++)
            kept[k] = bench_new(worker, size);
        for (uint64_t pair = bench_work(run, PAIRS); pair > 0; pair--)
            bench_delete(bench_new(worker, size), size);
        for (size_t k = 0; k < KEPT; k++)
            bench_delete(kept[k], size);
    }
}

// Each free empties what holds the block: an allocator that gives it back at once pays each time.
static void work_lone_pairs(bench_worker_t *worker)
{
    static const size_t sizes[] = {64, 4096, 32768, 262144};
    bench_run_t *run = worker->run;
    for (size_t i = 0; i < (run->size != 0 ? 1 : sizeof sizes / sizeof sizes[0]); i++) {
        size_t size = run->size != 0 ? run->size : sizes[i];
        for (uint64_t pair = bench_work(run, 1500000); pair > 0; pair--)
            bench_delete(bench_new(worker, size), size);
    }
}

static void work_mebibyte_pairs(bench_worker_t *worker)
{
    enum { MEBIBYTE = 1 << 20 };
    for (uint64_t pair = bench_work(worker->run, 500000); pair > 0; pair--)
        bench_delete(bench_new(worker, MEBIBYTE), MEBIBYTE);
}

static void run_fifo(bench_run_t *run)
{
    bench_in_threads(run, work_fifo, NULL);
}

static void run_lifo(bench_run_t *run)
{
    bench_in_threads(run, work_lifo, NULL);
}

static void run_shuffled(bench_run_t *run)
{
    bench_in_threads(run, work_shuffled, NULL);
}

static void run_pairs(bench_run_t *run)
{
    bench_in_threads(run, work_pairs, NULL);
}

static void run_lone_pairs(bench_run_t *run)
{
    bench_in_threads(run, work_lone_pairs, NULL);
}

static void run_mebibyte_pairs(bench_run_t *run)
{
    bench_in_threads(run, work_mebibyte_pairs, NULL);
}

const bench_load_t bench_batch_loads[] = {
    {"batch-fifo", "batches of 1000 of one size, freed in order", run_fifo},
    {"batch-lifo", "batches of 1000 of one size, freed in reverse", run_lifo},
    {"batch-shuffle", "batches of 1000 of one size, freed in random order", run_shuffled},
    {"pairs", "malloc and free of one size, 8 more alive", run_pairs},
    {"pairs-lone", "malloc and free, nothing else of the size alive, 64 B to 256 KiB",
     run_lone_pairs},
    {"pairs-1m", "malloc and free of 1 MiB", run_mebibyte_pairs},
    {0},
};
