// SPDX-License-Identifier: MIT
// A counter through a mixer of 64 bits.
#include "support/rng.h"

rng_t rng_from_seed(uint64_t seed)
{
    return (rng_t){seed * 0x9e3779b97f4a7c15u + 0x632be59bd9b4e019u};
}

uint64_t rng_next(rng_t *rng)
{
    uint64_t x = rng->state += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

size_t rng_below(rng_t *rng, size_t bound)
{
    return (size_t)(rng_next(rng) % bound);
}

size_t rng_size(rng_t *rng, size_t max)
{
    size_t limit = 1;
    size_t bits = 0;
    for (size_t rest = max; rest > 1; rest >>= 1)
        bits++;
    limit <<= rng_below(rng, bits + 1);
    size_t size = limit / 2 + rng_below(rng, limit);
    return size <= max ? size : max;
}
