// SPDX-License-Identifier: MIT
// Jumps: their bytes, and on x64 the machine's own word for them: planned, written over a real
// function, called, and undone.
#define _DEFAULT_SOURCE 1 // MAP_ANONYMOUS
#include "check.h"
#include "redirect/jump.h"
#include "redirect/patch_plan.h"

TEST(encodes_a_near_jump)
{
    uint8_t jump[RD_NEAR_JUMP_SIZE];
    rd_jump_near(0x1000, 0x2000, jump);
    CHECK_EQ(memcmp(jump, "\xE9\xFB\x0F\x00\x00", 5), 0);
    rd_jump_near(0x2000, 0x1000, jump);
    CHECK_EQ(memcmp(jump, "\xE9\xFB\xEF\xFF\xFF", 5), 0);
}

TEST(encodes_a_far_jump)
{
    uint8_t jump[RD_FAR_JUMP_SIZE];
    rd_jump_far(0x1122334455667788u, jump);
    CHECK_EQ(memcmp(jump, "\xFF\x25\x00\x00\x00\x00\x88\x77\x66\x55\x44\x33\x22\x11", 14), 0);
}

TEST(knows_its_reach)
{
    uint64_t here = 0x7FF800000000u;
    CHECK(rd_jump_reaches(here, here + 5 + INT32_MAX, true));
    CHECK(!rd_jump_reaches(here, here + 6 + INT32_MAX, true));
    CHECK(rd_jump_reaches(here, here + 5 - 0x80000000u, true));
    CHECK(!rd_jump_reaches(here, here + 4 - 0x80000000u, true));
    CHECK(rd_jump_reaches(0x1000, 0xF0000000u, false)); // 32-bit addresses wrap
}

#if defined(__x86_64__) && defined(__linux__)
#include <sys/mman.h>

static int replacement(void)
{
    return 42;
}

// A function in memory of its own: code at 64, as sanitizers look at what is before a function that
// is called, and a relay at 512.
typedef struct patched {
    uint8_t *memory;
    uint32_t entry;
    uint8_t before[16];
    rd_site_t site;
} patched_t;

enum { MEMORY_SIZE = 4096, CODE = 64, RELAY = 512 };

static bool load_at(patched_t *p, uint32_t offset, const void *code, size_t size)
{
    // The page behind it is nobody's: to run over the end is to crash.
    p->memory = mmap(NULL, 2 * (size_t)MEMORY_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p->memory == MAP_FAILED || mprotect(p->memory, MEMORY_SIZE, PROT_READ | PROT_WRITE) != 0)
        return false;
    memset(p->memory, 0xCC, MEMORY_SIZE);
    memcpy(p->memory + offset, code, size);
    p->entry = offset;
    return true;
}

static void unload(const patched_t *p)
{
    munmap(p->memory, 2 * (size_t)MEMORY_SIZE);
}

static int call_at(const patched_t *p, uint32_t offset)
{
    mprotect(p->memory, MEMORY_SIZE, PROT_READ | PROT_EXEC);
    int (*function)(void) = (int (*)(void))(uintptr_t)(p->memory + offset);
    int result = function();
    mprotect(p->memory, MEMORY_SIZE, PROT_READ | PROT_WRITE);
    return result;
}

static rd_status_t patch(patched_t *p, const uint32_t *starts, uint32_t start_count)
{
    rd_code_t code = {.bytes = p->memory,
                      .starts = starts,
                      .start_count = start_count,
                      .size = MEMORY_SIZE,
                      .va = (uintptr_t)p->memory,
                      .is_64 = true,
                      .module_va = (uintptr_t)p->memory,
                      .module_size = MEMORY_SIZE};
    rd_status_t status = rd_plan_site(&code, p->entry, &p->site);
    if (status != RD_OK)
        return status;
    uint8_t *site = p->memory + p->site.offset;
    memcpy(p->before, site, RD_PATCH_SIZE);
    rd_jump_far((uintptr_t)replacement, p->memory + RELAY);
    rd_jump_near((uintptr_t)site, (uintptr_t)p->memory + RELAY, site);
    return RD_OK;
}

static void undo(const patched_t *p)
{
    memcpy(p->memory + p->site.offset, p->before, RD_PATCH_SIZE);
}

// Plan, write, call, undo, call.
static void check_patchable_at(uint32_t offset, const void *code, size_t size, int value)
{
    patched_t p;
    REQUIRE(load_at(&p, offset, code, size));
    CHECK_EQ(call_at(&p, offset), value);
    REQUIRE(patch(&p, NULL, 0) == RD_OK);
    CHECK_EQ(call_at(&p, offset), 42);
    undo(&p);
    CHECK_EQ(memcmp(p.memory + offset, code, size), 0);
    CHECK_EQ(call_at(&p, offset), value);
    unload(&p);
}

static void check_patchable(const void *code, size_t size, int value)
{
    check_patchable_at(CODE, code, size, value);
}

TEST(a_written_jump_works_and_can_be_undone)
{
    check_patchable("\xB8\x07\x00\x00\x00\xC3", 6, 7);                  // mov eax, 7
    check_patchable("\x33\xC0\xC3", 3, 0);                              // short, padding
    check_patchable("\xF3\x0F\x1E\xFA\xB8\x05\x00\x00\x00\xC3", 10, 5); // endbr64
    check_patchable("\x53\x48\x83\xEC\x20\x48\x83\xC4\x20\x5B\x6A\x09\x58\xC3", 14, 9);
    check_patchable("\xE9\x03\x00\x00\x00\xCC\xCC\xCC\x6A\x06\x58\xC3", 12, 6); // a shim
    check_patchable("\x85\xC9\x6A\x03\x58\xC3", 6, 3); // three instructions
    check_patchable("\xB9\x02\x00\x00\x00\xFF\xC9\x75\xFC\x89\xC8\xC3", 12, 0); // a loop behind
}

TEST(a_jump_at_the_end_of_a_page_stays_there)
{
    check_patchable_at(MEMORY_SIZE - 5, "\x6A\x04\x58\xC3\xCC", 5, 4);
    patched_t p;
    REQUIRE(load_at(&p, MEMORY_SIZE - 4, "\x6A\x04\x58\xC3", 4));
    CHECK_EQ(patch(&p, NULL, 0), RD_TOO_SHORT);
    CHECK_EQ(call_at(&p, MEMORY_SIZE - 4), 4);
    unload(&p);
}

TEST(shims_packed_back_to_back_work_beside_a_jump)
{
    // Three jumps of 5 bytes to functions that give 1, 2 and 3; the middle one is replaced.
    static const char code[] = "\xE9\x0B\x00\x00\x00\xE9\x0B\x00\x00\x00\xE9\x0B\x00\x00\x00"
                               "\xCC\x6A\x01\x58\xC3\xCC\x6A\x02\x58\xC3\xCC\x6A\x03\x58\xC3";
    const uint32_t starts[] = {CODE, CODE + 10};
    patched_t p;
    REQUIRE(load_at(&p, CODE, code, sizeof code - 1));
    p.entry = CODE + 5;
    REQUIRE(patch(&p, starts, 2) == RD_OK);
    CHECK_EQ(call_at(&p, CODE), 1);
    CHECK_EQ(call_at(&p, CODE + 5), 42);
    CHECK_EQ(call_at(&p, CODE + 10), 3);
    undo(&p);
    CHECK_EQ(memcmp(p.memory + CODE, code, sizeof code - 1), 0);
    CHECK_EQ(call_at(&p, CODE + 5), 2);
    unload(&p);
}
#endif

TEST_MAIN(RUN(encodes_a_near_jump) RUN(encodes_a_far_jump) RUN(knows_its_reach)
#if defined(__x86_64__) && defined(__linux__)
              RUN(a_written_jump_works_and_can_be_undone)
                  RUN(a_jump_at_the_end_of_a_page_stays_there)
                      RUN(shims_packed_back_to_back_work_beside_a_jump)
#endif
)
