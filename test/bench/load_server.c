// SPDX-License-Identifier: MIT
// Loads in which blocks are freed by another thread than the one that allocated them, or outlive it.
#include "bench.h"

#include <string.h>

// ---- server: slots replaced at random by threads that come and go ----

// From two threads on, the live data is the same however many they are.
enum { SERVER_SLOTS = 10000, SERVER_SLOTS_TOTAL = 20000, SERVER_GENERATIONS = 8 };

typedef struct {
    bench_slot_t *slots; // one region per thread
    size_t region_slots;
    unsigned generation;
} server_t;

static void work_server(bench_worker_t *worker)
{
    const server_t *server = worker->shared;
    // The region that another, ended thread filled in the last generation.
    size_t region = (worker->index + server->generation) % worker->run->threads;
    bench_slot_t *slots = server->slots + region * server->region_slots;
    worker->rng = bench_seed(worker->index + 1000 * server->generation);
    for (uint64_t i = bench_work(worker->run, 400000); i > 0; i--) {
        bench_slot_t *slot = &slots[bench_below(&worker->rng, server->region_slots)];
        bench_slot_clear(slot);
        bench_slot_fill(worker, slot, bench_size_by_powers(&worker->rng, 4, 12));
    }
}

typedef struct {
    bench_run_t *run;
    server_t *server;
} generation_t;

static void enter_generation(void *arg)
{
    generation_t *generation = arg;
    bench_in_threads(generation->run, work_server, generation->server);
}

// Always in new threads, also when there is only one at a time.
static void server_generation(bench_run_t *run, server_t *server)
{
    generation_t generation = {.run = run, .server = server};
    bench_start_t start = {.fn = enter_generation, .arg = &generation};
    bench_thread_start(&start);
    bench_thread_join(&start);
}

static void run_server(bench_run_t *run)
{
    size_t region = run->threads == 1 ? SERVER_SLOTS : SERVER_SLOTS_TOTAL / run->threads;
    size_t bytes = sizeof(bench_slot_t) * region * run->threads;
    server_t server = {.slots = bench_map(bytes), .region_slots = region};
    for (server.generation = 0; server.generation < SERVER_GENERATIONS; server.generation++)
        server_generation(run, &server);
    for (size_t i = 0; i < region * run->threads; i++)
        bench_slot_clear(&server.slots[i]);
    bench_unmap(server.slots, bytes);
}

// ---- batches that one thread fills and another one frees ----

enum { RING = 16, HANDED_MAX = 256 };

typedef struct {
    bench_slot_t slots[HANDED_MAX];
    size_t count;
} batch_t;

// A bounded queue of batches: copied in and out under the lock, blocks are made outside of it.
typedef struct {
    bench_gate_t gate;
    batch_t batches[RING]; // lock: gate
    size_t head;           // lock: gate
    size_t tail;           // lock: gate
} queue_t;

static void queue_put(queue_t *queue, const batch_t *batch)
{
    bench_gate_lock(&queue->gate);
    while (queue->tail - queue->head == RING)
        bench_gate_wait(&queue->gate);
    batch_t *place = &queue->batches[queue->tail++ % RING];
    memcpy(place->slots, batch->slots, batch->count * sizeof batch->slots[0]);
    place->count = batch->count;
    bench_gate_wake_all(&queue->gate);
    bench_gate_unlock(&queue->gate);
}

static void queue_take(queue_t *queue, batch_t *batch)
{
    bench_gate_lock(&queue->gate);
    while (queue->tail == queue->head)
        bench_gate_wait(&queue->gate);
    const batch_t *place = &queue->batches[queue->head++ % RING];
    memcpy(batch->slots, place->slots, place->count * sizeof batch->slots[0]);
    batch->count = place->count;
    bench_gate_wake_all(&queue->gate);
    bench_gate_unlock(&queue->gate);
}

static queue_t *queues_new(unsigned count)
{
    queue_t *queues = bench_map(sizeof(queue_t) * count);
    for (unsigned i = 0; i < count; i++)
        bench_gate_init(&queues[i].gate);
    return queues;
}

static void fill_batch(bench_worker_t *worker, batch_t *batch, size_t count, unsigned high_log2)
{
    batch->count = count;
    for (size_t i = 0; i < count; i++)
        bench_slot_fill(worker, &batch->slots[i], bench_size_by_powers(&worker->rng, 4, high_log2));
}

static void clear_batch(batch_t *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        bench_slot_clear(&batch->slots[i]);
}

enum { PRODCONS_BATCH = 256, PRODCONS_BATCHES = 30000 };

// Even threads produce for the odd thread after them; a lone thread does both in turn.
static void work_prodcons(bench_worker_t *worker)
{
    batch_t batch;
    queue_t *queue = (queue_t *)worker->shared + worker->index / 2;
    bool is_producer = worker->index % 2 == 0;
    bool is_alone = worker->index == (worker->run->threads - 1) && is_producer;
    for (uint64_t i = bench_work(worker->run, PRODCONS_BATCHES); i > 0; i--) {
        if (is_producer) {
            fill_batch(worker, &batch, PRODCONS_BATCH, 9);
            queue_put(queue, &batch);
        }
        if (!is_producer || is_alone) {
            queue_take(queue, &batch);
            clear_batch(&batch);
        }
    }
}

static void run_prodcons(bench_run_t *run)
{
    unsigned queue_count = (run->threads + 1) / 2;
    queue_t *queues = queues_new(queue_count);
    bench_in_threads(run, work_prodcons, queues);
    bench_unmap(queues, sizeof(queue_t) * queue_count);
}

// ---- threads that start, allocate a little, and end ----

enum { CHURN_THREADS = 3000, CHURN_BLOCKS = 200 };

typedef struct {
    bench_start_t start;
    bench_worker_t worker;
    bench_slot_t slots[CHURN_BLOCKS];
} visitor_t;

static void clear_slots(bench_slot_t *slots, size_t count, size_t step)
{
    for (size_t i = 0; i < count; i += step)
        bench_slot_clear(&slots[i]);
}

static void visit(void *arg)
{
    visitor_t *visitor = arg;
    for (size_t i = 0; i < CHURN_BLOCKS; i++)
        bench_slot_fill(&visitor->worker, &visitor->slots[i],
                        bench_size_by_powers(&visitor->worker.rng, 4, 11));
    clear_slots(visitor->slots, CHURN_BLOCKS, 2);
}

static void run_churn(bench_run_t *run)
{
    size_t bytes = sizeof(visitor_t) * run->threads;
    visitor_t *visitors = bench_map(bytes);
    uint64_t ops = 0;
    for (uint64_t round = bench_work(run, CHURN_THREADS); round > 0; round--) {
        for (unsigned i = 0; i < run->threads; i++) {
            // What the last visitor here left, freed after its end.
            clear_slots(visitors[i].slots, CHURN_BLOCKS, 1);
            visitors[i].worker = (bench_worker_t){.run = run, .rng = bench_seed(round * 64 + i)};
            visitors[i].start = (bench_start_t){.fn = visit, .arg = &visitors[i]};
            bench_thread_start(&visitors[i].start);
        }
        for (unsigned i = 0; i < run->threads; i++) {
            bench_thread_join(&visitors[i].start);
            ops += visitors[i].worker.ops;
        }
    }
    for (unsigned i = 0; i < run->threads; i++)
        clear_slots(visitors[i].slots, CHURN_BLOCKS, 1);
    atomic_fetch_add_explicit(&run->ops, ops, memory_order_relaxed);
    bench_unmap(visitors, bytes);
}

const bench_load_t bench_server_loads[] = {
    {"server", "random slots replaced by threads that end before their blocks", run_server},
    {"prodcons", "batches of 256 allocated by one thread and freed by another", run_prodcons},
    {"churn", "threads start, allocate, leave half of their blocks, end", run_churn},
    {0},
};
