// SPDX-License-Identifier: MIT
// The ChaCha20 block function as a stream of numbers (RFC 8439 describes it; 20 rounds, 64-bit
// counter). Not for secrets of the program, only to make our own layout hard to guess.
#include "support/random.h"

#include "os/os.h"
#include "os/os_tls.h"

#define DOUBLE_ROUNDS 10
#define COUNTER       12 // words 12 and 13
#define NONCE         14 // words 14 and 15
// A stream that had to start from clock and addresses asks the system again after so many blocks.
#define WEAK_BLOCKS 16

static uint32_t rotate(uint32_t x, unsigned by)
{
    return (x << by) | (x >> (32 - by));
}

static void quarter_round(uint32_t *x, size_t a, size_t b, size_t c, size_t d)
{
    x[a] += x[b];
    x[d] = rotate(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = rotate(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = rotate(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = rotate(x[b] ^ x[c], 7);
}

static void make_block(mi_random_t *random)
{
    uint32_t *x = random->output;
    for (size_t i = 0; i < 16; i++)
        x[i] = random->state[i];
    for (unsigned round = 0; round < DOUBLE_ROUNDS; round++) {
        for (size_t i = 0; i < 4; i++)
            quarter_round(x, i, 4 + i, 8 + i, 12 + i);
        for (size_t i = 0; i < 4; i++)
            quarter_round(x, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
    }
    for (size_t i = 0; i < 16; i++)
        x[i] += random->state[i];
    random->left = 16;
    if (++random->state[COUNTER] == 0)
        random->state[COUNTER + 1]++;
}

static void start(mi_random_t *random, const uint32_t key[8], uint64_t nonce)
{
    static const uint32_t constants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    for (size_t i = 0; i < 4; i++)
        random->state[i] = constants[i];
    for (size_t i = 0; i < 8; i++)
        random->state[4 + i] = key[i];
    random->state[COUNTER] = random->state[COUNTER + 1] = 0;
    random->state[NONCE] = (uint32_t)nonce;
    random->state[NONCE + 1] = (uint32_t)(nonce >> 32);
    random->left = 0;
}

// A strong mixer of 64 bits: two multiplications by odd constants with shifts between.
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
    x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
    return x ^ (x >> 32);
}

// Where the system's generator may not be called yet: what differs between runs and threads.
static void weak_key(const mi_random_t *random, uint32_t key[8])
{
    uint64_t x = mi_os_clock_us() ^ mix((uintptr_t)random) ^ mix((uintptr_t)&weak_key);
    for (size_t i = 0; i < 8; i++) {
        x = mix(x + mi_os_thread_key() + mi_os_cycles());
        key[i] = (uint32_t)x;
    }
}

static void seed_from_system(mi_random_t *random)
{
    uint32_t key[8];
    bool is_strong = mi_os_random(key, sizeof key);
    if (!is_strong)
        weak_key(random, key);
    start(random, key, (uintptr_t)random);
    random->blocks_until_reseed = is_strong ? 0 : WEAK_BLOCKS;
}

static void refill(mi_random_t *random)
{
    if (random->state[0] == 0)
        seed_from_system(random);
    else if (random->blocks_until_reseed != 0 && --random->blocks_until_reseed == 0)
        seed_from_system(random);
    make_block(random);
}

static uint32_t next_word(mi_random_t *random)
{
    if (random->left == 0)
        refill(random);
    uint32_t word = random->output[16 - random->left];
    // Numbers given out are not kept.
    random->output[16 - random->left] = 0;
    random->left--;
    return word;
}

uint64_t mi_random_next(mi_random_t *random)
{
    uint64_t high = next_word(random);
    return high << 32 | next_word(random);
}

uintptr_t mi_random_key(mi_random_t *random)
{
    uintptr_t key;
    do {
        key = (uintptr_t)mi_random_next(random);
    } while (key == 0);
    return key;
}

uint32_t mi_random_below(mi_random_t *random, uint32_t bound)
{
    uint64_t wide = mi_random_next(random) >> 32;
    return (uint32_t)((wide * bound) >> 32);
}

void mi_random_seed(mi_random_t *random, uint64_t seed)
{
    uint32_t key[8];
    for (size_t i = 0; i < 8; i++) {
        seed = mix(seed + 0x9e3779b97f4a7c15u);
        key[i] = (uint32_t)seed;
    }
    start(random, key, 0);
    random->blocks_until_reseed = 0;
}
