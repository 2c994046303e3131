// SPDX-License-Identifier: MIT
// The encoder of the two jumps that the redirect writes: into the runtime (near) and into a relay
// (far). Only jumps are ever written, never push and ret: shadow stacks forbid those.
#include "redirect/jump.h"

bool rd_jump_reaches(uint64_t from, uint64_t to, bool is_64)
{
    if (!is_64)
        return true;
    int64_t distance = (int64_t)(to - (from + RD_NEAR_JUMP_SIZE));
    return distance >= INT32_MIN && distance <= INT32_MAX;
}

static void put_little_endian(uint8_t *out, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

void rd_jump_near(uint64_t from, uint64_t to, uint8_t out[RD_NEAR_JUMP_SIZE])
{
    out[0] = 0xE9;
    put_little_endian(out + 1, to - (from + RD_NEAR_JUMP_SIZE), 4);
}

void rd_jump_far(uint64_t to, uint8_t out[RD_FAR_JUMP_SIZE])
{
    out[0] = 0xFF;
    out[1] = 0x25;
    put_little_endian(out + 2, 0, 4);
    put_little_endian(out + 6, to, 8);
}
