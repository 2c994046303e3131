// SPDX-License-Identifier: MIT
// The instruction length decoder. Each opcode has one letter that says what follows it; everything
// that a compiler does not emit in ordinary code is left unknown on purpose, as an unknown
// instruction only means that a function is not patched.
#include "redirect/decode.h"

// Letters of the opcode maps:
//   .  nothing                 m  ModRM                    M  ModRM, 8-bit immediate
//   b  8-bit immediate         w  16-bit immediate         Z  ModRM, 16/32-bit immediate
//   z  16/32-bit immediate     e  16 and 8-bit immediate   v  immediate of full register size
//   j  8-bit branch            J  16/32-bit branch         o  memory offset of address size
//   p  prefix                  r  REX in 64-bit code       i  32-bit code only
//   I  like M, 32-bit only     f  far pointer, 32-bit only g  ModRM, 8-bit immediate if /0 or /1
//   G  like g with 16/32 bits  T  second map               A  map 0F38   B  map 0F3A
//   V  VEX or 32-bit LES, LDS  E  EVEX or 32-bit BOUND     x  unknown
static const char one_byte_map[256 + 1] = "mmmmbziimmmmbziT" // 00
                                          "mmmmbziimmmmbzii" // 10
                                          "mmmmbzpimmmmbzpi" // 20
                                          "mmmmbzpimmmmbzpi" // 30
                                          "rrrrrrrrrrrrrrrr" // 40
                                          "................" // 50
                                          "iiEmppppzZbM...." // 60
                                          "jjjjjjjjjjjjjjjj" // 70
                                          "MZIMmmmmmmmmmmmm" // 80
                                          "..........f....." // 90
                                          "oooo....bz......" // A0
                                          "bbbbbbbbvvvvvvvv" // B0
                                          "MMw.VVMZe.w..bi." // C0
                                          "mmmmbbx.mmmmmmmm" // D0
                                          "jjjjbbbbJJfj...." // E0
                                          "pxpp..gG......mm";

static const char two_byte_map[256 + 1] = "mmmmx.....x.xm.x" // 00
                                          "mmmmmmmmmmmmmmmm" // 10
                                          "mmmmxxxxmmmmmmmm" // 20
                                          "......x.AxBxxxxx" // 30
                                          "mmmmmmmmmmmmmmmm" // 40
                                          "mmmmmmmmmmmmmmmm" // 50
                                          "mmmmmmmmmmmmmmmm" // 60
                                          "MMMMmmm.mmxxmmmm" // 70
                                          "JJJJJJJJJJJJJJJJ" // 80
                                          "mmmmmmmmmmmmmmmm" // 90
                                          "...mMmxx...mMmmm" // A0
                                          "mmmmmmmmmmMmmmmm" // B0
                                          "mmMmMMMm........" // C0
                                          "mmmmmmmmmmmmmmmm" // D0
                                          "mmmmmmmmmmmmmmmm" // E0
                                          "mmmmmmmmmmmmmmmm";

typedef struct decoder {
    const uint8_t *code;
    size_t size; // readable bytes, at most 15
    size_t at;
    bool is_64;
    bool operand_16; // prefix 66
    bool address_alt;
    bool rex_w;
    bool two_byte; // the opcode is from the map behind 0F
    uint8_t opcode;
    uint8_t modrm; // 0 when there is none
    bool overrun;
} decoder_t;

static uint8_t take(decoder_t *d)
{
    if (d->at >= d->size) {
        d->overrun = true;
        return 0;
    }
    return d->code[d->at++];
}

static void skip(decoder_t *d, size_t count)
{
    if (count > d->size - d->at) {
        d->overrun = true;
        d->at = d->size;
        return;
    }
    d->at += count;
}

static int32_t read_signed(const uint8_t *p, size_t size)
{
    if (size == 1)
        return (int8_t)p[0];
    if (size == 2)
        return (int16_t)(uint16_t)(p[0] | p[1] << 8);
    return (int32_t)(p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
}

static size_t full_immediate(const decoder_t *d)
{
    return d->operand_16 && !d->rex_w ? 2 : 4;
}

static void take_modrm_16(decoder_t *d)
{
    uint8_t mod = d->modrm >> 6;
    if (mod == 1)
        skip(d, 1);
    else if (mod == 2 || (mod == 0 && (d->modrm & 7) == 6))
        skip(d, 2);
}

static void take_modrm(decoder_t *d, rd_insn_t *insn)
{
    d->modrm = take(d);
    uint8_t mod = d->modrm >> 6;
    uint8_t rm = d->modrm & 7;
    if (mod == 3 || d->overrun)
        return;
    if (!d->is_64 && d->address_alt) {
        take_modrm_16(d);
        return;
    }
    if (rm == 4) {
        uint8_t base = take(d) & 7;
        if (mod == 0 && base == 5)
            skip(d, 4);
    } else if (mod == 0 && rm == 5) {
        if (d->is_64)
            insn->disp_offset = (uint8_t)d->at;
        skip(d, 4);
    }
    if (mod == 1)
        skip(d, 1);
    else if (mod == 2)
        skip(d, 4);
}

static void take_branch(decoder_t *d, rd_insn_t *insn, size_t size)
{
    insn->rel_offset = (uint8_t)d->at;
    insn->rel_size = (uint8_t)size;
    skip(d, size);
}

static void take_group_immediate(decoder_t *d, rd_insn_t *insn, size_t size)
{
    take_modrm(d, insn);
    if ((d->modrm >> 3 & 7) <= 1)
        skip(d, size);
}

static size_t offset_size(const decoder_t *d)
{
    if (d->is_64)
        return d->address_alt ? 4 : 8;
    return d->address_alt ? 2 : 4;
}

// The operands that the letter announces. False: unknown.
static bool take_operands(decoder_t *d, char letter, rd_insn_t *insn)
{
    size_t full = full_immediate(d);
    switch (letter) {
    case '.':
        return true;
    case 'm':
        take_modrm(d, insn);
        return true;
    case 'I':
        if (d->is_64)
            return false;
        take_modrm(d, insn);
        skip(d, 1);
        return true;
    case 'M':
        take_modrm(d, insn);
        skip(d, 1);
        return true;
    case 'Z':
        take_modrm(d, insn);
        skip(d, full);
        return true;
    case 'b':
        skip(d, 1);
        return true;
    case 'w':
        skip(d, 2);
        return true;
    case 'z':
        skip(d, full);
        return true;
    case 'e':
        skip(d, 3);
        return true;
    case 'v':
        skip(d, d->rex_w ? 8 : full);
        return true;
    case 'o':
        skip(d, offset_size(d));
        return true;
    case 'j':
        take_branch(d, insn, 1);
        return true;
    case 'J':
        // In 64-bit code the operand size does not shorten a branch.
        take_branch(d, insn, d->is_64 || !d->operand_16 ? 4 : 2);
        return true;
    case 'g':
        take_group_immediate(d, insn, 1);
        return true;
    case 'G':
        take_group_immediate(d, insn, full);
        return true;
    case 'i':
        return !d->is_64;
    case 'f':
        skip(d, full + 2);
        return !d->is_64;
    default:
        return false;
    }
}

// Behind a VEX or EVEX prefix the opcode's map is a field of the prefix.
static bool take_vector_operands(decoder_t *d, unsigned map, rd_insn_t *insn)
{
    d->opcode = take(d);
    d->two_byte = true;
    if (map == 1) {
        char letter = two_byte_map[d->opcode];
        return (letter == 'm' || letter == 'M' || d->opcode == 0x77) &&
               take_operands(d, letter, insn);
    }
    if (map == 2)
        return take_operands(d, 'm', insn);
    return map == 3 && take_operands(d, 'M', insn);
}

// C4, C5 and 62 are prefixes in 64-bit code; in 32-bit code only if a register form follows.
static bool is_vector_prefix(const decoder_t *d)
{
    return d->is_64 || (d->at < d->size && d->code[d->at] >= 0xC0);
}

static bool take_vex(decoder_t *d, rd_insn_t *insn)
{
    uint8_t prefix = d->opcode;
    if (!is_vector_prefix(d))
        return take_operands(d, 'm', insn);
    uint8_t first = take(d);
    if (prefix == 0xC5)
        return take_vector_operands(d, 1, insn);
    skip(d, 1);
    return take_vector_operands(d, first & 0x1F, insn);
}

static bool take_evex(decoder_t *d, rd_insn_t *insn)
{
    if (!is_vector_prefix(d))
        return take_operands(d, 'm', insn);
    uint8_t first = take(d);
    skip(d, 2);
    return take_vector_operands(d, first & 7, insn);
}

static bool take_two_byte(decoder_t *d, rd_insn_t *insn)
{
    d->two_byte = true;
    d->opcode = take(d);
    char letter = two_byte_map[d->opcode];
    if (letter == 'A' || letter == 'B') {
        d->opcode = take(d);
        return take_operands(d, letter == 'A' ? 'm' : 'M', insn);
    }
    return take_operands(d, letter, insn);
}

static bool take_opcode(decoder_t *d, rd_insn_t *insn)
{
    for (;;) {
        d->opcode = take(d);
        char letter = one_byte_map[d->opcode];
        if (letter == 'p') {
            d->operand_16 |= d->opcode == 0x66;
            d->address_alt |= d->opcode == 0x67;
            continue;
        }
        if (letter == 'r') {
            if (!d->is_64)
                return true;
            d->rex_w = (d->opcode & 8) != 0;
            d->opcode = take(d);
            letter = one_byte_map[d->opcode];
            // A REX prefix counts only directly before the opcode; compilers emit nothing else.
            if (letter == 'p' || letter == 'r' || letter == 'V' || letter == 'E')
                return false;
        }
        if (letter == 'T')
            return take_two_byte(d, insn);
        if (letter == 'V')
            return take_vex(d, insn);
        if (letter == 'E')
            return take_evex(d, insn);
        return take_operands(d, letter, insn);
    }
}

static uint8_t flow_of_two_byte(const decoder_t *d)
{
    if (d->opcode == 0x0B || d->opcode == 0xB9 || d->opcode == 0xFF) // ud2, ud1, ud0
        return RD_FLOW_END;
    return d->opcode >= 0x80 && d->opcode <= 0x8F ? RD_FLOW_BRANCH : RD_FLOW_NEXT;
}

static uint8_t flow_of_group_ff(const decoder_t *d)
{
    switch (d->modrm >> 3 & 7) {
    case 2:
    case 3:
        return RD_FLOW_CALL;
    case 4:
    case 5:
        return RD_FLOW_END;
    default:
        return RD_FLOW_NEXT;
    }
}

static uint8_t flow_of(const decoder_t *d)
{
    if (d->two_byte)
        return flow_of_two_byte(d);
    if ((d->opcode >= 0x70 && d->opcode <= 0x7F) || (d->opcode >= 0xE0 && d->opcode <= 0xE3))
        return RD_FLOW_BRANCH;
    switch (d->opcode) {
    case 0xE8:
        return RD_FLOW_CALL;
    case 0xE9:
    case 0xEB:
        return RD_FLOW_JUMP;
    case 0xC2: // ret
    case 0xC3:
    case 0xCA: // far ret
    case 0xCB:
    case 0xCC: // int3
    case 0xCF: // iret
    case 0xEA: // far jump
    case 0xF4: // hlt
        return RD_FLOW_END;
    case 0xFF:
        return flow_of_group_ff(d);
    default:
        return RD_FLOW_NEXT;
    }
}

// lea reg, [reg+0] and mov reg, reg onto itself: what GCC and MSVC pad 32-bit code with.
static bool is_lea_or_mov_nop(const decoder_t *d)
{
    const uint8_t *c = d->code;
    if (d->at == 2 && (c[0] == 0x89 || c[0] == 0x8B))
        return c[1] >= 0xC0 && (c[1] >> 3 & 7) == (c[1] & 7) && !d->is_64;
    return false;
}

static bool is_padding(const decoder_t *d)
{
    if (!d->two_byte && d->opcode == 0xCC)
        return true;
    if (!d->two_byte && d->opcode == 0x90) {
        // Prefixes make no difference, but F3 90 is pause, which programs do execute.
        for (size_t i = 0; i + 1 < d->at; i++)
            if (d->code[i] == 0xF3)
                return false;
        return true;
    }
    if (d->two_byte && d->opcode == 0x1F)
        return true;
    return is_lea_or_mov_nop(d);
}

bool rd_decode(const uint8_t *code, size_t size, bool is_64, rd_insn_t *insn)
{
    decoder_t d = {.code = code, .size = size < 15 ? size : 15, .is_64 = is_64};
    *insn = (rd_insn_t){0};
    if (!take_opcode(&d, insn) || d.overrun)
        return false;
    insn->length = (uint8_t)d.at;
    insn->flow = flow_of(&d);
    if (insn->rel_offset != 0)
        insn->rel = read_signed(code + insn->rel_offset, insn->rel_size);
    else if (insn->disp_offset != 0)
        insn->rel = read_signed(code + insn->disp_offset, 4);
    insn->is_padding = is_padding(&d);
    return true;
}
