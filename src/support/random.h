// SPDX-License-Identifier: MIT
// Random numbers for free-list keys, shuffling and sampling: one stream per heap, so no locks.
// A stream seeds itself at first use, from the system where that is possible: not while DLLs start.
#pragma once

#include "base/bits.h"

// All zero is a valid, not yet seeded stream.
typedef struct mi_random {
    uint32_t state[16];           // owner: constants, key, counter, nonce
    uint32_t output[16];          // owner: the numbers not yet given out, at the end
    uint32_t left;                // owner: how many
    uint32_t blocks_until_reseed; // owner: a stream with a weak seed asks the system again
} mi_random_t;

// The next number, uniform over all values.
uint64_t mi_random_next(mi_random_t *random);
// The next number that is not 0, for keys.
uintptr_t mi_random_key(mi_random_t *random);
// Uniform in 0 .. bound - 1 but for a bias below 2^-32; bound > 0.
uint32_t mi_random_below(mi_random_t *random, uint32_t bound);
// Makes the stream repeatable: the same seed gives the same numbers. For guarded sampling and tests.
void mi_random_seed(mi_random_t *random, uint64_t seed);
