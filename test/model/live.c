// SPDX-License-Identifier: MIT
// Content is a function of the block's seed and the offset, so that the record needs no copy. Short
// blocks are filled, of long ones the ends and a word in every OS page.
#include "live.h"

#include "support/shadow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENDS        ((size_t)256)
#define FILL_MAX    ((size_t)4096)
#define STRIDE      ((size_t)4096)
#define STRIDE_HUGE ((size_t)64 * 1024)
#define HUGE        ((size_t)1024 * 1024)

static uint64_t model_seed;

void live_set_seed(uint64_t seed)
{
    model_seed = seed;
}

void live_fail(const char *what, const char *name, const live_t *live)
{
    fprintf(stderr, "model: seed %llu: %s: %s: block %p, size %zu, usable %zu\n",
            (unsigned long long)model_seed, name, what, (void *)live->p, live->size, live->usable);
    fflush(stderr);
    abort();
}

// ---- content ----

// Eight bytes at a time: a sanitizer looks at each access.
static uint64_t word_at(uint64_t seed, size_t offset)
{
    return seed + offset / 8 * UINT64_C(0x0907050301080604);
}

static unsigned char byte_at(uint64_t seed, size_t offset)
{
    return (unsigned char)(word_at(seed, offset) >> (offset % 8 * 8));
}

static void fill_range(const live_t *live, size_t from, size_t to)
{
    size_t i = from;
    for (; i + 8 <= to; i += 8) {
        uint64_t word = word_at(live->seed, i);
        memcpy(live->p + i, &word, sizeof word);
    }
    for (; i < to; i++)
        live->p[i] = byte_at(live->seed, i);
}

static bool is_filled(const live_t *live, size_t from, size_t to)
{
    size_t i = from;
    for (; i + 8 <= to; i += 8) {
        uint64_t word;
        memcpy(&word, live->p + i, sizeof word);
        if (word != word_at(live->seed, i))
            return false;
    }
    for (; i < to; i++)
        if (live->p[i] != byte_at(live->seed, i))
            return false;
    return true;
}

static size_t stride_of(size_t size)
{
    return size > HUGE ? STRIDE_HUGE : STRIDE;
}

// Where the last part of a long block's content begins, at a word.
static size_t end_of(const live_t *live)
{
    return mi_align_down(live->size - ENDS, 8);
}

static void fill(const live_t *live)
{
    if (live->size <= FILL_MAX) {
        fill_range(live, 0, live->size);
        return;
    }
    fill_range(live, 0, ENDS);
    for (size_t i = STRIDE; i < end_of(live); i += stride_of(live->size))
        fill_range(live, i, i + 1);
    fill_range(live, end_of(live), live->size);
}

// Whether the first kept bytes of what fill wrote for live->size are there.
static bool is_content(const live_t *live, size_t kept)
{
    if (live->size <= FILL_MAX)
        return is_filled(live, 0, kept);
    if (!is_filled(live, 0, mi_min(ENDS, kept)))
        return false;
    for (size_t i = STRIDE; i < end_of(live) && i < kept; i += stride_of(live->size))
        if (!is_filled(live, i, i + 1))
            return false;
    return kept < live->size || is_filled(live, end_of(live), live->size);
}

static bool is_zero(const live_t *live, size_t from, size_t to)
{
    size_t step = to - from > 16 * FILL_MAX ? 509 : 8;
    size_t i = from;
    if (from >= to)
        return true;
    for (; i + 8 <= to; i += step) {
        uint64_t word;
        memcpy(&word, live->p + i, sizeof word);
        if (word != 0)
            return false;
    }
    for (i = to - mi_min(to - from, 8); i < to; i++)
        if (live->p[i] != 0)
            return false;
    return true;
}

// ---- one block ----

static void check_shape(live_t *live, const request_t *request)
{
    if (live->p == NULL)
        live_fail("no memory", request->name, live);
    if (((uintptr_t)live->p + request->offset) % request->alignment != 0)
        live_fail("not aligned", request->name, live);
    live->usable = mi_usable_size(live->p);
    if (live->usable < live->size)
        live_fail("too small", request->name, live);
    if (!shadow_enter(live->p, live->usable))
        live_fail("overlaps another block", request->name, live);
}

void live_enter(live_t *live, void *p, const request_t *request, uint64_t seed)
{
    *live = (live_t){.p = p, .size = request->size, .seed = seed, .is_zeroed = request->zero};
    check_shape(live, request);
    if (request->zero && !is_zero(live, 0, live->size))
        live_fail("not zero", request->name, live);
    fill(live);
}

void live_leave(live_t *live)
{
    if (mi_usable_size(live->p) != live->usable)
        live_fail("usable size has changed", "free", live);
    if (!is_content(live, live->size))
        live_fail("content has changed", "free", live);
    if (!shadow_leave(live->p, live->usable))
        live_fail("was not in the record", "free", live);
}

void live_before_move(live_t *live)
{
    live_leave(live);
}

void live_after_move(live_t *live, void *p, const request_t *request, uint64_t seed)
{
    live_t before = *live;
    live->p = p;
    live->size = request->size;
    check_shape(live, request);
    live_t kept = {.p = live->p, .size = before.size, .seed = before.seed};
    if (!is_content(&kept, mi_min(before.size, live->size)))
        live_fail("content was not kept", request->name, live);
    if (request->zero && !is_zero(live, before.size, live->size))
        live_fail("what it grew by is not zero", request->name, live);
    live->is_zeroed = request->zero;
    if (live->p != before.p)
        live->heap = NULL;
    live->seed = seed;
    fill(live);
}
