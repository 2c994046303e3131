// SPDX-License-Identifier: MIT
// Loads in which blocks are freed by another thread than the one that allocated them, or outlive it.
#include "bench.h"

#include <string.h>

// ---- places instead of blocks ----

// The loads whose threads cost much by themselves also run without any allocator, to know how much:
// each slot has a place of its own, which is written to as a block is. A place is as large as the
// load's mean block, so that all of them take as much memory.
typedef struct {
    char *start; // NULL: blocks instead
    size_t size; // of each
} places_t;

static places_t map_places(size_t count, size_t size)
{
    return (places_t){bench_map(count * size), size};
}

static void unmap_places(const places_t *places, size_t count)
{
    if (places->start != NULL)
        bench_unmap(places->start, count * places->size);
}

static inline void fill(bench_worker_t *worker, bench_slot_t *slot, size_t size,
                        const places_t *places, size_t at)
{
    if (places->start == NULL) {
        bench_slot_fill(worker, slot, size);
        return;
    }
    slot->size = size < places->size ? size : places->size;
    slot->block = places->start + at * places->size;
    bench_stamp(slot->block, slot->size);
    worker->ops++;
}

static inline void clear(bench_slot_t *slot, const places_t *places)
{
    if (places->start == NULL) {
        bench_slot_clear(slot);
        return;
    }
    if (slot->block != NULL)
        bench_verify(slot->block, slot->size);
    slot->block = NULL;
}

// ---- server: slots replaced at random by threads that come and go ----

// From two threads on, the live data is the same however many they are.
enum { SERVER_PLACE = 768 };
enum { SERVER_SLOTS = 10000, SERVER_SLOTS_TOTAL = 20000, SERVER_GENERATIONS = 8 };

typedef struct {
    bench_slot_t *slots; // one region per thread
    places_t places;     // one for each slot
    size_t region_slots;
    unsigned generation;
} server_t;

static void work_server(bench_worker_t *worker)
{
    const server_t *server = worker->shared;
    // The region that another, ended thread filled in the last generation.
    size_t region = (worker->index + server->generation) % worker->run->threads;
    size_t first = region * server->region_slots;
    worker->rng = bench_seed(worker->index + 1000 * server->generation);
    for (uint64_t i = bench_work(worker->run, 400000); i > 0; i--) {
        size_t at = first + bench_below(&worker->rng, server->region_slots);
        bench_slot_t *slot = &server->slots[at];
        clear(slot, &server->places);
        fill(worker, slot, bench_size_by_powers(&worker->rng, 4, 12), &server->places, at);
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

static void serve(bench_run_t *run, bool in_places)
{
    size_t region = run->threads == 1 ? SERVER_SLOTS : SERVER_SLOTS_TOTAL / run->threads;
    size_t count = region * run->threads;
    size_t bytes = sizeof(bench_slot_t) * count;
    server_t server = {.slots = bench_map(bytes), .region_slots = region};
    if (in_places)
        server.places = map_places(count, SERVER_PLACE);
    for (server.generation = 0; server.generation < SERVER_GENERATIONS; server.generation++)
        server_generation(run, &server);
    for (size_t i = 0; i < count; i++)
        clear(&server.slots[i], &server.places);
    unmap_places(&server.places, count);
    bench_unmap(server.slots, bytes);
}

static void run_server(bench_run_t *run)
{
    serve(run, false);
}

static void run_server_bare(bench_run_t *run)
{
    serve(run, true);
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

enum { PRODCONS_PLACE = 152 };
enum { PRODCONS_BATCH = 256, PRODCONS_BATCHES = 30000 };

// Batches that may be in use at a time: in the ring, in the producer's hands and in the consumer's.
enum { PRODCONS_PLACES = (RING + 2) * PRODCONS_BATCH };

typedef struct {
    queue_t *queues;
    places_t places; // PRODCONS_PLACES for each queue
} prodcons_t;

// at: the batch's first place.
static void fill_batch(bench_worker_t *worker, batch_t *batch, const places_t *places, size_t at)
{
    batch->count = PRODCONS_BATCH;
    for (size_t i = 0; i < batch->count; i++)
        fill(worker, &batch->slots[i], bench_size_by_powers(&worker->rng, 4, 9), places, at + i);
}

static void clear_batch(batch_t *batch, const places_t *places)
{
    for (size_t i = 0; i < batch->count; i++)
        clear(&batch->slots[i], places);
}

static size_t first_place(size_t queue, uint64_t batch)
{
    return queue * PRODCONS_PLACES + (size_t)(batch % (RING + 2)) * PRODCONS_BATCH;
}

// Even threads produce for the odd thread after them; a lone thread does both in turn.
static void work_prodcons(bench_worker_t *worker)
{
    batch_t batch;
    const prodcons_t *shared = worker->shared;
    queue_t *queue = &shared->queues[worker->index / 2];
    bool is_producer = worker->index % 2 == 0;
    bool is_alone = worker->index == (worker->run->threads - 1) && is_producer;
    for (uint64_t i = bench_work(worker->run, PRODCONS_BATCHES); i > 0; i--) {
        if (is_producer) {
            fill_batch(worker, &batch, &shared->places, first_place(worker->index / 2, i));
            queue_put(queue, &batch);
        }
        if (!is_producer || is_alone) {
            queue_take(queue, &batch);
            clear_batch(&batch, &shared->places);
        }
    }
}

static void produce_and_consume(bench_run_t *run, bool in_places)
{
    unsigned queue_count = (run->threads + 1) / 2;
    size_t place_count = (size_t)PRODCONS_PLACES * queue_count;
    prodcons_t shared = {.queues = queues_new(queue_count)};
    if (in_places)
        shared.places = map_places(place_count, PRODCONS_PLACE);
    bench_in_threads(run, work_prodcons, &shared);
    unmap_places(&shared.places, place_count);
    bench_unmap(shared.queues, sizeof(queue_t) * queue_count);
}

static void run_prodcons(bench_run_t *run)
{
    produce_and_consume(run, false);
}

static void run_prodcons_bare(bench_run_t *run)
{
    produce_and_consume(run, true);
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
    {"server-bare", "the server's threads and accesses without any allocator", run_server_bare},
    {"prodcons-bare", "the same of prodcons", run_prodcons_bare},
    {"churn", "threads start, allocate, leave half of their blocks, end", run_churn},
    {0},
};
