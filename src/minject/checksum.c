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

// A ones' complement sum may be taken in any width: 4 bytes at a time give the same as 2.
uint64_t mj_sum(const uint8_t *bytes, size_t size, size_t off)
{
    uint64_t sum = 0;
    size_t i = 0;
    if ((off & 1) != 0 && size != 0)
        sum += (uint64_t)bytes[i++] << 8;
    for (; size - i >= 8; i += 8) {
        uint64_t word = load(bytes + i);
        sum += (word & 0xffffffffU) + (word >> 32);
    }
    for (; i < size; i++)
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

// One multiplication a word, and the lanes are independent: as fast as memory. Each step can be undone,
// so that a change of one word never goes unnoticed.
static void take_stripes(mj_hash_t *hash, const uint8_t *bytes, size_t size)
{
    uint64_t lanes[MJ_HASH_LANES];
    memcpy(lanes, hash->lanes, sizeof lanes);
    for (; size >= sizeof hash->rest; bytes += sizeof hash->rest, size -= sizeof hash->rest) {
        for (unsigned i = 0; i < MJ_HASH_LANES; i++)
            lanes[i] = (rotate(lanes[i], 29) ^ load(bytes + 8 * i)) * MIX_B;
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
