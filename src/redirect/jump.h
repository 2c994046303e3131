// SPDX-License-Identifier: MIT
// Jumps as bytes. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RD_NEAR_JUMP_SIZE 5
#define RD_FAR_JUMP_SIZE  14

// True when a near jump placed at `from` can lead to `to`. Always true in 32-bit code.
bool rd_jump_reaches(uint64_t from, uint64_t to, bool is_64);

// E9 rel32. Requires rd_jump_reaches.
void rd_jump_near(uint64_t from, uint64_t to, uint8_t out[RD_NEAR_JUMP_SIZE]);

// 64-bit code only: FF 25 00000000 and the address behind it. Uses no register and no stack.
void rd_jump_far(uint64_t to, uint8_t out[RD_FAR_JUMP_SIZE]);
