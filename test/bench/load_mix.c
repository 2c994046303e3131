// SPDX-License-Identifier: MIT
// Loads of mixed sizes: lifetimes, growing, alignment, large blocks, fragmentation.
#include "bench.h"

#include <string.h>

// ---- mixed sizes and lifetimes ----

// Most blocks die at once in stack order, some soon at random, a few live long.
static void work_mix(bench_worker_t *worker)
{
    enum { STACK = 64, SOON = 1000, LONG = 20000 };
    size_t bytes = sizeof(bench_slot_t) * (SOON + LONG);
    bench_slot_t *slots = bench_map(bytes);
    for (uint64_t i = bench_work(worker->run, 100000); i > 0; i--) {
        bench_slot_t stack[STACK];
        size_t depth = 1 + bench_below(&worker->rng, STACK);
        for (size_t k = 0; k < depth; k++)
            bench_slot_fill(worker, &stack[k], bench_size_by_powers(&worker->rng, 3, 9));
        for (size_t k = 0; k < 8; k++) {
            bench_slot_t *slot = &slots[bench_below(&worker->rng, SOON)];
            bench_slot_clear(slot);
            bench_slot_fill(worker, slot, bench_size_by_powers(&worker->rng, 4, 15));
        }
        bench_slot_t *old = &slots[SOON + bench_below(&worker->rng, LONG)];
        bench_slot_clear(old);
        bench_slot_fill(worker, old, bench_size_by_powers(&worker->rng, 4, 12));
        while (depth > 0)
            bench_slot_clear(&stack[--depth]);
    }
    for (size_t i = 0; i < SOON + LONG; i++)
        bench_slot_clear(&slots[i]);
    bench_unmap(slots, bytes);
}

// ---- growing reallocations ----

static void grow(bench_worker_t *worker, bench_slot_t *slot, size_t size)
{
    bench_slot_t old = *slot;
    // The address is part of the mark, so only the first word can be told after a move.
    uint64_t tag = bench_tag(old.block, old.size);
    slot->block = realloc(old.block, size);
    if (slot->block == NULL)
        bench_fail("realloc: out of memory", old.block, size);
    if (old.block != NULL && memcmp(slot->block, &tag, sizeof tag) != 0)
        bench_fail("realloc lost the contents", slot->block, old.size);
    slot->size = size;
    bench_stamp(slot->block, size);
    worker->ops++;
}

// Several buffers at a time: most are strings that grow by a bit, some vectors that grow by a half.
static void work_realloc(bench_worker_t *worker)
{
    enum { BUFFERS = 64 };
    bench_slot_t buffers[BUFFERS] = {0};
    for (uint64_t i = bench_work(worker->run, 500000); i > 0; i--) {
        size_t at = bench_below(&worker->rng, BUFFERS);
        bench_slot_t *slot = &buffers[at];
        bool is_string = at % 8 != 0;
        if (slot->size > (is_string ? 4096U : 1U << 20))
            bench_slot_clear(slot);
        if (slot->block == NULL)
            slot->size = 0;
        size_t more = is_string ? 1 + bench_below(&worker->rng, 64) : slot->size / 2;
        grow(worker, slot, slot->size + more + 16);
    }
    for (size_t i = 0; i < BUFFERS; i++)
        bench_slot_clear(&buffers[i]);
}

// ---- aligned blocks ----

static void work_aligned(bench_worker_t *worker)
{
    enum { SLOTS = 2000 };
    bench_slot_t slots[SLOTS] = {0};
    for (uint64_t i = bench_work(worker->run, 1500000); i > 0; i--) {
        bench_slot_t *slot = &slots[bench_below(&worker->rng, SLOTS)];
        if (slot->block != NULL) {
            bench_verify(slot->block, slot->size);
            bench_aligned_free(slot->block);
        }
        size_t alignment = (size_t)16 << bench_below(&worker->rng, 9); // 16 to 4096
        slot->size = bench_size_by_powers(&worker->rng, 4, 11);
        slot->block = bench_aligned_alloc(slot->size, alignment);
        if (slot->block == NULL)
            bench_fail("aligned: out of memory", NULL, slot->size);
        if ((uintptr_t)slot->block % alignment != 0)
            bench_fail("misaligned", slot->block, slot->size);
        bench_stamp(slot->block, slot->size);
        worker->ops++;
    }
    for (size_t i = 0; i < SLOTS; i++)
        bench_aligned_free(slots[i].block);
}

// ---- large blocks ----

static void replace_large(bench_worker_t *worker, bench_slot_t *slot, size_t size)
{
    enum { PAGE = 4096 };
    bench_slot_clear(slot);
    bench_slot_fill(worker, slot, size);
    for (size_t at = PAGE; at + PAGE < size; at += PAGE)
        ((unsigned char *)slot->block)[at] = (unsigned char)at;
}

// 64 KiB to 16 MiB, a page of each 4 KiB written.
static void work_large(bench_worker_t *worker)
{
    enum { SLOTS = 16 };
    bench_slot_t slots[SLOTS] = {0};
    for (uint64_t i = bench_work(worker->run, 900); i > 0; i--)
        replace_large(worker, &slots[bench_below(&worker->rng, SLOTS)],
                      bench_size_by_powers(&worker->rng, 16, 24));
    for (size_t i = 0; i < SLOTS; i++)
        bench_slot_clear(&slots[i]);
}

// 20 buffers of 5 to 25 MiB, replaced at random and wholly written.
static void work_malloc_large(bench_worker_t *worker)
{
    enum { SLOTS = 20, MEBIBYTE = 1 << 20 };
    bench_slot_t slots[SLOTS] = {0};
    for (uint64_t i = bench_work(worker->run, 100); i > 0; i--) {
        bench_slot_t *slot = &slots[bench_below(&worker->rng, SLOTS)];
        size_t size = 5 * MEBIBYTE + bench_below(&worker->rng, 20 * MEBIBYTE);
        bench_slot_clear(slot);
        bench_slot_fill(worker, slot, size);
        memset((unsigned char *)slot->block + sizeof(uint64_t), (int)(i & 0xff),
               size - 2 * sizeof(uint64_t));
    }
    for (size_t i = 0; i < SLOTS; i++)
        bench_slot_clear(&slots[i]);
}

// ---- fragmentation ----

enum { FRAG_BYTES = 48 << 20, FRAG_SLOTS = 1 << 20, FRAG_PHASES = 6 };

typedef struct {
    bench_slot_t *slots;
    size_t count;
    size_t live;
} frag_t;

static void frag_fill(bench_worker_t *worker, frag_t *frag, size_t limit, unsigned low_log2)
{
    while (frag->live < limit && frag->count < FRAG_SLOTS) {
        bench_slot_t *slot = &frag->slots[frag->count++];
        bench_slot_fill(worker, slot, bench_size_by_powers(&worker->rng, low_log2, low_log2 + 2));
        memset((unsigned char *)slot->block + slot->size / 2, 0, slot->size / 4);
        bench_stamp(slot->block, slot->size);
        frag->live += slot->size;
        if (frag->live > worker->run->live_peak)
            worker->run->live_peak = frag->live;
    }
}

// Frees all but one in ten, at random, so that nearly every page keeps a block.
static void frag_thin_out(bench_worker_t *worker, frag_t *frag)
{
    size_t kept = 0;
    for (size_t i = 0; i < frag->count; i++) {
        if (bench_below(&worker->rng, 10) == 0) {
            frag->slots[kept++] = frag->slots[i];
            continue;
        }
        frag->live -= frag->slots[i].size;
        bench_slot_clear(&frag->slots[i]);
    }
    frag->count = kept;
}

// Each phase fills up to the same number of live bytes with larger blocks than the one before, and
// leaves a tenth of them: what the older phases freed is only of use if it can change its size.
// One thread: what is measured is memory.
static void run_frag(bench_run_t *run)
{
    bench_worker_t worker = {.run = run, .rng = bench_seed(7)};
    size_t table = sizeof(bench_slot_t) * FRAG_SLOTS;
    frag_t frag = {.slots = bench_map(table)};
    // Memory is compared across runs of any length: only a test makes it smaller.
    size_t limit = run->scale >= 10 ? FRAG_BYTES : (size_t)bench_work(run, FRAG_BYTES);
    for (unsigned phase = 0; phase < FRAG_PHASES; phase++) {
        frag_fill(&worker, &frag, limit, 5 + phase);
        if (frag.count * sizeof(bench_slot_t) > run->table)
            run->table = frag.count * sizeof(bench_slot_t);
        frag_thin_out(&worker, &frag);
    }
    for (size_t i = 0; i < frag.count; i++)
        bench_slot_clear(&frag.slots[i]);
    bench_unmap(frag.slots, table);
    run->ops = worker.ops;
}

static void run_mix(bench_run_t *run)
{
    bench_in_threads(run, work_mix, NULL);
}

static void run_realloc(bench_run_t *run)
{
    bench_in_threads(run, work_realloc, NULL);
}

static void run_aligned(bench_run_t *run)
{
    bench_in_threads(run, work_aligned, NULL);
}

static void run_large(bench_run_t *run)
{
    bench_in_threads(run, work_large, NULL);
}

static void run_malloc_large(bench_run_t *run)
{
    bench_in_threads(run, work_malloc_large, NULL);
}

const bench_load_t bench_mix_loads[] = {
    {"mix", "mixed sizes and lifetimes", run_mix},
    {"realloc", "strings and vectors that grow", run_realloc},
    {"aligned", "blocks aligned to 16 to 4096", run_aligned},
    {"large", "64 KiB to 16 MiB, every page written", run_large},
    {"malloc-large", "20 buffers of 5 to 25 MiB, wholly written", run_malloc_large},
    {"frag", "phases of growing sizes over what a tenth of the older blocks keeps", run_frag},
    {0},
};
