// SPDX-License-Identifier: MIT
// Lengths and control flow of x86 and x64 instructions: what a patch must know about the bytes it
// overwrites, and nothing else. Pure; reads no byte beyond the given range.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum rd_flow {
    RD_FLOW_NEXT = 0, // goes on behind itself
    RD_FLOW_BRANCH,   // conditional: both ways
    RD_FLOW_JUMP,     // unconditional, target known
    RD_FLOW_CALL,     // comes back
    RD_FLOW_END,      // return, indirect jump, trap: nothing is known to follow
} rd_flow_t;

typedef struct rd_insn {
    uint8_t length;
    uint8_t flow;        // rd_flow_t
    uint8_t rel_offset;  // where the relative branch operand is, 0: none
    uint8_t rel_size;    // 1, 2 or 4
    uint8_t disp_offset; // where a rip-relative displacement is, 0: none
    bool is_padding;     // int3 or a no-op of any length
    int32_t rel;         // branch target or rip-relative operand, from the instruction's end
} rd_insn_t;

// False: no known instruction there, or it does not fit into `size` bytes.
bool rd_decode(const uint8_t *code, size_t size, bool is_64, rd_insn_t *insn);
