// SPDX-License-Identifier: MIT
// The model's record of one live block, and what must be true of it.
#pragma once

#include "heap/heap.h"
#include "support/rng.h"

typedef struct live {
    unsigned char *p; // NULL: no block
    size_t size;      // as asked for
    size_t usable;
    uint64_t seed;   // of its content
    mi_heap_t *heap; // the heap that must destroy it; NULL: none
    bool is_zeroed;  // made by a function that zeroes, and only grown by such ones
} live_t;

typedef struct request {
    const char *name; // of the function, for reports
    size_t size;
    size_t alignment;
    size_t offset;
    bool zero;
} request_t;

// Each ends the program with a message when the model and the allocator disagree.

// A new block p, as an answer to the request: aligned, large enough, no overlap, zeroed if asked.
void live_enter(live_t *live, void *p, const request_t *request, uint64_t seed);
// The block is about to be given back: its content is what it was.
void live_leave(live_t *live);
// A reallocation to p: the common part of the content is kept, and what came new is zero if asked.
// Called after live_before_move, since the old block is gone by now.
void live_before_move(live_t *live);
void live_after_move(live_t *live, void *p, const request_t *request, uint64_t seed);
// Reports what went wrong, and where to begin looking.
_Noreturn void live_fail(const char *what, const char *name, const live_t *live);
// Printed by live_fail.
void live_set_seed(uint64_t seed);
