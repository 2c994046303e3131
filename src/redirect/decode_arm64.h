// SPDX-License-Identifier: MIT
// A64 instructions: where control goes and what is relative to the instruction's own address, and
// nothing else. Every instruction is one aligned word of 4 bytes. Pure.
#pragma once

#include "redirect/decode.h"

// What an instruction's operand is relative to; the word has to be made anew when it is moved.
typedef enum rd_arm64_form {
    RD_ARM64_PLAIN = 0, // nothing: the word means the same everywhere
    RD_ARM64_B,         // b, within 128 MiB
    RD_ARM64_BL,        // bl, within 128 MiB
    RD_ARM64_B_COND,    // b.cond, cbz, cbnz, within 1 MiB
    RD_ARM64_TBZ,       // tbz, tbnz, within 32 KiB
    RD_ARM64_ADR,       // within 1 MiB
    RD_ARM64_ADRP,      // to a 4 KiB page within 4 GiB
    RD_ARM64_LITERAL,   // load (or prefetch) of data within 1 MiB
} rd_arm64_form_t;

typedef struct rd_arm64_insn {
    uint8_t flow; // rd_flow_t
    uint8_t form; // rd_arm64_form_t
    bool is_padding;
    bool is_landing_pad; // bti: indirect branches may land on it, and it does nothing else
    bool signs_return;   // paciasp, pacibsp: the rest of the function expects it done
    int64_t distance;    // from the instruction itself; of adrp: from the page it lies in
} rd_arm64_insn_t;

// False: no instruction that a compiler puts into ordinary code.
bool rd_decode_arm64(uint32_t word, rd_arm64_insn_t *insn);

// The word at an address that need not be aligned for the machine that this runs on.
uint32_t rd_arm64_word(const uint8_t *code);

// The same as rd_decode tells: for the planner, which follows branches of any processor.
bool rd_decode_arm64_flow(const uint8_t *code, size_t size, rd_insn_t *insn);
