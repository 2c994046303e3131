// SPDX-License-Identifier: MIT
// Every way to get, change and give back a block, and what happens to heaps and threads meanwhile.
#include "operations.h"

#include <stdlib.h>

#define SIZE_USUAL   ((size_t)3000)
#define SIZE_LARGE   ((size_t)600 * 1024)
#define SIZE_MAX_ASK ((size_t)64 * 1024 * 1024)
#define BYTES_MAX    ((size_t)96 * 1024 * 1024)
#define ALIGN_BITS   20
#define BETWEEN      128
#define VALID_EVERY  4000

// Blocks on their way from one worker to another.
static _Atomic(live_t *) between[BETWEEN];

// ---- sizes ----

static size_t some_size(worker_t *worker)
{
    size_t kind = rng_below(&worker->rng, 4000);
    size_t max = kind < 3840 ? SIZE_USUAL : kind < 3999 ? SIZE_LARGE : SIZE_MAX_ASK;
    return rng_size(&worker->rng, max);
}

static request_t some_request(worker_t *worker)
{
    request_t request = {.size = some_size(worker), .alignment = 1};
    return request;
}

static void add_alignment(worker_t *worker, request_t *request)
{
    size_t bits = rng_below(&worker->rng, 16) == 0 ? ALIGN_BITS : 12;
    request->alignment = (size_t)1 << rng_below(&worker->rng, bits + 1);
}

static void add_offset(worker_t *worker, request_t *request)
{
    request->offset = rng_below(&worker->rng, 2) == 0 ? 8 : rng_size(&worker->rng, 100000);
}

// ---- getting ----

typedef enum form {
    FORM_MALLOC,
    FORM_SMALL,
    FORM_ZALLOC,
    FORM_CALLOC,
    FORM_MALLOCN,
    FORM_ALIGNED,
    FORM_ALIGNED_AT,
    FORM_ZALLOC_ALIGNED,
    FORM_ZALLOC_ALIGNED_AT,
    FORM_CALLOC_ALIGNED_AT,
    FORM_POSIX,
    FORM_UMALLOC,
    FORMS
} form_t;

static void *posix(const request_t *request)
{
    void *p = NULL;
    return mi_posix_memalign(&p, request->alignment, request->size) == 0 ? p : NULL;
}

static void *get(form_t form, request_t *request)
{
    size_t size = request->size;
    size_t usable;
    switch (form) {
    case FORM_SMALL:
        return request->zero ? mi_zalloc_small(size) : mi_malloc_small(size);
    case FORM_ZALLOC:
        return mi_zalloc(size);
    case FORM_CALLOC:
        return size % 3 == 0 ? mi_calloc(3, size / 3) : mi_calloc(size, 1);
    case FORM_MALLOCN:
        return mi_mallocn(1, size);
    case FORM_ALIGNED:
        return mi_malloc_aligned(size, request->alignment);
    case FORM_ALIGNED_AT:
        return mi_malloc_aligned_at(size, request->alignment, request->offset);
    case FORM_ZALLOC_ALIGNED:
        return mi_zalloc_aligned(size, request->alignment);
    case FORM_ZALLOC_ALIGNED_AT:
        return mi_zalloc_aligned_at(size, request->alignment, request->offset);
    case FORM_CALLOC_ALIGNED_AT:
        return mi_calloc_aligned_at(1, size, request->alignment, request->offset);
    case FORM_POSIX:
        return posix(request);
    case FORM_UMALLOC:
        return mi_umalloc(size, &usable);
    default:
        return mi_malloc(size);
    }
}

static void *get_in_heap(mi_heap_t *heap, form_t form, request_t *request)
{
    size_t size = request->size;
    switch (form) {
    case FORM_SMALL:
        return request->zero ? mi_heap_zalloc_small(heap, size) : mi_heap_malloc_small(heap, size);
    case FORM_ZALLOC:
        return mi_heap_zalloc(heap, size);
    case FORM_CALLOC:
        return mi_heap_calloc(heap, 1, size);
    case FORM_MALLOCN:
        return mi_heap_mallocn(heap, 1, size);
    case FORM_ALIGNED:
        return mi_heap_malloc_aligned(heap, size, request->alignment);
    case FORM_ALIGNED_AT:
        return mi_heap_malloc_aligned_at(heap, size, request->alignment, request->offset);
    case FORM_ZALLOC_ALIGNED:
        return mi_heap_zalloc_aligned(heap, size, request->alignment);
    case FORM_ZALLOC_ALIGNED_AT:
        return mi_heap_zalloc_aligned_at(heap, size, request->alignment, request->offset);
    case FORM_CALLOC_ALIGNED_AT:
        return mi_heap_calloc_aligned_at(heap, size, 1, request->alignment, request->offset);
    case FORM_POSIX:
        request->alignment = 1;
        return mi_heap_malloc(heap, size);
    default:
        return mi_heap_malloc(heap, size);
    }
}

static void shape(worker_t *worker, form_t form, request_t *request)
{
    if (form == FORM_SMALL) {
        request->size %= MI_SMALL_SIZE_MAX + 1;
        request->zero = request->size % 2 == 0;
    }
    if (form >= FORM_ALIGNED && form <= FORM_POSIX)
        add_alignment(worker, request);
    if (form == FORM_ALIGNED_AT || form == FORM_ZALLOC_ALIGNED_AT || form == FORM_CALLOC_ALIGNED_AT)
        add_offset(worker, request);
    if (form == FORM_POSIX)
        request->alignment = mi_max(request->alignment, sizeof(void *));
    if (form == FORM_ZALLOC || form == FORM_CALLOC || form == FORM_ZALLOC_ALIGNED ||
        form == FORM_ZALLOC_ALIGNED_AT || form == FORM_CALLOC_ALIGNED_AT)
        request->zero = true;
}

static void allocate(worker_t *worker, live_t *live)
{
    static const char *const names[FORMS] = {"malloc",
                                             "small",
                                             "zalloc",
                                             "calloc",
                                             "mallocn",
                                             "aligned",
                                             "aligned_at",
                                             "zalloc_aligned",
                                             "zalloc_aligned_at",
                                             "calloc_aligned_at",
                                             "posix_memalign",
                                             "umalloc"};
    request_t request = some_request(worker);
    form_t form = (form_t)rng_below(&worker->rng, FORMS);
    mi_heap_t *heap = NULL;
    size_t which = rng_below(&worker->rng, 8);
    if (rng_below(&worker->rng, 2) == 0)
        form = FORM_MALLOC;
    if (which < WORKER_HEAPS)
        heap = worker->heaps[which];
    request.name = names[form];
    shape(worker, form, &request);
    void *p = heap == NULL ? get(form, &request) : get_in_heap(heap, form, &request);
    live_enter(live, p, &request, rng_next(&worker->rng));
    live->heap = which == 1 ? heap : NULL;
    worker->bytes += live->size;
}

static void give_back(worker_t *worker, live_t *live)
{
    worker->bytes -= live->size;
    live_leave(live);
    mi_free(live->p);
    live->p = NULL;
}

// ---- changing ----

static void *resize(worker_t *worker, live_t *live, request_t *request)
{
    size_t size = request->size;
    size_t kind = rng_below(&worker->rng, 8);
    request->zero = live->is_zeroed && kind >= 4;
    if (kind % 4 >= 2)
        add_alignment(worker, request);
    if (kind % 4 == 3)
        add_offset(worker, request);
    switch (request->zero ? kind : kind % 4) {
    case 0:
        return mi_realloc(live->p, size);
    case 1:
        return mi_reallocn(live->p, 1, size);
    case 2:
        return mi_realloc_aligned(live->p, size, request->alignment);
    case 3:
        return mi_realloc_aligned_at(live->p, size, request->alignment, request->offset);
    case 4:
        return mi_rezalloc(live->p, size);
    case 5:
        return mi_recalloc(live->p, size, 1);
    case 6:
        return mi_rezalloc_aligned(live->p, size, request->alignment);
    default:
        return mi_recalloc_aligned_at(live->p, 1, size, request->alignment, request->offset);
    }
}

static void reallocate(worker_t *worker, live_t *live)
{
    request_t request = some_request(worker);
    request.name = "realloc";
    // Often by a little, so that the block may stay.
    if (rng_below(&worker->rng, 2) == 0)
        request.size = live->size - live->size / 8 + rng_below(&worker->rng, live->size / 4 + 1);
    worker->bytes -= live->size;
    live_before_move(live);
    void *p = resize(worker, live, &request);
    live_after_move(live, p, &request, rng_next(&worker->rng));
    worker->bytes += live->size;
}

// The slot's block for one that another worker has put there.
static void exchange(worker_t *worker, live_t *live)
{
    if (live->heap != NULL)
        return; // it may be destroyed at any time
    live_t *out = malloc(sizeof *out);
    if (out == NULL)
        abort();
    *out = *live;
    worker->bytes -= live->p == NULL ? 0 : live->size;
    // acq_rel: the block goes with its record.
    live_t *in = mi_exchange_acq_rel(&between[rng_below(&worker->rng, BETWEEN)], out);
    live->p = NULL;
    if (in == NULL)
        return;
    *live = *in;
    free(in);
    worker->bytes += live->p == NULL ? 0 : live->size;
}

// ---- heaps ----

static void renew_heap(worker_t *worker)
{
    size_t which = rng_below(&worker->rng, WORKER_HEAPS);
    mi_heap_t *heap = worker->heaps[which];
    if (which == 0) {
        mi_heap_delete(heap);
    } else {
        for (size_t i = 0; i < WORKER_SLOTS; i++) {
            live_t *live = &worker->slots[i];
            if (live->p == NULL || live->heap != heap)
                continue;
            worker->bytes -= live->size;
            live_leave(live);
            live->p = NULL;
        }
        mi_heap_destroy(heap);
    }
    worker->heaps[which] = mi_heap_new();
}

static void change_default(worker_t *worker)
{
    bool to_own = rng_below(&worker->rng, 2) == 0;
    (void)mi_heap_set_default(to_own ? worker->heaps[0] : mi_heap_get_backing());
}

// ---- validity ----

static void check_page(mi_page_t *page, void *arg)
{
    live_t none = {.p = mi_page_start(page), .size = mi_page_block_size(page)};
    (void)arg;
    if (!mi_page_is_valid(page))
        live_fail("page is not valid", "walk", &none);
}

static void check_thread(void)
{
    mi_segments_t *segments = &mi_heap_get_backing()->front.thread->segments;
    mi_segment_t *segment = segments->first;
    for (size_t i = 0; i < segments->count; i++, segment = segment->next) {
        live_t none = {.p = (unsigned char *)segment, .size = segment->size};
        if (segment->list != segments || !mi_segment_is_valid(segment))
            live_fail("segment is not valid", "walk", &none);
        mi_segment_visit_pages(segment, check_page, NULL);
    }
}

// ---- the worker ----

static void rare_operation(worker_t *worker)
{
    size_t kind = rng_below(&worker->rng, 40);
    if (kind < 20)
        renew_heap(worker);
    else if (kind < 30)
        change_default(worker);
    else
        mi_collect(kind >= 37);
}

static void operate(worker_t *worker)
{
    live_t *live = &worker->slots[rng_below(&worker->rng, WORKER_SLOTS)];
    size_t kind = rng_below(&worker->rng, 1000);
    if (kind == 0)
        rare_operation(worker);
    else if (kind < 120)
        exchange(worker, live);
    else if (live->p == NULL && worker->bytes < BYTES_MAX)
        allocate(worker, live);
    else if (live->p != NULL && kind < 300 && worker->bytes < BYTES_MAX)
        reallocate(worker, live);
    else if (live->p != NULL)
        give_back(worker, live);
}

void worker_init(worker_t *worker, uint64_t seed, uint64_t operations, uint64_t life)
{
    worker->rng = rng_from_seed(seed);
    worker->operations = life;
    worker->lives = operations < life ? 1 : operations / life;
}

void worker_run(worker_t *worker)
{
    for (size_t i = 0; i < WORKER_HEAPS; i++)
        worker->heaps[i] = mi_heap_new();
    for (uint64_t i = 0; i < worker->operations; i++) {
        operate(worker);
        if (i % VALID_EVERY == 0)
            check_thread();
    }
    check_thread();
    worker->done += worker->operations;
    // The heaps end with the thread; their blocks live on.
    for (size_t i = 0; i < WORKER_SLOTS; i++)
        worker->slots[i].heap = NULL;
}

void worker_free_all(worker_t *worker)
{
    for (size_t i = 0; i < WORKER_SLOTS; i++)
        if (worker->slots[i].p != NULL)
            give_back(worker, &worker->slots[i]);
    for (size_t i = 0; i < BETWEEN; i++) {
        live_t *live = mi_exchange_acq_rel(&between[i], NULL);
        if (live != NULL && live->p != NULL) {
            worker->bytes += live->size;
            give_back(worker, live);
        }
        free(live);
    }
}
