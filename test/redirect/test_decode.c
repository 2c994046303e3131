// SPDX-License-Identifier: MIT
// The instruction decoder on single encodings. Its lengths over whole runtimes are held against
// LLVM's disassembler by decoder_against_llvm.py.
#include "check.h"
#include "redirect/decode.h"

#include <stdlib.h>

enum { X86 = 32, X64 = 64 };

// Decodes "48 8b c4" as code of that width; the bytes are followed by others that must not matter.
static rd_insn_t decode(const char *hex, int width, bool *is_known)
{
    uint8_t code[16];
    size_t count = 0;
    memset(code, 0xAA, sizeof code);
    for (char *end; count < sizeof code; hex = end) {
        unsigned long byte = strtoul(hex, &end, 16);
        if (end == hex)
            break;
        code[count++] = (uint8_t)byte;
    }
    rd_insn_t insn = {0};
    *is_known = rd_decode(code, count, width == X64, &insn);
    return insn;
}

static size_t length_of(const char *hex, int width)
{
    bool is_known;
    rd_insn_t insn = decode(hex, width, &is_known);
    return is_known ? insn.length : 0;
}

static rd_flow_t flow_of(const char *hex, int width)
{
    bool is_known;
    return (rd_flow_t)decode(hex, width, &is_known).flow;
}

static bool is_padding(const char *hex, int width)
{
    bool is_known;
    return decode(hex, width, &is_known).is_padding && is_known;
}

TEST(measures_operands_in_memory)
{
    CHECK_EQ(length_of("48 89 5c 24 08", X64), 5);          // mov [rsp+8], rbx
    CHECK_EQ(length_of("48 8b 05 a1 eb 07 00", X64), 7);    // mov rax, [rip+x]
    CHECK_EQ(length_of("8d 04 85 98 f3 10 10", X86), 7);    // lea eax, [4*eax+x]
    CHECK_EQ(length_of("48 8d a4 24 00 00 00 00", X64), 8); // lea rsp, [rsp+0]
    CHECK_EQ(length_of("67 8b 46 10", X86), 4);             // mov eax, [bp+16]
}

TEST(measures_immediates)
{
    CHECK_EQ(length_of("48 b8 01 02 03 04 05 06 07 08", X64), 10); // mov rax, imm64
    CHECK_EQ(length_of("b8 01 02 03 04", X64), 5);
    CHECK_EQ(length_of("66 b8 01 02", X86), 4);
    CHECK_EQ(length_of("f6 05 dd 21 00 00 08", X64), 7); // test byte [rip+x], 8
    CHECK_EQ(length_of("f7 d8", X64), 2);                // neg eax has none
    CHECK_EQ(length_of("c8 10 00 01", X64), 4);          // enter
}

TEST(measures_vector_instructions)
{
    CHECK_EQ(length_of("c5 f8 77", X64), 3);             // vzeroupper
    CHECK_EQ(length_of("c4 e2 7d 18 01", X64), 5);       // vbroadcastss
    CHECK_EQ(length_of("62 f1 7c 48 10 41 01", X64), 7); // vmovups zmm
    CHECK_EQ(length_of("66 0f 3a 0f c1 08", X64), 6);    // palignr
    CHECK_EQ(length_of("c4 41 08", X86), 3);             // les, as the ModRM byte shows
}

TEST(knows_where_control_goes)
{
    CHECK_EQ(flow_of("c3", X64), RD_FLOW_END);
    CHECK_EQ(flow_of("ff 25 00 00 00 00", X64), RD_FLOW_END);
    CHECK_EQ(flow_of("ff 15 00 00 00 00", X64), RD_FLOW_CALL);
    CHECK_EQ(flow_of("e8 00 00 00 00", X64), RD_FLOW_CALL);
    CHECK_EQ(flow_of("eb 05", X64), RD_FLOW_JUMP);
    CHECK_EQ(flow_of("0f 84 00 00 00 00", X64), RD_FLOW_BRANCH);
    CHECK_EQ(flow_of("e3 05", X64), RD_FLOW_BRANCH);
    CHECK_EQ(flow_of("0f 0b", X64), RD_FLOW_END);
    CHECK_EQ(flow_of("ff 75 08", X86), RD_FLOW_NEXT); // push [ebp+8]
}

TEST(reads_relative_operands)
{
    bool is_known;
    rd_insn_t jump = decode("e9 f0 ff ff ff", X64, &is_known);
    CHECK_EQ(jump.rel, -16);
    CHECK_EQ(jump.rel_offset, 1);
    rd_insn_t load = decode("48 8b 0d ad 16 04 00", X64, &is_known);
    CHECK_EQ(load.rel, 0x416AD);
    CHECK_EQ(load.disp_offset, 3);
    rd_insn_t absolute = decode("8b 0d ad 16 04 00", X86, &is_known);
    CHECK_EQ(absolute.disp_offset, 0); // 32-bit code has absolute addresses there
}

TEST(tells_padding_from_code)
{
    CHECK(is_padding("cc", X64));
    CHECK(is_padding("90", X64));
    CHECK(is_padding("66 90", X64));
    CHECK(is_padding("0f 1f 84 00 00 00 00 00", X64));
    CHECK(is_padding("66 2e 0f 1f 84 00 00 00 00 00", X64));
    CHECK(is_padding("8b ff", X86));  // mov edi, edi
    CHECK(!is_padding("8b ff", X64)); // clears the upper half of rdi there
    CHECK(!is_padding("f3 90", X64)); // pause
    CHECK(!is_padding("c3", X64));
}

TEST(refuses_what_it_does_not_know)
{
    CHECK_EQ(length_of("d6", X64), 0);
    CHECK_EQ(length_of("06", X64), 0); // push es, gone in 64-bit code
    CHECK_EQ(length_of("0f 04", X64), 0);
    CHECK_EQ(length_of("48 66 90", X64), 0); // REX before another prefix
}

TEST(refuses_what_is_cut_off)
{
    CHECK_EQ(length_of("48 8b 05 a1 eb 07", X64), 0);
    CHECK_EQ(length_of("e9 00 00 00", X64), 0);
    CHECK_EQ(length_of("48", X64), 0);
    CHECK_EQ(length_of("66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90", X64), 0); // 16 bytes
}

TEST_MAIN(RUN(measures_operands_in_memory) RUN(measures_immediates)
              RUN(measures_vector_instructions) RUN(knows_where_control_goes)
                  RUN(reads_relative_operands) RUN(tells_padding_from_code)
                      RUN(refuses_what_it_does_not_know) RUN(refuses_what_is_cut_off))
