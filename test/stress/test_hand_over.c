// SPDX-License-Identifier: MIT
// Threads that allocate, hand blocks to each other, free each other's blocks and end. Every block says
// what it is at both of its ends, so that one given out twice or handed on too early is noticed;
// after each test not one segment may be left.
#include "check.h"
#include "heap/heap.h"
#include "mimalloc.h"
#include "support/rng.h"
#include "support/stats.h"
#include "support/threads.h"

#define THREADS     4
#define SHARED      512
#define ROUNDS      6
#define OPS         6000
#define SMALL_MAX   ((size_t)2000)
#define MEDIUM_MAX  ((size_t)300 * 1024)
#define HUGE_MAX    ((size_t)40 * 1024 * 1024)
#define CHURN       800
#define CHURN_KEPT  5
#define PIPE_BLOCKS 20000
#define CHAIN       250
#define CHAIN_OPS   60

// ---- blocks that know themselves ----

typedef struct mark {
    size_t size;
    size_t check; // of the same type: padding would compare as it likes
} mark_t;

static _Atomic(unsigned) damaged;

static size_t check_of(const void *p, size_t size)
{
    return ((uintptr_t)p ^ size) * (size_t)0x9e3779b97f4a7c15u;
}

static void *sign(void *p, size_t size)
{
    mark_t mark = {size, check_of(p, size)};
    if (p == NULL) {
        mi_add_relaxed(&damaged, 1);
        return NULL;
    }
    memcpy((char *)p + size - sizeof mark, &mark, sizeof mark);
    memcpy(p, &mark, sizeof mark);
    return p;
}

static size_t verify(const void *p)
{
    mark_t first;
    mark_t last;
    memcpy(&first, p, sizeof first);
    if (first.check != check_of(p, first.size) || first.size < sizeof first) {
        mi_add_relaxed(&damaged, 1);
        return sizeof first;
    }
    memcpy(&last, (const char *)p + first.size - sizeof last, sizeof last);
    // Short blocks: the first mark lies over the second.
    if (first.size >= 2 * sizeof first && memcmp(&first, &last, sizeof first) != 0)
        mi_add_relaxed(&damaged, 1);
    return first.size;
}

static void release(void *p)
{
    if (p == NULL)
        return;
    (void)verify(p);
    mi_free(p);
}

static size_t some_size(rng_t *rng)
{
    size_t kind = rng_below(rng, 1000);
    size_t max = kind < 900 ? SMALL_MAX : kind < 998 ? MEDIUM_MAX : HUGE_MAX;
    return sizeof(mark_t) + rng_size(rng, max);
}

static int64_t segments_left(void)
{
    mi_collect(true);
    return mi_stat_process_current(MI_STAT_segments);
}

// ---- everybody frees everybody's blocks ----

static _Atomic(void *) shared[SHARED];
static _Atomic(uint64_t) next_seed;

static void put(rng_t *rng, void *p)
{
    release(atomic_exchange(&shared[rng_below(rng, SHARED)], p));
}

static void one_operation(rng_t *rng, mi_heap_t *heap)
{
    size_t size = some_size(rng);
    size_t kind = rng_below(rng, 100);
    void *p = atomic_exchange(&shared[rng_below(rng, SHARED)], NULL);
    if (kind < 50) {
        put(rng, sign(mi_malloc(size), size));
    } else if (kind < 60) {
        put(rng, sign(mi_heap_malloc(heap, size), size));
    } else if (kind < 70) {
        put(rng, sign(mi_malloc_aligned_at(size, (size_t)16 << rng_below(rng, 10), 16), size));
    } else if (kind < 80 && p != NULL) {
        (void)verify(p);
        p = sign(mi_realloc(p, size), size);
    } else if (kind == 99) {
        mi_collect(rng_below(rng, 8) == 0);
    }
    release(p);
}

static void work(void *arg)
{
    (void)arg;
    rng_t rng = rng_from_seed(mi_add_relaxed(&next_seed, 1));
    mi_heap_t *heap = mi_heap_new();
    for (int i = 0; i < OPS; i++) {
        one_operation(&rng, heap);
        if (i % 1000 == 999) {
            mi_heap_delete(heap);
            heap = mi_heap_new();
        }
    }
    // Half of the threads leave the heap to their end.
    if (rng_below(&rng, 2) == 0)
        mi_heap_delete(heap);
}

static void empty_shared(void)
{
    for (int i = 0; i < SHARED; i++)
        release(atomic_exchange(&shared[i], NULL));
}

TEST(threads_free_each_others_blocks_and_end)
{
    thread_t threads[THREADS];
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < THREADS; i++)
            thread_start(&threads[i], work, NULL);
        for (int i = 0; i < THREADS; i++)
            thread_join(&threads[i]);
    }
    empty_shared();
    CHECK_EQ(mi_load_relaxed(&damaged), 0);
    CHECK_EQ(segments_left(), 0);
    CHECK_EQ(mi_stat_process_current(MI_STAT_segments_abandoned), 0);
}

// ---- short threads ----

static void leave_some(void *arg)
{
    void **kept = arg;
    for (size_t i = 0; i < CHURN_KEPT; i++) {
        size_t size = 32 + i * 700;
        kept[i] = sign(mi_malloc(size), size);
        release(sign(mi_malloc(size + 100), size + 100));
    }
}

TEST(short_threads_leave_nothing_but_their_blocks)
{
    static void *kept[CHURN][CHURN_KEPT];
    thread_t threads[THREADS];
    for (int i = 0; i < CHURN; i += THREADS) {
        for (int j = 0; j < THREADS; j++)
            thread_start(&threads[j], leave_some, kept[i + j]);
        for (int j = 0; j < THREADS; j++)
            thread_join(&threads[j]);
    }
    // Each thread takes over what the ones before it have left; on Windows a thread may be joined
    // before its end is told, so that a few segments more are made on a crowded machine.
    CHECK(mi_stat_process_current(MI_STAT_segments) <= CHURN / 10);
    for (int i = 0; i < CHURN; i++)
        for (int j = 0; j < CHURN_KEPT; j++)
            release(kept[i][j]);
    CHECK_EQ(mi_load_relaxed(&damaged), 0);
    CHECK_EQ(segments_left(), 0);
}

// ---- small heaps that go from thread to thread ----

static _Atomic(unsigned) chains_left;

// Some begin with a free, some with an allocation, so that they get a heap in either way.
static void use_a_little(void *arg)
{
    (void)arg;
    rng_t rng = rng_from_seed(mi_add_relaxed(&next_seed, 1));
    for (size_t i = rng_below(&rng, 2); i < CHAIN_OPS; i++) {
        size_t size = sizeof(mark_t) + rng_size(&rng, SMALL_MAX);
        put(&rng, i % 2 == 0 ? NULL : sign(mi_malloc(size), size));
    }
}

static void run_chain(void *arg)
{
    (void)arg;
    for (int i = 0; i < CHAIN; i++)
        thread_run(use_a_little, NULL);
    mi_add_relaxed(&chains_left, (unsigned)-1);
}

// Takes waiting heaps apart while threads take them and free their blocks.
static void disturb(void *arg)
{
    (void)arg;
    rng_t rng = rng_from_seed(mi_add_relaxed(&next_seed, 1));
    while (mi_load_relaxed(&chains_left) != 0) {
        for (int i = 0; i < 20; i++)
            put(&rng, sign(mi_malloc(SMALL_MAX), SMALL_MAX));
        mi_collect(true);
        thread_yield();
    }
}

TEST(small_heaps_go_from_thread_to_thread)
{
    thread_t threads[THREADS];
    thread_t disturber;
    mi_store_relaxed(&chains_left, (unsigned)THREADS);
    for (int i = 0; i < THREADS; i++)
        thread_start(&threads[i], run_chain, NULL);
    thread_start(&disturber, disturb, NULL);
    for (int i = 0; i < THREADS; i++)
        thread_join(&threads[i]);
    thread_join(&disturber);
    empty_shared();
    CHECK_EQ(mi_load_relaxed(&damaged), 0);
    CHECK_EQ(segments_left(), 0);
    CHECK_EQ(mi_stat_process_current(MI_STAT_segments_abandoned), 0);
}

// ---- one makes, another frees ----

typedef struct queue {
    _Atomic(void *) slot[64];
} queue_t;

static void consume(void *arg)
{
    queue_t *queue = arg;
    for (int i = 0; i < PIPE_BLOCKS; i++) {
        void *p;
        while ((p = atomic_exchange(&queue->slot[i % 64], NULL)) == NULL)
            thread_yield();
        release(p);
    }
}

static void produce(void *arg)
{
    queue_t *queue = arg;
    rng_t rng = rng_from_seed(7);
    for (int i = 0; i < PIPE_BLOCKS; i++) {
        size_t size = sizeof(mark_t) + rng_size(&rng, 9000);
        void *p = sign(mi_malloc(size), size);
        void *none = NULL;
        while (!atomic_compare_exchange_weak(&queue->slot[i % 64], &none, p)) {
            none = NULL;
            thread_yield();
        }
    }
}

TEST(a_producers_memory_is_bounded_by_what_is_under_way)
{
    static queue_t queue;
    thread_t consumer;
    thread_start(&consumer, consume, &queue);
    thread_run(produce, &queue);
    thread_join(&consumer);
    CHECK_EQ(mi_load_relaxed(&damaged), 0);
    CHECK(mi_stat_process_peak(MI_STAT_segments) < 64);
    CHECK_EQ(segments_left(), 0);
}

// ---- looking at memory that others use ----

static bool count_block(const mi_heap_t *heap, const mi_heap_area_t *area, void *block,
                        size_t block_size, void *arg)
{
    size_t *bytes = arg;
    (void)heap;
    (void)area;
    if (block != NULL)
        *bytes += block_size;
    return true;
}

static void look(void *arg)
{
    rng_t rng = rng_from_seed(mi_add_relaxed(&next_seed, 1));
    (void)arg;
    for (int i = 0; i < 300; i++) {
        size_t bytes = 0;
        for (int j = 0; j < 20; j++)
            one_operation(&rng, mi_heap_get_backing());
        (void)mi_heap_visit_blocks(NULL, true, count_block, &bytes);
        (void)mi_abandoned_visit_blocks(mi_subproc_main(), -1, true, count_block, &bytes);
        void *p = shared[rng_below(&rng, SHARED)];
        if (p != NULL && !mi_is_in_heap_region(p))
            mi_add_relaxed(&damaged, 1);
    }
}

TEST(heaps_are_visited_while_others_free_into_them)
{
    thread_t threads[THREADS];
    mi_option_enable(mi_option_visit_abandoned);
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < THREADS; i++)
            thread_start(&threads[i], look, NULL);
        for (int i = 0; i < THREADS; i++)
            thread_join(&threads[i]);
    }
    empty_shared();
    CHECK_EQ(mi_load_relaxed(&damaged), 0);
    CHECK_EQ(segments_left(), 0);
    CHECK_EQ(mi_stat_process_current(MI_STAT_segments_abandoned), 0);
}

TEST_MAIN(RUN(threads_free_each_others_blocks_and_end)
              RUN(short_threads_leave_nothing_but_their_blocks)
                  RUN(small_heaps_go_from_thread_to_thread)
                      RUN(a_producers_memory_is_bounded_by_what_is_under_way)
                          RUN(heaps_are_visited_while_others_free_into_them))
