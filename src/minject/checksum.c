// SPDX-License-Identifier: MIT
// Two sums over a whole file: the PE header's checksum, and the hash that a record keeps of the
// original file so that --remove can tell whether it gives back what once was. The hash only has to
// notice accidents; it is fast, not secret, and its values are part of the file format.
#include "minject/minject.h"

#include <string.h>

static uint32_t fold(uint64_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)sum;
}

static uint64_t load(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

// Adds with the carry going round: what 64 bits lose comes back as 1, as in the sum's own arithmetic.
static uint64_t add_round(uint64_t sum, uint64_t word)
{
    sum += word;
    return sum + (sum < word);
}

// A ones' complement sum may be taken in any width: 8 bytes at a time give the same as 2. Four sums, as
// one would wait for its own carry.
static uint64_t sum_words(const uint8_t *bytes, size_t count)
{
    uint64_t sums[4] = {0};
    size_t i = 0;
    for (; count - i >= 4; i += 4) {
        sums[0] = add_round(sums[0], load(bytes + 8 * i));
        sums[1] = add_round(sums[1], load(bytes + 8 * i + 8));
        sums[2] = add_round(sums[2], load(bytes + 8 * i + 16));
        sums[3] = add_round(sums[3], load(bytes + 8 * i + 24));
    }
    for (; i < count; i++)
        sums[0] = add_round(sums[0], load(bytes + 8 * i));
    // Folded, so that the caller can add many without a thought of carries.
    return (uint64_t)fold(sums[0]) + fold(sums[1]) + fold(sums[2]) + fold(sums[3]);
}

uint64_t mj_sum(const uint8_t *bytes, size_t size, size_t off)
{
    uint64_t sum = 0;
    size_t i = 0;
    if ((off & 1) != 0 && size != 0)
        sum += (uint64_t)bytes[i++] << 8;
    sum += sum_words(bytes + i, (size - i) / 8);
    for (i += (size - i) / 8 * 8; i < size; i++)
        sum += (uint64_t)bytes[i] << (8 * ((off + i) & 1));
    return sum;
}

uint32_t mj_sum_end(uint64_t sum, uint32_t size)
{
    return fold(sum) + size;
}

uint32_t mj_pe_checksum(const uint8_t *bytes, uint32_t size, uint32_t checksum_off)
{
    // The field itself counts as zero.
    uint32_t behind = checksum_off + 4;
    uint64_t sum = mj_sum(bytes, checksum_off, 0) + mj_sum(bytes + behind, size - behind, behind);
    return mj_sum_end(sum, size);
}

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

#define MIX_A 0x9e3779b97f4a7c15U
#define MIX_B 0xd6e8feb86659fd93U

static uint64_t mix(uint64_t lane, const uint8_t *bytes)
{
    return (rotate(lane, 29) ^ load(bytes)) * MIX_B;
}

_Static_assert(MJ_HASH_LANES == 8, "take_stripes spells them out");

// One multiplication a word, and the lanes are independent: as fast as memory. Each step can be undone,
// so that a change of one word never goes unnoticed.
static void take_stripes(mj_hash_t *hash, const uint8_t *bytes, size_t size)
{
    uint64_t lanes[MJ_HASH_LANES];
    memcpy(lanes, hash->lanes, sizeof lanes);
    for (; size >= sizeof hash->rest; bytes += sizeof hash->rest, size -= sizeof hash->rest) {
        // Spelled out: a loop would keep the lanes in memory.
        lanes[0] = mix(lanes[0], bytes);
        lanes[1] = mix(lanes[1], bytes + 8);
        lanes[2] = mix(lanes[2], bytes + 16);
        lanes[3] = mix(lanes[3], bytes + 24);
        lanes[4] = mix(lanes[4], bytes + 32);
        lanes[5] = mix(lanes[5], bytes + 40);
        lanes[6] = mix(lanes[6], bytes + 48);
        lanes[7] = mix(lanes[7], bytes + 56);
    }
    memcpy(hash->lanes, lanes, sizeof lanes);
}

void mj_hash_begin(mj_hash_t *hash)
{
    memset(hash, 0, sizeof *hash);
    for (unsigned i = 0; i < MJ_HASH_LANES; i++)
        hash->lanes[i] = MIX_A * (i + 1);
}

void mj_hash_add(mj_hash_t *hash, const uint8_t *bytes, size_t size)
{
    size_t held = (size_t)(hash->total % sizeof hash->rest);
    hash->total += size;
    if (held != 0) {
        size_t take = sizeof hash->rest - held < size ? sizeof hash->rest - held : size;
        memcpy(hash->rest + held, bytes, take);
        bytes += take;
        size -= take;
        if (held + take < sizeof hash->rest)
            return;
        take_stripes(hash, hash->rest, sizeof hash->rest);
    }
    take_stripes(hash, bytes, size);
    size_t left = size % sizeof hash->rest;
    if (left != 0)
        memcpy(hash->rest, bytes + size - left, left);
}

uint64_t mj_hash_end(mj_hash_t *hash)
{
    size_t held = (size_t)(hash->total % sizeof hash->rest);
    memset(hash->rest + held, 0, sizeof hash->rest - held);
    take_stripes(hash, hash->rest, sizeof hash->rest);
    uint64_t value = hash->total;
    for (unsigned i = 0; i < MJ_HASH_LANES; i++) {
        value = rotate(value ^ hash->lanes[i], 31) * MIX_A;
        value ^= value >> 32;
    }
    return value;
}

uint64_t mj_hash(const uint8_t *bytes, size_t size)
{
    mj_hash_t hash;
    mj_hash_begin(&hash);
    mj_hash_add(&hash, bytes, size);
    return mj_hash_end(&hash);
}
