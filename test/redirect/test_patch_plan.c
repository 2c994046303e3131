// SPDX-License-Identifier: MIT
// The planner on hand-made prologues: each is planned, or refused for the expected reason.
#include "check.h"
#include "redirect/patch_plan.h"

#include <stdlib.h>

enum { X86 = 32, X64 = 64, CODE_SIZE = 256, ENTRY = 64 };

// The module is this one section; the function under test starts at ENTRY, among int3.
typedef struct sample {
    uint8_t bytes[CODE_SIZE];
    rd_code_t code;
    rd_site_t site;
    uint32_t starts[4];
} sample_t;

static size_t put_hex(uint8_t *out, const char *hex)
{
    size_t count = 0;
    for (char *end;; hex = end) {
        unsigned long byte = strtoul(hex, &end, 16);
        if (end == hex)
            return count;
        out[count++] = (uint8_t)byte;
    }
}

static void make(sample_t *s, const char *hex, int width)
{
    memset(s, 0, sizeof *s);
    memset(s->bytes, 0xCC, sizeof s->bytes);
    put_hex(s->bytes + ENTRY, hex);
    s->code = (rd_code_t){.bytes = s->bytes,
                          .size = CODE_SIZE,
                          .va = 0x10001000,
                          .is_64 = width == X64,
                          .starts = s->starts,
                          .module_va = 0x10000000,
                          .module_size = 0x10000};
}

static rd_status_t plan(const char *hex, int width)
{
    sample_t s;
    make(&s, hex, width);
    return rd_plan_site(&s.code, ENTRY, &s.site);
}

TEST(plans_usual_prologues)
{
    CHECK_EQ(plan("48 89 5c 24 08 57 48 83 ec 20 c3", X64), RD_OK);
    CHECK_EQ(plan("40 53 48 83 ec 20 48 8b d9 c3", X64), RD_OK);
    CHECK_EQ(plan("8b ff 55 8b ec 5d c3", X86), RD_OK);
    CHECK_EQ(plan("55 89 e5 83 e4 f0 c9 c3", X86), RD_OK);
}

TEST(knows_single_instructions)
{
    sample_t s;
    make(&s, "48 89 5c 24 08 c3", X64);
    CHECK_EQ(rd_plan_site(&s.code, ENTRY, &s.site), RD_OK);
    CHECK(s.site.is_single_insn);
    make(&s, "40 53 48 83 ec 20 c3", X64);
    CHECK_EQ(rd_plan_site(&s.code, ENTRY, &s.site), RD_OK);
    CHECK(!s.site.is_single_insn);
}

TEST(plans_shims_packed_back_to_back)
{
    // Three jumps of 5 bytes, the middle one is the function.
    sample_t s;
    make(&s, "e9 20 00 00 00 e9 30 00 00 00", X64);
    put_hex(s.bytes + ENTRY - 5, "e9 10 00 00 00");
    s.starts[0] = ENTRY + 5;
    s.code.start_count = 1;
    CHECK_EQ(rd_plan_site(&s.code, ENTRY, &s.site), RD_OK);
    CHECK_EQ(s.site.offset, ENTRY);
}

TEST(refuses_a_shim_with_the_next_one_too_near)
{
    sample_t s;
    make(&s, "eb 20 eb 30 eb 40", X64);
    s.starts[0] = ENTRY + 2;
    s.code.start_count = 1;
    CHECK_EQ(rd_plan_site(&s.code, ENTRY, &s.site), RD_NEXT_FUNCTION);
    // Without anybody's word for it, the bytes behind the jump show that they are code.
    CHECK_EQ(plan("eb 20 48 8b c1 c3", X64), RD_TOO_SHORT);
}

TEST(takes_padding_behind_a_short_function)
{
    CHECK_EQ(plan("c3 cc cc cc cc", X64), RD_OK);
    CHECK_EQ(plan("33 c0 c3 66 90", X64), RD_OK);
    CHECK_EQ(plan("c3 0f 1f 40 00", X64), RD_OK);
    CHECK_EQ(plan("33 c0 c3 48 8b c1", X64), RD_TOO_SHORT);
}

TEST(refuses_a_function_at_the_end_of_its_section)
{
    sample_t s;
    make(&s, "", X64);
    put_hex(s.bytes + CODE_SIZE - 4, "33 c0 c3 cc");
    CHECK_EQ(rd_plan_site(&s.code, CODE_SIZE - 4, &s.site), RD_TOO_SHORT);
    put_hex(s.bytes + CODE_SIZE - 5, "33 c0 c3 cc cc");
    CHECK_EQ(rd_plan_site(&s.code, CODE_SIZE - 5, &s.site), RD_OK);
    CHECK_EQ(rd_plan_site(&s.code, CODE_SIZE, &s.site), RD_NOT_CODE);
}

TEST(keeps_an_indirect_branch_landing_pad)
{
    sample_t s;
    make(&s, "f3 0f 1e fa 48 89 5c 24 08 c3", X64);
    CHECK_EQ(rd_plan_site(&s.code, ENTRY, &s.site), RD_OK);
    CHECK_EQ(s.site.offset, ENTRY + 4);
    CHECK_EQ(plan("f3 0f 1e fa c3 48 8b c1 c3", X64), RD_TOO_SHORT);
}

TEST(refuses_a_branch_into_the_first_bytes)
{
    // A loop back to the third byte.
    CHECK_EQ(plan("33 c0 ff c0 83 f8 09 75 f9 c3", X64), RD_BRANCH_INSIDE);
    // The same by a long branch from a part far away.
    sample_t s;
    make(&s, "33 c0 85 c9 0f 84 76 00 00 00 c3", X64);
    put_hex(s.bytes + ENTRY + 0x80, "ff c0 e9 7b ff ff ff");
    CHECK_EQ(rd_plan_site(&s.code, ENTRY, &s.site), RD_BRANCH_INSIDE);
}

TEST(allows_a_branch_to_the_first_byte_or_behind_the_jump)
{
    CHECK_EQ(plan("48 89 5c 24 08 85 c9 75 f7 c3", X64), RD_OK);
    CHECK_EQ(plan("48 89 5c 24 08 ff c9 75 fc c3", X64), RD_OK);
}

TEST(refuses_a_call_that_returns_into_the_first_bytes)
{
    CHECK_EQ(plan("ff d0 48 8b c8 c3", X64), RD_CALL_INSIDE);
    // A call that ends where the jump ends comes back behind it.
    CHECK_EQ(plan("e8 20 00 00 00 c3", X64), RD_OK);
}

TEST(refuses_what_somebody_else_has_hooked)
{
    // A jump out of the module; through the pad before the entry; through a pointer; push and ret.
    CHECK_EQ(plan("e9 00 00 00 10 cc", X64), RD_HOOKED);
    sample_t s;
    make(&s, "eb f9 55 8b ec 5d c3", X86);
    put_hex(s.bytes + ENTRY - 5, "e9 00 00 00 10");
    CHECK_EQ(rd_plan_site(&s.code, ENTRY, &s.site), RD_HOOKED);
    CHECK_EQ(plan("ff 25 10 00 00 00", X64), RD_HOOKED);
    CHECK_EQ(plan("68 00 00 00 10 c3", X86), RD_HOOKED);
}

TEST(knows_hooks_that_reach_any_address)
{
    // mov rax or r11, address; jmp. The same with push and ret. push, its upper half, ret.
    CHECK_EQ(plan("48 b8 00 00 00 90 ff 7f 00 00 ff e0", X64), RD_HOOKED);
    CHECK_EQ(plan("49 bb 00 00 00 90 ff 7f 00 00 41 ff e3", X64), RD_HOOKED);
    CHECK_EQ(plan("48 b8 00 00 00 90 ff 7f 00 00 50 c3", X64), RD_HOOKED);
    CHECK_EQ(plan("68 00 00 00 90 c7 44 24 04 ff 7f 00 00 c3", X64), RD_HOOKED);
    CHECK_EQ(plan("b8 00 00 00 70 ff e0", X86), RD_HOOKED);
    // Within the module, another register, or no jump: code like any other.
    CHECK_EQ(plan("48 b8 00 20 00 10 00 00 00 00 ff e0", X64), RD_OK);
    CHECK_EQ(plan("48 b8 00 00 00 90 ff 7f 00 00 ff e1", X64), RD_OK);
    CHECK_EQ(plan("49 bb 00 00 00 90 ff 7f 00 00 ff e3", X64), RD_OK);
    CHECK_EQ(plan("48 b8 00 00 00 90 ff 7f 00 00 c3", X64), RD_OK);
    CHECK_EQ(plan("b8 00 00 00 70 c3", X86), RD_OK);
}

TEST(knows_a_hook_behind_a_landing_pad)
{
    CHECK_EQ(plan("f3 0f 1e fa e9 00 00 00 10 cc", X64), RD_HOOKED);
    CHECK_EQ(plan("f3 0f 1e fa e9 20 00 00 00 cc", X64), RD_OK);
}

TEST(refuses_a_pad_that_is_in_use_within_the_module)
{
    sample_t s;
    make(&s, "eb f9 55 8b ec 5d c3", X86);
    put_hex(s.bytes + ENTRY - 5, "e9 20 00 00 00");
    CHECK_EQ(rd_plan_site(&s.code, ENTRY, &s.site), RD_TOO_SHORT);
}

TEST(plans_over_an_unused_hot_patch_pad)
{
    sample_t s;
    make(&s, "8b ff 55 8b ec 5d c3", X86);
    put_hex(s.bytes + ENTRY - 5, "90 90 90 90 90");
    CHECK_EQ(rd_plan_site(&s.code, ENTRY, &s.site), RD_OK);
    CHECK_EQ(s.site.offset, ENTRY); // the pad is not touched
}

TEST(refuses_a_jump_chain_without_an_end)
{
    CHECK_EQ(plan("eb fe cc cc cc", X64), RD_HOOKED);
}

TEST(refuses_unknown_instructions)
{
    CHECK_EQ(plan("d6 90 90 90 90 c3", X64), RD_UNKNOWN_CODE);
    // Behind the jump they do not matter.
    CHECK_EQ(plan("48 89 5c 24 08 d6", X64), RD_OK);
}

TEST(refuses_what_it_cannot_follow_to_its_end)
{
    static uint8_t bytes[0x8000];
    // Eight thousand conditional branches, each to a place of its own.
    memset(bytes, 0x90, sizeof bytes);
    for (size_t i = 0; i + 8 < sizeof bytes; i += 2) {
        bytes[i] = 0x75;
        bytes[i + 1] = 0x02;
    }
    rd_code_t code = {.bytes = bytes,
                      .size = sizeof bytes,
                      .is_64 = true,
                      .va = 0x1000,
                      .module_va = 0x1000,
                      .module_size = sizeof bytes};
    rd_site_t site;
    CHECK_EQ(rd_plan_site(&code, 0, &site), RD_BRANCH_INSIDE);
    memcpy(bytes, "\x48\x89\x5c\x24\x08\x90", 6);
    CHECK_EQ(rd_plan_site(&code, 0, &site), RD_UNPROVEN);
}

TEST_MAIN(
    RUN(plans_usual_prologues) RUN(knows_single_instructions) RUN(plans_shims_packed_back_to_back)
        RUN(refuses_a_shim_with_the_next_one_too_near) RUN(takes_padding_behind_a_short_function)
            RUN(refuses_a_function_at_the_end_of_its_section)
                RUN(keeps_an_indirect_branch_landing_pad) RUN(refuses_a_branch_into_the_first_bytes)
                    RUN(allows_a_branch_to_the_first_byte_or_behind_the_jump)
                        RUN(refuses_a_call_that_returns_into_the_first_bytes)
                            RUN(refuses_what_somebody_else_has_hooked)
                                RUN(knows_hooks_that_reach_any_address)
                                    RUN(knows_a_hook_behind_a_landing_pad)
                                        RUN(refuses_a_pad_that_is_in_use_within_the_module)
                                            RUN(plans_over_an_unused_hot_patch_pad)
                                                RUN(refuses_a_jump_chain_without_an_end)
                                                    RUN(refuses_unknown_instructions) RUN(
                                                        refuses_what_it_cannot_follow_to_its_end))
