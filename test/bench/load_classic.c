// SPDX-License-Identifier: MIT
// Loads of the kind that allocator papers quote, written anew: the same pattern of sizes, lifetimes
// and threads, so that the shape of published tables can be compared; not the same programs.
#include "bench.h"

#include <string.h>

// ---- larson: a server that hands its blocks on to a new thread ----

enum { LARSON_SLOTS = 1000, LARSON_MIN = 8, LARSON_MAX = 1000, LARSON_GENERATIONS = 20 };

static void work_larson(bench_worker_t *worker)
{
    bench_slot_t *slots = (bench_slot_t *)worker->shared + (size_t)worker->index * LARSON_SLOTS;
    for (uint64_t i = bench_work(worker->run, 500000); i > 0; i--) {
        bench_slot_t *slot = &slots[bench_below(&worker->rng, LARSON_SLOTS)];
        bench_slot_clear(slot);
        bench_slot_fill(worker, slot,
                        LARSON_MIN + bench_below(&worker->rng, LARSON_MAX - LARSON_MIN));
    }
}

static void run_larson(bench_run_t *run)
{
    size_t bytes = sizeof(bench_slot_t) * LARSON_SLOTS * run->threads;
    bench_slot_t *slots = bench_map(bytes);
    for (unsigned i = 0; i < LARSON_GENERATIONS; i++)
        bench_in_threads(run, work_larson, slots);
    for (size_t i = 0; i < (size_t)LARSON_SLOTS * run->threads; i++)
        bench_slot_clear(&slots[i]);
    bench_unmap(slots, bytes);
}

// ---- mstress: own tables, and a shared one through which blocks change hands ----

enum { MSTRESS_SHARED = 1000, MSTRESS_KEPT = 5000, MSTRESS_ROUNDS = 8 };

// A block that carries its own size, as only its address changes hands.
typedef struct {
    size_t size;
} parcel_t;

static parcel_t *parcel_new(bench_worker_t *worker)
{
    // Mostly small; one in a hundred is up to 64 KiB.
    bool is_large = bench_below(&worker->rng, 100) == 0;
    size_t size = bench_size_by_powers(&worker->rng, 4, is_large ? 16 : 10);
    parcel_t *parcel = calloc(1, size);
    if (parcel == NULL)
        bench_fail("out of memory", NULL, size);
    for (size_t i = 0; i < size; i += 64) {
        if (((unsigned char *)parcel)[i] != 0)
            bench_fail("calloc gave a block that is not zero", parcel, size);
    }
    parcel->size = size;
    ((unsigned char *)parcel)[size - 1] = (unsigned char)(size >> 3 | 1);
    worker->ops++;
    return parcel;
}

static void parcel_delete(parcel_t *parcel)
{
    if (parcel == NULL)
        return;
    if (((unsigned char *)parcel)[parcel->size - 1] != (unsigned char)(parcel->size >> 3 | 1))
        bench_fail("the last byte changed", parcel, parcel->size);
    free(parcel);
}

static void work_mstress(bench_worker_t *worker)
{
    _Atomic(uintptr_t) *shared = worker->shared;
    size_t bytes = sizeof(parcel_t *) * MSTRESS_KEPT;
    parcel_t **kept = bench_map(bytes);
    size_t count = 0;
    for (uint64_t i = bench_work(worker->run, 150000); i > 0; i--) {
        parcel_t *parcel = parcel_new(worker);
        size_t choice = bench_below(&worker->rng, 100);
        if (choice < 25) {
            // acq_rel: publishes the parcel's contents and sees those of the one it gets.
            uintptr_t other =
                atomic_exchange_explicit(&shared[bench_below(&worker->rng, MSTRESS_SHARED)],
                                         (uintptr_t)parcel, memory_order_acq_rel);
            parcel_delete((parcel_t *)other);
        } else if (choice < 60 && count < MSTRESS_KEPT) {
            kept[count++] = parcel;
        } else if (count > 0) {
            size_t at = bench_below(&worker->rng, count);
            parcel_delete(kept[at]);
            kept[at] = parcel;
        } else {
            parcel_delete(parcel);
        }
    }
    while (count > 0)
        parcel_delete(kept[--count]);
    bench_unmap(kept, bytes);
}

static void run_mstress(bench_run_t *run)
{
    _Atomic(uintptr_t) *shared = bench_map(sizeof(uintptr_t) * MSTRESS_SHARED);
    for (unsigned round = 0; round < MSTRESS_ROUNDS; round++) {
        bench_in_threads(run, work_mstress, shared);
        for (size_t i = 0; i < MSTRESS_SHARED; i += round % 2 + 1)
            parcel_delete((parcel_t *)atomic_exchange(&shared[i], 0));
    }
    for (size_t i = 0; i < MSTRESS_SHARED; i++)
        parcel_delete((parcel_t *)atomic_load(&shared[i]));
    bench_unmap((void *)shared, sizeof(uintptr_t) * MSTRESS_SHARED);
}

// ---- rptest: loops of random sizes up to 16000, some freed by the next thread ----

enum { RPTEST_LIVE = 8000, RPTEST_MAILBOX = 500, RPTEST_MAX = 16000 };

typedef struct {
    bench_gate_t gate;
    bench_slot_t slots[RPTEST_MAILBOX]; // lock: gate
    size_t count;                       // lock: gate
} mailbox_t;

// Swaps all that is in the mailbox for `count` slots of ours; returns how many there are now.
static size_t mailbox_swap(mailbox_t *mailbox, bench_slot_t *slots, size_t count)
{
    static const size_t slot_bytes = sizeof(bench_slot_t);
    bench_slot_t taken[RPTEST_MAILBOX];
    bench_gate_lock(&mailbox->gate);
    size_t taken_count = mailbox->count;
    memcpy(taken, mailbox->slots, taken_count * slot_bytes);
    memcpy(mailbox->slots, slots, count * slot_bytes);
    mailbox->count = count;
    bench_gate_unlock(&mailbox->gate);
    memcpy(slots, taken, taken_count * slot_bytes);
    return taken_count;
}

static void work_rptest(bench_worker_t *worker)
{
    mailbox_t *mailboxes = worker->shared;
    mailbox_t *next = &mailboxes[(worker->index + 1) % worker->run->threads];
    size_t bytes = sizeof(bench_slot_t) * RPTEST_LIVE;
    bench_slot_t *slots = bench_map(bytes);
    for (uint64_t i = bench_work(worker->run, 1200); i > 0; i--) {
        bench_slot_t given[RPTEST_MAILBOX];
        // A window of the table is replaced in order; an older window goes to the next thread.
        size_t at = bench_below(&worker->rng, RPTEST_LIVE - 2 * RPTEST_MAILBOX);
        for (size_t k = 0; k < RPTEST_MAILBOX; k++) {
            bench_slot_clear(&slots[at + k]);
            bench_slot_fill(worker, &slots[at + k],
                            16 + bench_below(&worker->rng, RPTEST_MAX - 16) / (1 + k % 8));
        }
        size_t count = 0;
        for (size_t k = 0; k < RPTEST_MAILBOX; k += 5) {
            given[count++] = slots[at + k];
            slots[at + k].block = NULL;
        }
        count = mailbox_swap(next, given, count);
        while (count > 0)
            bench_slot_clear(&given[--count]);
    }
    for (size_t i = 0; i < RPTEST_LIVE; i++)
        bench_slot_clear(&slots[i]);
    bench_unmap(slots, bytes);
}

static void run_rptest(bench_run_t *run)
{
    size_t bytes = sizeof(mailbox_t) * run->threads;
    mailbox_t *mailboxes = bench_map(bytes);
    for (unsigned i = 0; i < run->threads; i++)
        bench_gate_init(&mailboxes[i].gate);
    bench_in_threads(run, work_rptest, mailboxes);
    for (unsigned i = 0; i < run->threads; i++) {
        for (size_t k = 0; k < mailboxes[i].count; k++)
            bench_slot_clear(&mailboxes[i].slots[k]);
    }
    bench_unmap(mailboxes, bytes);
}

// ---- glibc's own two: one small size in runs; many sizes at random ----

static void work_glibc_simple(bench_worker_t *worker)
{
    enum { SIZE = 128, RUN_MAX = 1600 };
    static const size_t runs[] = {25, 100, 400, RUN_MAX};
    void *blocks[RUN_MAX];
    for (uint64_t i = bench_work(worker->run, 8000); i > 0; i--) {
        size_t count = runs[i % 4];
        for (size_t k = 0; k < count; k++)
            blocks[k] = bench_new(worker, SIZE);
        for (size_t k = 0; k < count; k++)
            bench_delete(blocks[k], SIZE);
    }
}

// Sizes 4 to 32768 with a probability that falls with the size; a table of 4096 blocks.
static void work_glibc_thread(bench_worker_t *worker)
{
    enum { SLOTS = 4096 };
    bench_slot_t slots[SLOTS] = {0};
    for (uint64_t i = bench_work(worker->run, 2500000); i > 0; i--) {
        bench_slot_t *slot = &slots[bench_below(&worker->rng, SLOTS)];
        unsigned high = 4 + (unsigned)bench_below(&worker->rng, 12);
        bench_slot_clear(slot);
        bench_slot_fill(worker, slot, bench_size_by_powers(&worker->rng, 2, high));
    }
    for (size_t i = 0; i < SLOTS; i++)
        bench_slot_clear(&slots[i]);
}

// ---- alloc-test: a large table, one random slot emptied or filled at a time ----

static void work_alloc_test(bench_worker_t *worker)
{
    enum { SLOTS = 1 << 15 };
    size_t bytes = sizeof(bench_slot_t) * SLOTS;
    bench_slot_t *slots = bench_map(bytes);
    for (uint64_t i = bench_work(worker->run, 6000000); i > 0; i--) {
        // The product of two random numbers prefers one end of the table: some slots are hot.
        size_t hot = bench_below(&worker->rng, SLOTS) * bench_below(&worker->rng, SLOTS) / SLOTS;
        bench_slot_t *slot = &slots[hot];
        if (slot->block != NULL)
            bench_slot_clear(slot);
        else
            bench_slot_fill(worker, slot, bench_size_by_powers(&worker->rng, 3, 10));
    }
    for (size_t i = 0; i < SLOTS; i++)
        bench_slot_clear(&slots[i]);
    bench_unmap(slots, bytes);
}

static void run_glibc_simple(bench_run_t *run)
{
    bench_in_threads(run, work_glibc_simple, NULL);
}

static void run_glibc_thread(bench_run_t *run)
{
    bench_in_threads(run, work_glibc_thread, NULL);
}

static void run_alloc_test(bench_run_t *run)
{
    bench_in_threads(run, work_alloc_test, NULL);
}

const bench_load_t bench_classic_loads[] = {
    {"larson", "random slots of 8 to 1000 bytes, handed on to new threads", run_larson},
    {"mstress", "own tables and a shared one, calloc, threads that end", run_mstress},
    {"rptest", "windows of up to 16000 bytes, a fifth freed by the next thread", run_rptest},
    {"glibc-simple", "runs of 25 to 1600 blocks of 128 bytes", run_glibc_simple},
    {"glibc-thread", "4096 slots of 4 bytes to 32 KiB, mostly small, replaced at random",
     run_glibc_thread},
    {"alloc-test", "a large table with hot slots", run_alloc_test},
    {0},
};
