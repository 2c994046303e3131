// SPDX-License-Identifier: MIT
// A hook on A64 is a b out of the module, or a br to an address that the words before it have put
// into a register. They are followed as the processor would do it: a few instructions that make
// addresses, and nothing else.
#include "redirect/hook_arm64.h"
#include "redirect/decode_arm64.h"

enum {
    MAX_HOPS = 8,
    MAX_WORDS = 8, // of one hop: landing pad, four moves, and some
};

// What is known of the register that was written last.
typedef enum source {
    FROM_NOTHING,
    FROM_ADDRESS, // an address near the code: value
    FROM_SLOT,    // loaded from the slot at value
    FROM_WORDS,   // a constant: moved in, or loaded from beside the code
} source_t;

typedef struct made {
    source_t source;
    unsigned reg;
    uint64_t value;
} made_t;

static bool is_in_module(const rd_code_t *code, uint64_t address)
{
    return address - code->module_va < code->module_size;
}

// add xd, xn, #n and ldr xt, [xn, #n] go on with the register that was made.
static bool take_offset(uint32_t word, made_t *made)
{
    bool is_add = (word & 0xFF800000) == 0x91000000;
    bool is_load = (word & 0xFFC00000) == 0xF9400000;
    uint64_t number = word >> 10 & 0xFFF;
    if ((!is_add && !is_load) || made->source != FROM_ADDRESS || (word >> 5 & 31) != made->reg)
        return false;
    if (is_add)
        made->value += (word >> 22 & 1) != 0 ? number << 12 : number;
    else
        made->value += number * 8;
    made->source = is_add ? FROM_ADDRESS : FROM_SLOT;
    made->reg = word & 31;
    return true;
}

// Instructions that make an address. False: this one does something else.
static bool take(uint32_t word, const rd_arm64_insn_t *insn, uint64_t va, made_t *made)
{
    if (insn->is_padding || insn->is_landing_pad)
        return true;
    if (insn->form == RD_ARM64_ADR || insn->form == RD_ARM64_ADRP) {
        uint64_t base = insn->form == RD_ARM64_ADRP ? va & ~(uint64_t)0xFFF : va;
        *made = (made_t){FROM_ADDRESS, word & 31, base + (uint64_t)insn->distance};
        return true;
    }
    bool is_literal = (word & 0xFF000000) == 0x58000000; // ldr xt, literal
    bool is_move = (word & 0xFF800000) == 0xD2800000 ||  // movz
                   (word & 0xFF800000) == 0x92800000 ||  // movn
                   (word & 0xFF800000) == 0xF2800000;    // movk
    if (is_literal || is_move) {
        *made = (made_t){FROM_WORDS, word & 31, 0};
        return true;
    }
    return take_offset(word, made);
}

typedef enum verdict { IS_CODE, IS_HOOK, GOES_ON } verdict_t;

static verdict_t judge_br(const rd_code_t *code, uint32_t word, const made_t *made,
                          uint64_t *target)
{
    if (made->source == FROM_NOTHING || (word >> 5 & 31) != made->reg)
        return IS_CODE;
    if (made->source == FROM_WORDS || !is_in_module(code, made->value))
        return IS_HOOK;
    // A slot in the module is its import's, or a function pointer of its own.
    if (made->source == FROM_SLOT)
        return IS_CODE;
    *target = made->value;
    return GOES_ON;
}

// One hop: where the words at `at` lead without doing anything else.
static verdict_t follow(const rd_code_t *code, uint32_t at, uint64_t *target)
{
    made_t made = {FROM_NOTHING, 0, 0};
    for (unsigned i = 0; i < MAX_WORDS && code->size >= 4 && at <= code->size - 4; i++, at += 4) {
        rd_arm64_insn_t insn;
        uint32_t word = rd_arm64_word(code->bytes + at);
        uint64_t va = code->va + at;
        if (!rd_decode_arm64(word, &insn))
            return IS_CODE;
        if (insn.form == RD_ARM64_B) {
            *target = va + (uint64_t)insn.distance;
            return is_in_module(code, *target) ? GOES_ON : IS_HOOK;
        }
        if ((word & 0xFFFFFC1F) == 0xD61F0000)
            return judge_br(code, word, &made, target);
        if (!take(word, &insn, va, &made))
            return IS_CODE;
    }
    return IS_CODE;
}

bool rd_arm64_is_hooked(const rd_code_t *code, uint32_t entry)
{
    uint64_t target = code->va + entry;
    for (unsigned hops = 0; hops < MAX_HOPS; hops++) {
        uint64_t offset = target - code->va;
        // In the module, but not in these bytes.
        if (offset >= code->size || offset % 4 != 0)
            return false;
        verdict_t verdict = follow(code, (uint32_t)offset, &target);
        if (verdict != GOES_ON)
            return verdict == IS_HOOK;
    }
    return true;
}
