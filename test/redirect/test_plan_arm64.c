// SPDX-License-Identifier: MIT
// The planner on hand-made A64 prologues: each is planned, or refused for the expected reason.
#include "check.h"
#include "redirect/decode_arm64.h"
#include "redirect/patch_plan.h"

enum { WORD_COUNT = 64, ENTRY_WORD = 16, ENTRY = 4 * ENTRY_WORD, MAX_WORDS = 12 };

#define NOP     0xD503201F
#define BTI_C   0xD503245F
#define BTI_J   0xD503249F
#define PACIBSP 0xD503237F
#define PACIASP 0xD503233F
#define SUB_SP  0xD10083FF // sub sp, sp, #32
#define RET     0xD65F03C0
#define BR_X16  0xD61F0200

// The module is this one section and 64 KiB of data behind it; the function starts at ENTRY.
typedef struct sample {
    uint8_t bytes[4 * WORD_COUNT];
    rd_code_t code;
    rd_site_t site;
    uint32_t starts[4];
} sample_t;

static void put_word(uint8_t *out, uint32_t word)
{
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(word >> (8 * i));
}

static void make(sample_t *s, const uint32_t *words, unsigned count)
{
    memset(s, 0, sizeof *s);
    for (unsigned i = 0; i < count; i++)
        put_word(s->bytes + ENTRY + 4 * i, words[i]);
    s->code = (rd_code_t){.bytes = s->bytes,
                          .size = sizeof s->bytes,
                          .va = 0x180001000,
                          .is_64 = true,
                          .is_arm64 = true,
                          .starts = s->starts,
                          .module_va = 0x180000000,
                          .module_size = 0x12000};
}

typedef struct expectation {
    const char *what;
    uint32_t words[MAX_WORDS];
    rd_status_t status;
    uint32_t site; // behind the entry
} expectation_t;

// Zero words are what follows: udf #0, as linkers put it between functions.
static const expectation_t table[] = {
    {"frame with a signed return address", {PACIBSP, SUB_SP, 0xA9BF7BFD, RET}, RD_OK, 0},
    {"the other key", {PACIASP, SUB_SP, RET}, RD_OK, 0},
    {"plain frame", {0xA9BF7BFD, 0x910003FD, RET}, RD_OK, 0},
    {"landing pad of calls stays", {BTI_C, SUB_SP, RET}, RD_OK, 4},
    {"landing pad before a signed frame", {BTI_C, PACIBSP, SUB_SP, RET}, RD_OK, 4},
    {"landing pad of jumps stays", {BTI_J, 0xB40000C0, RET}, RD_OK, 4},
    {"shim with room for another", {0x14000004, NOP, NOP, 0, PACIBSP, RET}, RD_OK, 0},
    {"function of one instruction", {RET}, RD_OK, 0},
    {"test of the argument first", {0xB4000080, 0x927DF008, RET}, RD_OK, 0},
    {"address of data", {0xB0000008, 0xF9405100, RET}, RD_OK, 0},
    {"literal beside the code", {0x58000040, RET, 1, 2}, RD_OK, 0},
    {"call first", {0x94000004, RET}, RD_OK, 0},
    {"thunk of an import", {0xB0000010, 0xF9400210, BR_X16}, RD_OK, 0},
    {"thunk to a far function of the module", {0x90000010, 0x91001210, BR_X16}, RD_OK, 0},
    {"recursion", {SUB_SP, 0x97FFFFFF, RET}, RD_OK, 0},
    {"jump through a table", {0xB0000008, 0xF8607908, 0xD61F0100}, RD_OK, 0},
    {"loop behind the entry", {SUB_SP, 0xF1000400, 0x54FFFFE1, RET}, RD_OK, 0},

    {"loop back to the entry", {0xF1000400, 0x54FFFFE1, RET}, RD_BRANCH_INSIDE, 0},
    {"jump back to the entry", {SUB_SP, 0xB4000040, 0x17FFFFFE, RET}, RD_BRANCH_INSIDE, 0},
    {"loop back to what follows the pad", {BTI_C, SUB_SP, 0xB5FFFFE0, RET}, RD_BRANCH_INSIDE, 0},
    {"bit test back to the entry", {SUB_SP, 0x3607FFE0, RET}, RD_BRANCH_INSIDE, 0},
    {"nothing", {0, RET}, RD_UNKNOWN_CODE, 0},
    {"data", {0x02000000, RET}, RD_UNKNOWN_CODE, 0},
    {"scalable vectors", {0x25D8E3E0, RET}, RD_UNKNOWN_CODE, 0},
    {"pad and nothing", {BTI_C, 0}, RD_UNKNOWN_CODE, 0},

    {"branch out of the module", {0x17F00000, NOP}, RD_HOOKED, 0},
    {"literal and br", {0x58000050, BR_X16, 0x12345678, 0x7FF8}, RD_HOOKED, 0},
    {"literal and br by x17", {0x58000051, 0xD61F0220, 0x12345678, 0x7FF8}, RD_HOOKED, 0},
    {"number and br", {0xD2800010, 0xF2A00010, 0xF2DFFF10, BR_X16}, RD_HOOKED, 0},
    {"page out of the module and br", {0xB0010010, 0x91000210, BR_X16}, RD_HOOKED, 0},
    {"slot out of the module and br", {0xB0010010, 0xF9400210, BR_X16}, RD_HOOKED, 0},
    {"hook behind a landing pad", {BTI_C, 0x58000050, BR_X16}, RD_HOOKED, 0},
    {"hook by way of a pad", {0x14000003, NOP, RET, 0x58000050, BR_X16}, RD_HOOKED, 0},
    {"chain without an end", {0x14000001, 0x17FFFFFF}, RD_HOOKED, 0},
};

TEST(judges_each_prologue_of_the_table)
{
    for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++) {
        const expectation_t *e = &table[i];
        sample_t s;
        make(&s, e->words, MAX_WORDS);
        rd_status_t status = rd_plan_site(&s.code, ENTRY, &s.site);
        if (status != e->status)
            printf("    %s: %s\n", e->what, rd_status_text(status));
        CHECK_EQ(status, e->status);
        if (status == RD_OK && e->status == RD_OK) {
            CHECK_EQ(s.site.offset, ENTRY + e->site);
            CHECK(s.site.is_single_insn);
        }
    }
}

static rd_status_t plan_of(sample_t *s)
{
    return rd_plan_site(&s->code, ENTRY, &s->site);
}

TEST(replaces_one_word)
{
    sample_t s;
    make(&s, (const uint32_t[]){RET}, 1);
    CHECK_EQ(rd_patch_size(&s.code), 4);
}

TEST(takes_the_last_word_of_a_section)
{
    sample_t s;
    make(&s, (const uint32_t[]){RET}, 1);
    s.code.size = ENTRY + 4;
    CHECK_EQ(plan_of(&s), RD_OK);
    s.code.size = ENTRY + 3;
    CHECK_EQ(plan_of(&s), RD_NOT_CODE);
    make(&s, (const uint32_t[]){BTI_C}, 1);
    s.code.size = ENTRY + 4;
    CHECK_EQ(plan_of(&s), RD_TOO_SHORT);
}

TEST(refuses_an_entry_between_words)
{
    sample_t s;
    make(&s, (const uint32_t[]){RET, RET}, 2);
    CHECK_EQ(rd_plan_site(&s.code, ENTRY + 2, &s.site), RD_NOT_CODE);
}

TEST(packs_shims_back_to_back)
{
    sample_t s;
    make(&s, (const uint32_t[]){0x14000010, 0x14000010}, 2);
    s.starts[0] = ENTRY + 4;
    s.code.start_count = 1;
    CHECK_EQ(plan_of(&s), RD_OK);
}

TEST(refuses_a_landing_pad_with_the_next_function_behind_it)
{
    sample_t s;
    make(&s, (const uint32_t[]){BTI_C, SUB_SP, RET}, 3);
    s.starts[0] = ENTRY + 4;
    s.code.start_count = 1;
    CHECK_EQ(plan_of(&s), RD_NEXT_FUNCTION);
}

TEST(keeps_a_signed_frame_as_landing_pad_where_pads_are_demanded)
{
    sample_t s;
    make(&s, (const uint32_t[]){PACIBSP, SUB_SP, RET}, 3);
    s.code.needs_landing_pads = true;
    CHECK_EQ(plan_of(&s), RD_LANDING_PAD);
    make(&s, (const uint32_t[]){BTI_C, PACIBSP, SUB_SP, RET}, 4);
    s.code.needs_landing_pads = true;
    CHECK_EQ(plan_of(&s), RD_OK);
    CHECK_EQ(s.site.offset, ENTRY + 4);
}

TEST_MAIN(RUN(judges_each_prologue_of_the_table) RUN(replaces_one_word)
              RUN(takes_the_last_word_of_a_section) RUN(refuses_an_entry_between_words)
                  RUN(packs_shims_back_to_back)
                      RUN(refuses_a_landing_pad_with_the_next_function_behind_it)
                          RUN(keeps_a_signed_frame_as_landing_pad_where_pads_are_demanded))
