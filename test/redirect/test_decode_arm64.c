// SPDX-License-Identifier: MIT
// The A64 decoder on single words. Over whole runtimes it is held against LLVM's disassembler by
// decoder_against_llvm.py.
#include "check.h"
#include "redirect/decode_arm64.h"

static rd_arm64_insn_t decode(uint32_t word)
{
    rd_arm64_insn_t insn = {0};
    CHECK(rd_decode_arm64(word, &insn));
    return insn;
}

TEST(knows_where_control_goes)
{
    CHECK_EQ(decode(0x14000004).flow, RD_FLOW_JUMP);   // b
    CHECK_EQ(decode(0x97FFFFFE).flow, RD_FLOW_CALL);   // bl
    CHECK_EQ(decode(0x540001E8).flow, RD_FLOW_BRANCH); // b.hi
    CHECK_EQ(decode(0xB40001C0).flow, RD_FLOW_BRANCH); // cbz
    CHECK_EQ(decode(0x37180040).flow, RD_FLOW_BRANCH); // tbnz
    CHECK_EQ(decode(0xD61F0200).flow, RD_FLOW_END);    // br x16
    CHECK_EQ(decode(0xD71F0A11).flow, RD_FLOW_END);    // braa x16, x17
    CHECK_EQ(decode(0xD63F0100).flow, RD_FLOW_CALL);   // blr x8
    CHECK_EQ(decode(0xD73F0911).flow, RD_FLOW_CALL);   // blraa x8, x17
    CHECK_EQ(decode(0xD65F03C0).flow, RD_FLOW_END);    // ret
    CHECK_EQ(decode(0xD65F0FFF).flow, RD_FLOW_END);    // retab
    CHECK_EQ(decode(0xD43E0060).flow, RD_FLOW_END);    // brk
    CHECK_EQ(decode(0xD4000001).flow, RD_FLOW_NEXT);   // svc comes back
    CHECK_EQ(decode(0xA9BF7BFD).flow, RD_FLOW_NEXT);   // stp
}

TEST(measures_distances)
{
    CHECK_EQ(decode(0x14000004).distance, 16);
    CHECK_EQ(decode(0x17FFFFB4).distance, -304);
    CHECK_EQ(decode(0x15FFFFFF).distance, 0x7FFFFFC);
    CHECK_EQ(decode(0x16000000).distance, -0x8000000);
    CHECK_EQ(decode(0xB40001C0).distance, 56);
    CHECK_EQ(decode(0x3707FFE0).distance, -4);           // tbnz w0, #0, back
    CHECK_EQ(decode(0xF0000CC8).distance, 0x19B000);     // adrp x8
    CHECK_EQ(decode(0x90800000).distance, -0x100000000); // adrp x0, 4 GiB back
    CHECK_EQ(decode(0x70FFFFE0).distance, -1);           // adr x0, one byte back
    CHECK_EQ(decode(0x58000050).distance, 8);            // ldr x16, literal
    CHECK_EQ(decode(0xD8FFFFE0).distance, -4);           // prfm
}

TEST(tells_what_is_relative)
{
    CHECK_EQ(decode(0x54000010).form, RD_ARM64_B_COND);  // bc.eq
    CHECK_EQ(decode(0x1C000000).form, RD_ARM64_LITERAL); // ldr s0, literal
    CHECK_EQ(decode(0x98000000).form, RD_ARM64_LITERAL); // ldrsw
    CHECK_EQ(decode(0x10000000).form, RD_ARM64_ADR);
    CHECK_EQ(decode(0xF9400000).form, RD_ARM64_PLAIN); // ldr x0, [x0]
    CHECK_EQ(decode(0x38000000).form, RD_ARM64_PLAIN); // sturb
}

TEST(knows_hints)
{
    CHECK(decode(0xD503201F).is_padding);      // nop
    CHECK(!decode(0xD503203F).is_padding);     // yield
    CHECK(decode(0xD503241F).is_landing_pad);  // bti
    CHECK(decode(0xD503245F).is_landing_pad);  // bti c
    CHECK(decode(0xD503249F).is_landing_pad);  // bti j
    CHECK(decode(0xD50324DF).is_landing_pad);  // bti jc
    CHECK(!decode(0xD503233F).is_landing_pad); // paciasp, which does more
    CHECK(decode(0xD503233F).signs_return);
    CHECK(decode(0xD503237F).signs_return);         // pacibsp
    CHECK(!decode(0xD503233F + 0x80).signs_return); // autiasp
    CHECK(!decode(0xD50320FF).signs_return);        // xpaclri
}

TEST(refuses_what_is_no_ordinary_code)
{
    rd_arm64_insn_t insn;
    CHECK(!rd_decode_arm64(0x00000000, &insn)); // udf #0
    CHECK(insn.is_padding);
    CHECK(!rd_decode_arm64(0x0000F003, &insn)); // udf
    CHECK(!insn.is_padding);
    CHECK(!rd_decode_arm64(0x02000000, &insn)); // unallocated
    CHECK(!rd_decode_arm64(0x06000000, &insn));
    CHECK(!rd_decode_arm64(0x25D8E3E0, &insn)); // ptrue
    CHECK(!rd_decode_arm64(0xC0080000, &insn)); // zero, of matrices
}

TEST(gives_the_planner_targets_from_the_end)
{
    rd_insn_t insn;
    CHECK(rd_decode_arm64_flow((const uint8_t *)"\x04\x00\x00\x14", 4, &insn));
    CHECK_EQ(insn.length, 4);
    CHECK_EQ(insn.rel, 12);
    CHECK_EQ(insn.flow, RD_FLOW_JUMP);
    CHECK(rd_decode_arm64_flow((const uint8_t *)"\xc8\x0c\x00\xf0", 4, &insn)); // adrp: no branch
    CHECK_EQ(insn.rel_size, 0);
    CHECK(!rd_decode_arm64_flow((const uint8_t *)"\x04\x00\x00\x14", 3, &insn));
}

TEST_MAIN(RUN(knows_where_control_goes) RUN(measures_distances) RUN(tells_what_is_relative)
              RUN(knows_hints) RUN(refuses_what_is_no_ordinary_code)
                  RUN(gives_the_planner_targets_from_the_end))
