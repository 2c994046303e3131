// SPDX-License-Identifier: MIT
// A64 jumps as bytes, and instructions moved to another address. Pure.
// x16 and x17 are the registers that a call may change on its way; no others are touched.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RD_ARM64_NEAR_SIZE  4
#define RD_ARM64_FAR_SIZE   16
#define RD_ARM64_MOVED_SIZE 16 // at most, for one instruction

// True when b at `from` can lead to `to`: within 128 MiB.
bool rd_arm64_reaches(uint64_t from, uint64_t to);

// b. Requires rd_arm64_reaches; both are multiples of 4.
void rd_arm64_near(uint64_t from, uint64_t to, uint8_t out[RD_ARM64_NEAR_SIZE]);

// ldr x16, 8; br x16; the address. Must lie at a multiple of 8.
void rd_arm64_far(uint64_t to, uint8_t out[RD_ARM64_FAR_SIZE]);

// What does at `to` what the word does at `from`, and goes on behind itself. Returns the number of
// bytes, 0 when it cannot be done: then what it refers to is out of reach from `to`.
uint32_t rd_arm64_move(uint32_t word, uint64_t from, uint64_t to, uint8_t out[RD_ARM64_MOVED_SIZE]);
