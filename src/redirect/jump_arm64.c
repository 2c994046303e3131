// SPDX-License-Identifier: MIT
// The A64 encoder. A far jump keeps its address beside it, so that the relay page needs nothing but
// itself. BR by way of x16 may land on `bti c` as a call does.
#include "redirect/jump_arm64.h"
#include "redirect/decode_arm64.h"

#define B         0x14000000U
#define ADRP_X0   0x90000000U
#define ADD_X0_X0 0x91000000U
#define LDR_X16_8 0x58000050U // ldr x16, the double word 8 bytes on
#define BR_X16    0xD61F0200U
#define NOP       0xD503201FU

static void put_word(uint8_t *out, uint32_t word)
{
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(word >> (8 * i));
}

// Words that fit into `bits` bits and a sign.
static bool fits(int64_t words, unsigned bits)
{
    return words >= -((int64_t)1 << (bits - 1)) && words < (int64_t)1 << (bits - 1);
}

static uint32_t in_field(int64_t value, unsigned at, unsigned width)
{
    return ((uint32_t)(uint64_t)value & ((1U << width) - 1)) << at;
}

bool rd_arm64_reaches(uint64_t from, uint64_t to)
{
    return fits((int64_t)(to - from) / 4, 26);
}

static uint32_t branch(uint64_t from, uint64_t to)
{
    return B | in_field((int64_t)(to - from) / 4, 0, 26);
}

void rd_arm64_near(uint64_t from, uint64_t to, uint8_t out[RD_ARM64_NEAR_SIZE])
{
    put_word(out, branch(from, to));
}

void rd_arm64_far(uint64_t to, uint8_t out[RD_ARM64_FAR_SIZE])
{
    put_word(out, LDR_X16_8);
    put_word(out + 4, BR_X16);
    put_word(out + 8, (uint32_t)to);
    put_word(out + 12, (uint32_t)(to >> 32));
}

// b and bl keep their form. (The call returns to the copy, which goes on behind itself.)
static uint32_t move_branch(uint32_t word, uint64_t target, uint64_t to, uint8_t *out)
{
    if (!rd_arm64_reaches(to, target))
        return 0;
    put_word(out, (word & 0xFC000000) | in_field((int64_t)(target - to) / 4, 0, 26));
    return 4;
}

// The same condition hops over a way out to the one that the original took.
static uint32_t move_condition(uint32_t word, unsigned width, uint64_t target, uint64_t to,
                               uint8_t *out)
{
    uint32_t field = ((1U << width) - 1) << 5;
    if (!rd_arm64_reaches(to + 8, target))
        return 0;
    put_word(out, (word & ~field) | in_field(2, 5, width));
    put_word(out + 4, branch(to + 4, to + 12));
    put_word(out + 8, branch(to + 8, target));
    return 12;
}

static bool put_page(unsigned reg, uint64_t target, uint64_t to, uint8_t *out)
{
    int64_t pages = (int64_t)((target & ~(uint64_t)0xFFF) - (to & ~(uint64_t)0xFFF)) / 4096;
    if (!fits(pages, 21))
        return false;
    put_word(out, ADRP_X0 | in_field(pages, 29, 2) | in_field(pages >> 2, 5, 19) | reg);
    return true;
}

static uint32_t move_address(uint32_t word, uint64_t target, uint64_t to, uint8_t *out)
{
    unsigned reg = word & 31;
    // Register 31 is zero here and the stack pointer in an addition.
    if (reg == 31 || !put_page(reg, target, to, out))
        return 0;
    // adrp gives whole pages; adr needs the rest too.
    if ((target & 0xFFF) == 0)
        return 4;
    put_word(out + 4, ADD_X0_X0 | in_field((int64_t)(target & 0xFFF), 10, 12) | reg << 5 | reg);
    return 8;
}

// The load with an unsigned offset that does what a literal load does, register 0 from register 0;
// 0: there is none. By the two top bits and the vector bit.
static uint32_t load_of(uint32_t word)
{
    static const uint32_t general[4] = {0xB9400000, 0xF9400000, 0xB9800000, NOP};
    static const uint32_t vector[4] = {0xBD400000, 0xFD400000, 0x3DC00000, 0};
    return (word >> 26 & 1) != 0 ? vector[word >> 30] : general[word >> 30];
}

static unsigned shift_of(uint32_t load)
{
    return load == 0x3DC00000 ? 4 : load >> 30;
}

static uint32_t move_literal(uint32_t word, uint64_t target, uint64_t to, uint8_t *out)
{
    uint32_t load = load_of(word);
    uint32_t offset = (uint32_t)(target & 0xFFF);
    if (load == 0)
        return 0;
    // A prefetch may be left out.
    if (load == NOP) {
        put_word(out, load);
        return 4;
    }
    // A literal lies at a multiple of 4; the load's offset counts in its own size.
    if ((offset & ((1U << shift_of(load)) - 1)) != 0 || !put_page(16, target, to, out))
        return 0;
    put_word(out + 4,
             load | in_field((int64_t)(offset >> shift_of(load)), 10, 12) | 16U << 5 | (word & 31));
    return 8;
}

uint32_t rd_arm64_move(uint32_t word, uint64_t from, uint64_t to, uint8_t out[RD_ARM64_MOVED_SIZE])
{
    rd_arm64_insn_t insn;
    if (!rd_decode_arm64(word, &insn))
        return 0;
    uint64_t base = insn.form == RD_ARM64_ADRP ? from & ~(uint64_t)0xFFF : from;
    uint64_t target = base + (uint64_t)insn.distance;
    switch (insn.form) {
    case RD_ARM64_B:
    case RD_ARM64_BL:
        return move_branch(word, target, to, out);
    case RD_ARM64_B_COND:
        return move_condition(word, 19, target, to, out);
    case RD_ARM64_TBZ:
        return move_condition(word, 14, target, to, out);
    case RD_ARM64_ADR:
    case RD_ARM64_ADRP:
        return move_address(word, target, to, out);
    case RD_ARM64_LITERAL:
        return move_literal(word, target, to, out);
    default:
        put_word(out, word);
        return 4;
    }
}
