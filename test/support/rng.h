// SPDX-License-Identifier: MIT
// Random numbers for tests: a small generator that repeats from its seed, so that a failure does too.
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct rng {
    uint64_t state;
} rng_t;

rng_t rng_from_seed(uint64_t seed);
uint64_t rng_next(rng_t *rng);
// 0 .. bound - 1; bound is not 0.
size_t rng_below(rng_t *rng, size_t bound);
// A size from 0 to max: each number of bits is as likely as any other, so that small ones prevail.
size_t rng_size(rng_t *rng, size_t max);
