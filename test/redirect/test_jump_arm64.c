// SPDX-License-Identifier: MIT
// A64 jumps and moved instructions: their words, and on an A64 machine (or an emulation of one) the
// machine's own word for them: planned, written over a real function, called, and undone.
#define _DEFAULT_SOURCE 1 // MAP_ANONYMOUS
#include "check.h"
#include "redirect/decode_arm64.h"
#include "redirect/jump_arm64.h"
#include "redirect/patch_plan.h"

#define RET 0xD65F03C0

static uint32_t word_at(const uint8_t *bytes, unsigned index)
{
    return rd_arm64_word(bytes + 4 * index);
}

TEST(encodes_a_near_jump)
{
    uint8_t jump[RD_ARM64_NEAR_SIZE];
    rd_arm64_near(0x1000, 0x2000, jump);
    CHECK_EQ(word_at(jump, 0), 0x14000400);
    rd_arm64_near(0x2000, 0x1000, jump);
    CHECK_EQ(word_at(jump, 0), 0x17FFFC00);
}

TEST(encodes_a_far_jump)
{
    uint8_t jump[RD_ARM64_FAR_SIZE];
    rd_arm64_far(0x1122334455667788, jump);
    CHECK_EQ(word_at(jump, 0), 0x58000050); // ldr x16, 8
    CHECK_EQ(word_at(jump, 1), 0xD61F0200); // br x16
    CHECK_EQ(memcmp(jump + 8, "\x88\x77\x66\x55\x44\x33\x22\x11", 8), 0);
}

TEST(knows_its_reach)
{
    uint64_t here = 0x7FF800000000;
    CHECK(rd_arm64_reaches(here, here + 0x7FFFFFC));
    CHECK(!rd_arm64_reaches(here, here + 0x8000000));
    CHECK(rd_arm64_reaches(here, here - 0x8000000));
    CHECK(!rd_arm64_reaches(here, here - 0x8000004));
}

// Where the instruction is, and where it is moved to.
enum { FROM = 0x10001008, TO = 0x12345670 };

static unsigned move_to(uint32_t word, uint64_t to, uint8_t *out)
{
    memset(out, 0, RD_ARM64_MOVED_SIZE);
    return rd_arm64_move(word, FROM, to, out);
}

TEST(moves_what_is_not_relative_as_it_is)
{
    uint8_t out[RD_ARM64_MOVED_SIZE];
    CHECK_EQ(move_to(0xD503237F, TO, out), 4); // pacibsp
    CHECK_EQ(word_at(out, 0), 0xD503237F);
}

TEST(moves_branches_to_the_same_target)
{
    uint8_t out[RD_ARM64_MOVED_SIZE];
    CHECK_EQ(move_to(0x14000004, TO, out), 4); // b FROM + 16
    CHECK_EQ(word_at(out, 0), 0x14000000 | (((uint32_t)(FROM + 16 - TO) / 4) & 0x3FFFFFF));
    CHECK_EQ(move_to(0x97FFFFB4, TO, out), 4); // bl
    CHECK_EQ(word_at(out, 0), 0x94000000 | (((uint32_t)(FROM - 304 - TO) >> 2) & 0x3FFFFFF));
    CHECK_EQ(move_to(0x14000004, (uint64_t)FROM + 0x10000000, out), 0); // out of reach
}

TEST(moves_conditions_with_a_way_out)
{
    uint8_t out[RD_ARM64_MOVED_SIZE];
    CHECK_EQ(move_to(0xB40001C0, TO, out), 12); // cbz x0, FROM + 56
    CHECK_EQ(word_at(out, 0), 0xB4000040);      // cbz x0, 8 on
    CHECK_EQ(word_at(out, 1), 0x14000002);      // over the way out
    CHECK_EQ(word_at(out, 2), 0x14000000 | (((uint32_t)(FROM + 56 - TO - 8) >> 2) & 0x3FFFFFF));
    CHECK_EQ(move_to(0x37180040, TO, out), 12); // tbnz w0, #3, FROM + 8
    CHECK_EQ(word_at(out, 0), 0x37180040);
}

TEST(moves_addresses)
{
    uint8_t out[RD_ARM64_MOVED_SIZE];
    CHECK_EQ(move_to(0xF0000CC8, TO, out), 4); // adrp x8, FROM's page + 0x19B000
    rd_arm64_insn_t insn;
    CHECK(rd_decode_arm64(word_at(out, 0), &insn));
    CHECK_EQ(insn.form, RD_ARM64_ADRP);
    CHECK_EQ((TO & ~0xFFF) + insn.distance, (FROM & ~0xFFF) + 0x19B000);
    CHECK_EQ(word_at(out, 0) & 31, 8);
    CHECK_EQ(move_to(0x70FFFFE0, TO, out), 8); // adr x0, FROM - 1
    CHECK(rd_decode_arm64(word_at(out, 0), &insn));
    CHECK_EQ((TO & ~0xFFF) + insn.distance, FROM & ~0xFFF);
    CHECK_EQ(word_at(out, 1), 0x91000000 | 7 << 10); // add x0, x0, #7
    CHECK_EQ(move_to(0x7000001F, TO, out), 0);       // adr xzr
}

TEST(moves_literal_loads)
{
    uint8_t out[RD_ARM64_MOVED_SIZE];
    CHECK_EQ(move_to(0x58000043, TO, out), 8);       // ldr x3, FROM + 8
    CHECK_EQ(word_at(out, 1), 0xF9400203 | 2 << 10); // ldr x3, [x16, #16]
    CHECK_EQ(move_to(0x18000043, TO, out), 8);       // ldr w3
    CHECK_EQ(word_at(out, 1), 0xB9400203 | 4 << 10); // ldr w3, [x16, #16]
    CHECK_EQ(move_to(0x98000043, TO, out), 8);       // ldrsw x3
    CHECK_EQ(word_at(out, 1), 0xB9800203 | 4 << 10);
    CHECK_EQ(move_to(0x9C000043, TO, out), 8); // ldr q3
    CHECK_EQ(word_at(out, 1), 0x3DC00203 | 1 << 10);
    CHECK_EQ(move_to(0x58000023, TO, out), 0); // at a multiple of 4 only
    CHECK_EQ(move_to(0xD8000043, TO, out), 4); // prfm
    CHECK_EQ(word_at(out, 0), 0xD503201F);
}

#if defined(__aarch64__) && defined(__linux__)
#include <sys/mman.h>

static int replacement(void)
{
    return 42;
}

enum { MEMORY_SIZE = 8192, CODE = 64, RELAY = 4096, COPY = 4096 + 512 };

typedef struct patched {
    uint8_t *memory;
    uint8_t before[RD_ARM64_PATCH_SIZE];
    rd_site_t site;
} patched_t;

static void put_word(uint8_t *out, uint32_t word)
{
    memcpy(out, &word, sizeof word);
}

static bool load(patched_t *p, const uint32_t *words, unsigned count)
{
    p->memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p->memory == MAP_FAILED)
        return false;
    for (unsigned i = 0; i < count; i++)
        put_word(p->memory + CODE + 4 * i, words[i]);
    return true;
}

static int call_at(const patched_t *p, unsigned offset, int argument)
{
    __builtin___clear_cache((char *)p->memory, (char *)p->memory + MEMORY_SIZE);
    mprotect(p->memory, MEMORY_SIZE, PROT_READ | PROT_EXEC);
    int (*function)(long) = (int (*)(long))(uintptr_t)(p->memory + offset);
    int result = function(argument);
    mprotect(p->memory, MEMORY_SIZE, PROT_READ | PROT_WRITE);
    return result;
}

static rd_status_t patch(patched_t *p)
{
    rd_code_t code = {.bytes = p->memory,
                      .size = RELAY,
                      .va = (uintptr_t)p->memory,
                      .is_64 = true,
                      .is_arm64 = true,
                      .module_va = (uintptr_t)p->memory,
                      .module_size = RELAY};
    rd_status_t status = rd_plan_site(&code, CODE, &p->site);
    if (status != RD_OK)
        return status;
    uint8_t *site = p->memory + p->site.offset;
    memcpy(p->before, site, RD_ARM64_PATCH_SIZE);
    rd_arm64_far((uintptr_t)replacement, p->memory + RELAY);
    rd_arm64_near((uintptr_t)site, (uintptr_t)p->memory + RELAY, site);
    return RD_OK;
}

// The replaced word at another address, and a jump back behind it.
static void make_copy(const patched_t *p)
{
    uint8_t *out = p->memory + COPY;
    uintptr_t site = (uintptr_t)p->memory + p->site.offset;
    uint32_t size = rd_arm64_move(rd_arm64_word(p->before), site, (uintptr_t)out, out);
    CHECK(size > 0);
    rd_arm64_near((uintptr_t)out + size, site + 4, out + size);
}

// Plan, write, call; the original by way of its copy; undo, call.
static void check_patchable(const uint32_t *words, unsigned count, int argument, int value)
{
    patched_t p;
    REQUIRE(load(&p, words, count));
    CHECK_EQ(call_at(&p, CODE, argument), value);
    REQUIRE(patch(&p) == RD_OK);
    make_copy(&p);
    CHECK_EQ(call_at(&p, CODE, argument), 42);
    CHECK_EQ(call_at(&p, COPY, argument), value);
    memcpy(p.memory + p.site.offset, p.before, RD_ARM64_PATCH_SIZE);
    CHECK_EQ(memcmp(p.memory + CODE, words, 4 * (size_t)count), 0);
    CHECK_EQ(call_at(&p, CODE, argument), value);
    munmap(p.memory, MEMORY_SIZE);
}

#define CHECK_PATCHABLE(argument, value, ...)                                                      \
    check_patchable((const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4,  \
                    argument, value)

enum { MOV_W0_7 = 0x528000E0, MOV_W0_9 = 0x52800120 };

TEST(a_written_jump_works_and_can_be_undone)
{
    CHECK_PATCHABLE(0, 7, MOV_W0_7, RET);
    CHECK_PATCHABLE(0, 7, 0xD503245F, MOV_W0_7, RET);             // behind bti c
    CHECK_PATCHABLE(0, 7, 0xD503237F, MOV_W0_7, 0xD50323FF, RET); // pacibsp, autibsp
    CHECK_PATCHABLE(0, 7, 0xA9BF7BFD, MOV_W0_7, 0xA8C17BFD, RET); // a frame
    CHECK_PATCHABLE(0, 7, 0x14000003, 0, 0, MOV_W0_7, RET);       // a shim
}

TEST(a_moved_instruction_does_what_it_did)
{
    CHECK_PATCHABLE(0, 9, 0xB4000060, MOV_W0_7, RET, MOV_W0_9, RET); // cbz taken
    CHECK_PATCHABLE(1, 7, 0xB4000060, MOV_W0_7, RET, MOV_W0_9, RET); // and not
    CHECK_PATCHABLE(8, 9, 0x37180060, MOV_W0_7, RET, MOV_W0_9, RET); // tbnz of bit 3
    CHECK_PATCHABLE(7, 7, 0x37180060, MOV_W0_7, RET, MOV_W0_9, RET);
    CHECK_PATCHABLE(0, 77, 0x18000040, RET, 77);                    // ldr w0, literal
    CHECK_PATCHABLE(0, 77, 0x10000048, 0xB9400900, RET, 0x123, 77); // adr x8; ldr w0, [x8, #8]
    CHECK_PATCHABLE(0, 77, 0x90000008, 0xB9404D00, RET, 77);        // adrp x8; ldr w0, [x8, #76]
    CHECK_PATCHABLE(0, 77, 0x1C000060, 0x1E260000, RET, 77);        // ldr s0; fmov w0, s0
}
#endif

TEST_MAIN(RUN(encodes_a_near_jump) RUN(encodes_a_far_jump) RUN(knows_its_reach)
              RUN(moves_what_is_not_relative_as_it_is) RUN(moves_branches_to_the_same_target)
                  RUN(moves_conditions_with_a_way_out) RUN(moves_addresses) RUN(moves_literal_loads)
#if defined(__aarch64__) && defined(__linux__)
                      RUN(a_written_jump_works_and_can_be_undone)
                          RUN(a_moved_instruction_does_what_it_did)
#endif
)
