// SPDX-License-Identifier: MIT
// Loads of the kind that allocator papers quote, written anew with the sizes, lifetimes, numbers and
// accesses of the well-known programs, so that published ratios can be compared: see
// docs/benchmarks.md for how well they match. Those with blocks that change hands: load_stress.c.
#include "bench.h"

#include <string.h>

// ---- larson: a server's connections, handed on from each thread to the next one ----

enum { LARSON_SLOTS = 10000, LARSON_MIN = 8, LARSON_MAX = 1000 };
enum { LARSON_GENERATIONS = 40, LARSON_REPLACED = 500000 };

typedef struct {
    bench_slot_t *slots; // LARSON_SLOTS per thread
    unsigned generation;
} larson_t;

static size_t larson_size(uint64_t *rng)
{
    return LARSON_MIN + bench_below(rng, LARSON_MAX - LARSON_MIN);
}

static void work_larson(bench_worker_t *worker)
{
    const larson_t *larson = worker->shared;
    bench_slot_t *slots = larson->slots + (size_t)worker->index * LARSON_SLOTS;
    worker->rng = bench_seed(worker->index + (uint64_t)larson->generation * BENCH_MAX_THREADS);
    for (unsigned i = 0; i < LARSON_REPLACED; i++) {
        bench_slot_t *slot = &slots[bench_below(&worker->rng, LARSON_SLOTS)];
        bench_slot_clear(slot);
        bench_slot_fill(worker, slot, larson_size(&worker->rng));
    }
}

static void run_larson(bench_run_t *run)
{
    size_t count = (size_t)LARSON_SLOTS * run->threads;
    larson_t larson = {.slots = bench_map(sizeof(bench_slot_t) * count)};
    // The main thread's blocks are the first that others free.
    bench_worker_t starter = {.run = run, .rng = bench_seed(99)};
    for (size_t i = 0; i < count; i++)
        bench_slot_fill(&starter, &larson.slots[i], larson_size(&starter.rng));
    // A shorter run has fewer generations, not shorter ones.
    uint64_t generations = bench_work(run, LARSON_GENERATIONS);
    for (; larson.generation < generations; larson.generation++)
        bench_in_new_threads(run, run->threads, work_larson, &larson);
    for (size_t i = 0; i < count; i++)
        bench_slot_clear(&larson.slots[i]);
    bench_unmap(larson.slots, sizeof(bench_slot_t) * count);
}

// ---- glibc's own two ----

static uint32_t *new_array(bench_worker_t *worker, size_t count)
{
    uint32_t *numbers = malloc(count * sizeof *numbers);
    if (numbers == NULL)
        bench_fail("out of memory", NULL, count);
    for (size_t i = 0; i < count; i++)
        numbers[i] = (uint32_t)(count - i);
    worker->ops++;
    return numbers;
}

static void delete_array(uint32_t *numbers, size_t count)
{
    if (numbers[0] != count || numbers[count - 1] != 1)
        bench_fail("a number changed", numbers, count);
    free(numbers);
}

// Runs of 25 to 1600 blocks, as many blocks in the short runs as in the long ones.
static void work_glibc_simple(bench_worker_t *worker)
{
    enum { RUN_MAX = 1600, BLOCKS = 1500000 };
    static const size_t runs[] = {25, 100, 400, RUN_MAX};
    static const size_t sizes[] = {16, 32, 64};
    uint32_t *blocks[RUN_MAX];
    for (size_t at = 0; at < sizeof sizes / sizeof sizes[0] * 4; at++) {
        size_t length = sizes[at / 4] / sizeof(uint32_t);
        size_t count = runs[at % 4];
        for (uint64_t i = bench_work(worker->run, BLOCKS / count); i > 0; i--) {
            for (size_t k = 0; k < count; k++)
                blocks[k] = new_array(worker, length);
            for (size_t k = 0; k < count; k++)
                delete_array(blocks[k], length);
        }
    }
}

// In the main thread, in another one, and in the main thread of a process that has had another one.
static void run_glibc_simple(bench_run_t *run)
{
    bench_in_threads(run, work_glibc_simple, NULL);
    bench_in_new_threads(run, 1, work_glibc_simple, NULL);
    bench_in_threads(run, work_glibc_simple, NULL);
}

// 4 bytes to 32 KiB, the probability falls with the square of the size.
static size_t inverse_square_size(uint64_t *rng)
{
    static const double low = 4;
    static const double high = 32768;
    double uniform = (double)(bench_random(rng) >> 11) * 0x1p-53;
    return (size_t)(1.0 / (1.0 / high + uniform * (1.0 / low - 1.0 / high)));
}

// Small tables of sizes and places are drawn before: the loop is to be the allocator's.
static void work_glibc_thread(bench_worker_t *worker)
{
    enum { SLOTS = 1024, PLACES = 4 * SLOTS, SIZES = 8000 };
    bench_slot_t slots[SLOTS] = {0};
    uint16_t places[PLACES];
    uint16_t sizes[SIZES];
    for (size_t i = 0; i < PLACES; i++)
        places[i] = (uint16_t)bench_below(&worker->rng, SLOTS);
    for (size_t i = 0; i < SIZES; i++)
        sizes[i] = (uint16_t)inverse_square_size(&worker->rng);
    for (uint64_t i = bench_work(worker->run, 20000000); i > 0; i--) {
        bench_slot_t *slot = &slots[places[i % PLACES]];
        size_t size = sizes[i % SIZES];
        bench_slot_clear(slot);
        slot->block = malloc(size);
        if (slot->block == NULL)
            bench_fail("out of memory", NULL, size);
        memset(slot->block, (int)(i & 0xff), size);
        bench_stamp(slot->block, size);
        slot->size = size;
        worker->ops++;
    }
    for (size_t i = 0; i < SLOTS; i++)
        bench_slot_clear(&slots[i]);
}

static void run_glibc_thread(bench_run_t *run)
{
    bench_in_threads(run, work_glibc_thread, NULL);
}

// ---- alloc-test: a large table, some slots far hotter than others, blocks read and written whole ----

enum { HOT_LEVELS = 6, ALLOC_TEST_SLOTS = 1 << 18 };

// 80 % of the accesses go to 20 % of the slots, 80 % of those to 20 % of these, and so on.
typedef struct {
    uint64_t below[HOT_LEVELS + 1]; // of 2^32 draws, those that choose this group or an earlier one
    size_t start[HOT_LEVELS + 2];
} hot_t;

static double binomial_share(unsigned hits, double chance)
{
    double share = 1;
    for (unsigned i = 0; i < HOT_LEVELS; i++)
        share *= i < hits ? chance * (HOT_LEVELS - i) / (i + 1) : 1 - chance;
    return share;
}

static hot_t hot_groups(size_t slot_count)
{
    hot_t hot = {0};
    double drawn = 0;
    for (unsigned cold = 0; cold <= HOT_LEVELS; cold++) {
        drawn += binomial_share(cold, 0.2);
        hot.below[cold] = (uint64_t)(drawn * 0x1p32);
        hot.start[cold + 1] =
            hot.start[cold] + (size_t)(binomial_share(cold, 0.8) * (double)slot_count);
    }
    hot.below[HOT_LEVELS] = UINT64_MAX;
    return hot;
}

static size_t hot_slot(const hot_t *hot, uint64_t *rng)
{
    uint64_t draw = bench_random(rng) >> 32;
    size_t group = 0;
    while (draw >= hot->below[group])
        group++;
    return hot->start[group] + bench_below(rng, hot->start[group + 1] - hot->start[group]);
}

// Twice the size is half as likely, from 8 bytes to 1 KiB.
static size_t halving_size(uint64_t *rng)
{
    uint64_t draw = bench_random(rng);
    unsigned power = 2;
    for (uint64_t bits = draw; power < 9 && (bits & 1) == 0; bits >>= 1)
        power++;
    return ((size_t)1 << power) + 1 + bench_below(rng, (size_t)1 << power);
}

static void fill_whole(bench_worker_t *worker, bench_slot_t *slot, size_t size)
{
    slot->block = malloc(size);
    slot->size = size;
    if (slot->block == NULL)
        bench_fail("out of memory", NULL, size);
    memset(slot->block, (int)(size & 0xff), size);
    worker->ops++;
}

static void check_and_clear(bench_slot_t *slot)
{
    const unsigned char *bytes = slot->block;
    bool is_whole =
        bytes[0] == (slot->size & 0xff) && memcmp(bytes, bytes + 1, slot->size - 1) == 0;
    if (!is_whole)
        bench_fail("a byte changed", slot->block, slot->size);
    free(slot->block);
    slot->block = NULL;
}

static void work_alloc_test(bench_worker_t *worker)
{
    size_t slot_count = ALLOC_TEST_SLOTS / worker->run->threads;
    size_t bytes = sizeof(bench_slot_t) * slot_count;
    bench_slot_t *slots = bench_map(bytes);
    hot_t hot = hot_groups(slot_count);
    // Half of the slots are in use from the start.
    for (size_t i = 0; i < slot_count; i++) {
        if (bench_below(&worker->rng, 2) == 0)
            fill_whole(worker, &slots[i], halving_size(&worker->rng));
    }
    for (uint64_t i = bench_work(worker->run, 12000000); i > 0; i--) {
        bench_slot_t *slot = &slots[hot_slot(&hot, &worker->rng)];
        if (slot->block != NULL)
            check_and_clear(slot);
        else
            fill_whole(worker, slot, halving_size(&worker->rng));
    }
    for (size_t i = 0; i < slot_count; i++) {
        if (slots[i].block != NULL)
            check_and_clear(&slots[i]);
    }
    bench_unmap(slots, bytes);
}

static void run_alloc_test(bench_run_t *run)
{
    bench_in_new_threads(run, run->threads, work_alloc_test, NULL);
}

const bench_load_t bench_classic_loads[] = {
    {"larson", "random slots of 8 to 1000 bytes, handed on to new threads", run_larson},
    {"glibc-simple", "runs of 25 to 1600 blocks of 16, 32, 64 bytes, in two threads",
     run_glibc_simple},
    {"glibc-thread", "1024 slots of 4 bytes to 32 KiB, mostly tiny, replaced at random",
     run_glibc_thread},
    {"alloc-test", "a large table with hot slots, blocks written and read whole", run_alloc_test},
    {0},
};
