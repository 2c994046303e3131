// SPDX-License-Identifier: MIT
// Loads of the kind that allocator papers quote, as in load_classic.c: those whose blocks pass from
// thread to thread.
#include "bench.h"

#include <string.h>

// ---- mstress: own tables and a shared one, threads of unequal length that end ----

enum { MSTRESS_SHARED = 1000, MSTRESS_BLOCKS = 5000, MSTRESS_UNEQUAL = 8 };

// An array of words that says how long it is, as only its address changes hands.
static const uintptr_t parcel_key = (uintptr_t)0x5bd1e9955bd1e995ULL;

static uintptr_t *parcel_new(bench_worker_t *worker, unsigned powers)
{
    size_t count = (size_t)1 << bench_below(&worker->rng, powers);
    size_t draw = bench_below(&worker->rng, 5000);
    count *= draw < 10 ? 1000 : draw < 100 ? 100 : 1;
    uintptr_t *words = calloc(count, sizeof *words);
    if (words == NULL)
        bench_fail("out of memory", NULL, count);
    for (size_t i = 0; i < count; i++) {
        if (words[i] != 0)
            bench_fail("calloc gave a block that is not zero", words, count * sizeof *words);
        words[i] = (count - i) ^ parcel_key;
    }
    worker->ops++;
    return words;
}

static void parcel_delete(uintptr_t *words)
{
    if (words == NULL)
        return;
    size_t count = words[0] ^ parcel_key;
    for (size_t i = 0; i < count; i++) {
        if (words[i] != ((count - i) ^ parcel_key))
            bench_fail("a word changed", words, count * sizeof *words);
    }
    free(words);
}

static void swap_with_shared(bench_worker_t *worker, uintptr_t **place)
{
    _Atomic(uintptr_t) *shared = worker->shared;
    // acq_rel: publishes the parcel's contents and sees those of the one it gets.
    *place =
        (uintptr_t *)atomic_exchange_explicit(&shared[bench_below(&worker->rng, MSTRESS_SHARED)],
                                              (uintptr_t)*place, memory_order_acq_rel);
}

static unsigned mstress_units(unsigned index)
{
    return index % MSTRESS_UNEQUAL + 1;
}

static void work_mstress(bench_worker_t *worker)
{
    size_t left = (size_t)MSTRESS_BLOCKS * mstress_units(worker->index);
    size_t to_keep = left / 2;
    size_t bytes = sizeof(uintptr_t *) * (left + to_keep);
    uintptr_t **passing = bench_map(bytes);
    uintptr_t **kept = passing + left;
    size_t passing_count = 0;
    size_t kept_count = 0;
    while (left > 0 || kept_count < to_keep) {
        if (kept_count == to_keep || (left > 0 && bench_below(&worker->rng, 2) == 0)) {
            left--;
            passing[passing_count++] = parcel_new(worker, 5);
        } else {
            kept[kept_count++] = parcel_new(worker, 7);
        }
        if (passing_count > 0 && bench_below(&worker->rng, 3) != 0) {
            size_t at = bench_below(&worker->rng, passing_count);
            parcel_delete(passing[at]);
            passing[at] = NULL;
        }
        if (passing_count > 0 && bench_below(&worker->rng, 4) == 0)
            swap_with_shared(worker, &passing[bench_below(&worker->rng, passing_count)]);
    }
    while (kept_count > 0)
        parcel_delete(kept[--kept_count]);
    while (passing_count > 0)
        parcel_delete(passing[--passing_count]);
    bench_unmap(passing, bytes);
}

static void run_mstress(bench_run_t *run)
{
    enum { UNITS = 150 };
    unsigned units = 0;
    for (unsigned i = 0; i < run->threads; i++)
        units += mstress_units(i);
    uint64_t rounds = bench_work(run, (uint64_t)UNITS * (run->threads + 1)) / units + 1;
    uint64_t rng = bench_seed(5);
    _Atomic(uintptr_t) *shared = bench_map(sizeof(uintptr_t) * MSTRESS_SHARED);
    for (uint64_t round = 0; round < rounds; round++) {
        bench_in_new_threads(run, run->threads, work_mstress, shared);
        for (size_t i = 0; i < MSTRESS_SHARED; i++) {
            if (round + 1 == rounds || bench_below(&rng, 2) == 0)
                parcel_delete((uintptr_t *)atomic_exchange(&shared[i], 0));
        }
    }
    bench_unmap((void *)shared, sizeof(uintptr_t) * MSTRESS_SHARED);
}

// ---- rptest: a table of up to 16000 bytes a block, every second round some for another thread ----

enum { RPTEST_SLOTS = 1000, RPTEST_MAX = 16000, RPTEST_ROUND_MAX = 100, PAGE = 4096 };
// A thread that is not running must not let its letters fill the memory: that would measure the
// system's scheduler.
enum { RPTEST_UNREAD_MAX = 8 };

// Blocks on their way to another thread.
typedef struct letter {
    struct letter *next;
    size_t count;
    bench_slot_t *slots; // a block of the allocator's too
} letter_t;

typedef struct {
    _Alignas(64) _Atomic(uintptr_t) first; // any: the letters not read yet
    atomic_uint unread;                    // any: how many, roughly
} mailbox_t;

static void mailbox_put(mailbox_t *mailbox, letter_t *letter)
{
    atomic_fetch_add_explicit(&mailbox->unread, 1, memory_order_relaxed);
    uintptr_t first = atomic_load_explicit(&mailbox->first, memory_order_relaxed);
    do {
        letter->next = (letter_t *)first;
        // release: pairs with the acquire in mailbox_empty; it publishes the letter and its blocks.
    } while (!atomic_compare_exchange_weak_explicit(&mailbox->first, &first, (uintptr_t)letter,
                                                    memory_order_release, memory_order_relaxed));
}

static void letter_delete(letter_t *letter)
{
    for (size_t i = 0; i < letter->count; i++)
        bench_slot_clear(&letter->slots[i]);
    free(letter->slots);
    free(letter);
}

static void mailbox_empty(mailbox_t *mailbox)
{
    letter_t *letter =
        (letter_t *)atomic_exchange_explicit(&mailbox->first, 0, memory_order_acquire);
    while (letter != NULL) {
        letter_t *next = letter->next;
        letter_delete(letter);
        atomic_fetch_sub_explicit(&mailbox->unread, 1, memory_order_relaxed);
        letter = next;
    }
}

// Small ones are likelier; every OS page of the block is written.
static void rptest_fill(bench_worker_t *worker, bench_slot_t *slot)
{
    size_t sum = bench_below(&worker->rng, RPTEST_MAX) + bench_below(&worker->rng, RPTEST_MAX);
    size_t falloff = sum > RPTEST_MAX ? sum - RPTEST_MAX : RPTEST_MAX - sum;
    size_t size = 8 + bench_below(&worker->rng, falloff + 1);
    bench_slot_fill(worker, slot, size);
    for (size_t at = PAGE; at + PAGE < size; at += PAGE)
        ((unsigned char *)slot->block)[at] = 1;
}

static letter_t *letter_new(bench_worker_t *worker, size_t count)
{
    letter_t *letter = malloc(sizeof *letter);
    bench_slot_t *slots = malloc(count * sizeof *slots);
    if (letter == NULL || slots == NULL)
        bench_fail("out of memory", NULL, count);
    for (size_t i = 0; i < count; i++)
        rptest_fill(worker, &slots[i]);
    *letter = (letter_t){.count = count, .slots = slots};
    worker->ops += 2;
    return letter;
}

static void send(mailbox_t *mailbox, letter_t *letter)
{
    if (atomic_load_explicit(&mailbox->unread, memory_order_relaxed) < RPTEST_UNREAD_MAX)
        mailbox_put(mailbox, letter);
    else
        letter_delete(letter);
}

static size_t rptest_count(bench_worker_t *worker)
{
    return 30 + bench_below(&worker->rng, RPTEST_ROUND_MAX - 30);
}

static void work_rptest(bench_worker_t *worker)
{
    enum { FILL_STEP = 7, CLEAR_STEP = 11 };
    mailbox_t *mailboxes = worker->shared;
    unsigned threads = worker->run->threads;
    unsigned other = worker->index;
    bench_slot_t slots[RPTEST_SLOTS] = {0};
    size_t fill_at = 0;
    size_t clear_at = 0;
    for (uint64_t round = bench_work(worker->run, 60000); round > 0; round--) {
        for (size_t i = rptest_count(worker) * 4 / 5; i > 0; i--) {
            bench_slot_clear(&slots[clear_at]);
            clear_at = (clear_at + CLEAR_STEP) % RPTEST_SLOTS;
        }
        mailbox_empty(&mailboxes[worker->index]);
        for (size_t i = rptest_count(worker); i > 0; i--) {
            bench_slot_clear(&slots[fill_at]);
            rptest_fill(worker, &slots[fill_at]);
            fill_at = (fill_at + FILL_STEP) % RPTEST_SLOTS;
        }
        if (threads > 1 && round % 2 == 0) {
            other = (other + 1) % threads;
            other = other == worker->index ? (other + 1) % threads : other;
            send(&mailboxes[other], letter_new(worker, rptest_count(worker)));
        }
    }
    for (size_t i = 0; i < RPTEST_SLOTS; i++)
        bench_slot_clear(&slots[i]);
}

static void run_rptest(bench_run_t *run)
{
    size_t bytes = sizeof(mailbox_t) * run->threads;
    mailbox_t *mailboxes = bench_map(bytes);
    bench_in_new_threads(run, run->threads, work_rptest, mailboxes);
    for (unsigned i = 0; i < run->threads; i++)
        mailbox_empty(&mailboxes[i]);
    bench_unmap(mailboxes, bytes);
}

// ---- xmalloc: half of the threads allocate, the other half free ----

enum { XMALLOC_BATCH = 4096, XMALLOC_FIXED = 64 };
// As in rptest: with more, the peak of memory would say which threads the system let run.
enum { XMALLOC_WAITING_MAX = 16 };

typedef struct batch {
    struct batch *next;
    uint64_t seed; // the sizes follow from it
    void *blocks[XMALLOC_BATCH];
} batch_t;

typedef struct {
    bench_gate_t gate;
    batch_t *first; // lock: gate
    size_t waiting; // lock: gate
    bool is_mixed;  // const: sizes of 8 to 2048 bytes
} stack_t;

static void stack_push(stack_t *stack, batch_t *batch)
{
    bench_gate_lock(&stack->gate);
    while (stack->waiting == XMALLOC_WAITING_MAX)
        bench_gate_wait(&stack->gate);
    batch->next = stack->first;
    stack->first = batch;
    stack->waiting++;
    bench_gate_wake_all(&stack->gate);
    bench_gate_unlock(&stack->gate);
}

static batch_t *stack_pop(stack_t *stack)
{
    bench_gate_lock(&stack->gate);
    while (stack->first == NULL)
        bench_gate_wait(&stack->gate);
    batch_t *batch = stack->first;
    stack->first = batch->next;
    stack->waiting--;
    bench_gate_wake_all(&stack->gate);
    bench_gate_unlock(&stack->gate);
    return batch;
}

static size_t size_in_batch(const batch_t *batch, size_t index, bool is_mixed)
{
    static const uint16_t sizes[] = {8,   12,  16,  24,  32,  48,   64,   96,  128,
                                     192, 256, 384, 512, 768, 1024, 1536, 2048};
    uint64_t draw = bench_seed(batch->seed + index) >> 32;
    return is_mixed ? sizes[draw * (sizeof sizes / sizeof sizes[0]) >> 32] : XMALLOC_FIXED;
}

static batch_t *batch_new(bench_worker_t *worker, bool is_mixed)
{
    enum { TOUCHED_MAX = 128 };
    batch_t *batch = malloc(sizeof *batch);
    if (batch == NULL)
        bench_fail("out of memory", NULL, sizeof *batch);
    batch->seed = bench_random(&worker->rng);
    for (size_t i = 0; i < XMALLOC_BATCH; i++) {
        size_t size = size_in_batch(batch, i, is_mixed);
        void *block = malloc(size);
        if (block == NULL)
            bench_fail("out of memory", NULL, size);
        memset(block, (int)(i & 0xff), size < TOUCHED_MAX ? size : TOUCHED_MAX);
        bench_stamp(block, size);
        batch->blocks[i] = block;
    }
    worker->ops += XMALLOC_BATCH + 1;
    return batch;
}

static void batch_delete(batch_t *batch, bool is_mixed)
{
    for (size_t i = 0; i < XMALLOC_BATCH; i++)
        bench_delete(batch->blocks[i], size_in_batch(batch, i, is_mixed));
    free(batch);
}

static void work_xmalloc(bench_worker_t *worker)
{
    stack_t *stack = worker->shared;
    for (uint64_t i = bench_work(worker->run, stack->is_mixed ? 700 : 2000); i > 0; i--) {
        if (worker->index % 2 == 0)
            batch_delete(stack_pop(stack), stack->is_mixed);
        else
            stack_push(stack, batch_new(worker, stack->is_mixed));
    }
}

static void exchange(bench_run_t *run, bool is_mixed)
{
    stack_t *stack = bench_map(sizeof *stack);
    bench_gate_init(&stack->gate);
    stack->is_mixed = is_mixed;
    unsigned count = run->threads * 2 <= BENCH_MAX_THREADS ? run->threads * 2 : BENCH_MAX_THREADS;
    bench_in_new_threads(run, count, work_xmalloc, stack);
    bench_unmap(stack, sizeof *stack);
}

static void run_xmalloc(bench_run_t *run)
{
    exchange(run, false);
}

static void run_xmalloc_var(bench_run_t *run)
{
    exchange(run, true);
}

// ---- mleak: ten threads at a time that leave one block behind ----

enum { MLEAK_THREADS = 10, MLEAK_SHARED = 1000, MLEAK_SIZE = 128 };

static void work_mleak(bench_worker_t *worker)
{
    _Atomic(uintptr_t) *shared = worker->shared;
    uint64_t rng = bench_seed(atomic_load_explicit(&worker->run->ops, memory_order_relaxed) * 16 +
                              worker->index);
    void *block = calloc(1, MLEAK_SIZE);
    if (block == NULL)
        bench_fail("out of memory", NULL, MLEAK_SIZE);
    bench_stamp(block, MLEAK_SIZE);
    worker->ops++;
    // acq_rel: as in swap_with_shared.
    uintptr_t other = atomic_exchange_explicit(&shared[bench_below(&rng, MLEAK_SHARED)],
                                               (uintptr_t)block, memory_order_acq_rel);
    if (other != 0)
        bench_delete((void *)other, MLEAK_SIZE);
}

static void run_mleak(bench_run_t *run)
{
    _Atomic(uintptr_t) *shared = bench_map(sizeof(uintptr_t) * MLEAK_SHARED);
    for (uint64_t i = bench_work(run, 2000); i > 0; i--)
        bench_in_new_threads(run, MLEAK_THREADS, work_mleak, shared);
    for (size_t i = 0; i < MLEAK_SHARED; i++) {
        if (shared[i] != 0)
            bench_delete((void *)shared[i], MLEAK_SIZE);
    }
    bench_unmap((void *)shared, sizeof(uintptr_t) * MLEAK_SHARED);
}

const bench_load_t bench_stress_loads[] = {
    {"mstress", "own tables and a shared one, calloc, few huge blocks, threads that end",
     run_mstress},
    {"rptest", "1000 blocks of up to 16000 bytes; with threads, lists of them for another",
     run_rptest},
    {"xmalloc", "half of the threads allocate batches of 64 bytes, the others free them",
     run_xmalloc},
    {"xmalloc-var", "the same with blocks of 8 to 2048 bytes", run_xmalloc_var},
    {"mleak", "ten threads at a time that leave one block behind", run_mleak},
    {0},
};
