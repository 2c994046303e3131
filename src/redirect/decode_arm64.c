// SPDX-License-Identifier: MIT
// The A64 decoder. The encodings are those of the Arm Architecture Reference Manual; only branches
// and pc-relative instructions are told apart, as the rest of a word does not matter here.
#include "redirect/decode_arm64.h"

typedef struct pattern {
    uint32_t mask;
    uint32_t value;
    uint8_t flow;
    uint8_t form;
} pattern_t;

// The first that fits counts.
static const pattern_t patterns[] = {
    {0xFC000000, 0x14000000, RD_FLOW_JUMP, RD_ARM64_B},
    {0xFC000000, 0x94000000, RD_FLOW_CALL, RD_ARM64_BL},
    {0xFF000000, 0x54000000, RD_FLOW_BRANCH, RD_ARM64_B_COND}, // b.cond, bc.cond
    {0x7E000000, 0x34000000, RD_FLOW_BRANCH, RD_ARM64_B_COND}, // cbz, cbnz
    {0x7E000000, 0x36000000, RD_FLOW_BRANCH, RD_ARM64_TBZ},
    {0xFEE00000, 0xD6200000, RD_FLOW_CALL, RD_ARM64_PLAIN}, // blr and its signed forms
    {0xFE000000, 0xD6000000, RD_FLOW_END, RD_ARM64_PLAIN},  // br, ret, eret
    {0xFFE00000, 0xD4200000, RD_FLOW_END, RD_ARM64_PLAIN},  // brk
    {0xFFE00000, 0xD4400000, RD_FLOW_END, RD_ARM64_PLAIN},  // hlt
    {0x9F000000, 0x10000000, RD_FLOW_NEXT, RD_ARM64_ADR},
    {0x9F000000, 0x90000000, RD_FLOW_NEXT, RD_ARM64_ADRP},
    {0x3B000000, 0x18000000, RD_FLOW_NEXT, RD_ARM64_LITERAL},
};

#define HINT      0xD503201FU // nop; bits 5 to 11 say which hint
#define HINT_MASK (0x7FU << 5)
enum {
    HINT_PACIASP = 25,
    HINT_PACIBSP = 27,
    HINT_BTI = 32, // and 34, 36, 38: of calls, jumps, both
};

// Bits 25 to 28 choose the group. Reserved ones are no instructions, and those of the scalable
// vectors and matrices (0000 with the top bit, 0010) are nothing that a heap function starts with.
static bool is_known_group(uint32_t word)
{
    unsigned group = word >> 25 & 15;
    return group >= 4;
}

// A field of the word, as a signed number.
static int64_t field(uint32_t word, unsigned at, unsigned width)
{
    int64_t value = (int64_t)(word >> at & ((1U << width) - 1));
    return value >= (int64_t)1 << (width - 1) ? value - ((int64_t)1 << width) : value;
}

static int64_t distance_of(uint32_t word, rd_arm64_form_t form)
{
    switch (form) {
    case RD_ARM64_B:
    case RD_ARM64_BL:
        return field(word, 0, 26) * 4;
    case RD_ARM64_B_COND:
    case RD_ARM64_LITERAL:
        return field(word, 5, 19) * 4;
    case RD_ARM64_TBZ:
        return field(word, 5, 14) * 4;
    case RD_ARM64_ADR:
        return field(word, 5, 19) * 4 + (int64_t)(word >> 29 & 3);
    case RD_ARM64_ADRP:
        return (field(word, 5, 19) * 4 + (int64_t)(word >> 29 & 3)) * 4096;
    default:
        return 0;
    }
}

static void read_hint(uint32_t word, rd_arm64_insn_t *insn)
{
    if ((word & ~HINT_MASK) != HINT)
        return;
    unsigned hint = word >> 5 & 0x7F;
    insn->is_padding = hint == 0;
    insn->signs_return = hint == HINT_PACIASP || hint == HINT_PACIBSP;
    insn->is_landing_pad = (hint & ~6U) == HINT_BTI;
}

bool rd_decode_arm64(uint32_t word, rd_arm64_insn_t *insn)
{
    *insn = (rd_arm64_insn_t){0};
    // udf #0 is what linkers put between functions.
    insn->is_padding = word == 0;
    if (!is_known_group(word)) {
        insn->flow = RD_FLOW_END;
        return false;
    }
    for (unsigned i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        const pattern_t *p = &patterns[i];
        if ((word & p->mask) != p->value)
            continue;
        insn->flow = p->flow;
        insn->form = p->form;
        insn->distance = distance_of(word, (rd_arm64_form_t)p->form);
        return true;
    }
    read_hint(word, insn);
    return true;
}

uint32_t rd_arm64_word(const uint8_t *code)
{
    return code[0] | (uint32_t)code[1] << 8 | (uint32_t)code[2] << 16 | (uint32_t)code[3] << 24;
}

bool rd_decode_arm64_flow(const uint8_t *code, size_t size, rd_insn_t *insn)
{
    rd_arm64_insn_t decoded;
    *insn = (rd_insn_t){0};
    if (size < 4 || !rd_decode_arm64(rd_arm64_word(code), &decoded))
        return false;
    insn->length = 4;
    insn->flow = decoded.flow;
    insn->is_padding = decoded.is_padding;
    if (decoded.form >= RD_ARM64_B && decoded.form <= RD_ARM64_TBZ) {
        insn->rel_size = 4;
        insn->rel = (int32_t)(decoded.distance - 4); // within 128 MiB
    }
    return true;
}
