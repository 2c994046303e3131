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
    uint8_t before[16];
    rd_site_t site;
} patched_t;

enum { MEMORY_SIZE = 4096, CODE = 64, RELAY = 512 };

static bool load(patched_t *p, const void *code, size_t size)
{
    p->memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p->memory == MAP_FAILED)
        return false;
    memset(p->memory, 0xCC, MEMORY_SIZE);
    memcpy(p->memory + CODE, code, size);
    return true;
}

static int call(const patched_t *p)
{
    mprotect(p->memory, MEMORY_SIZE, PROT_READ | PROT_EXEC);
    int (*function)(void) = (int (*)(void))(uintptr_t)(p->memory + CODE);
    int result = function();
    mprotect(p->memory, MEMORY_SIZE, PROT_READ | PROT_WRITE);
    return result;
}

static rd_status_t patch(patched_t *p)
{
    rd_code_t code = {.bytes = p->memory,
                      .size = MEMORY_SIZE,
                      .va = (uintptr_t)p->memory,
                      .is_64 = true,
                      .module_va = (uintptr_t)p->memory,
                      .module_size = MEMORY_SIZE};
    rd_status_t status = rd_plan_site(&code, CODE, &p->site);
    if (status != RD_OK)
        return status;
    uint8_t *site = p->memory + p->site.offset;
    memcpy(p->before, site, RD_PATCH_SIZE);
    rd_jump_far((uintptr_t)replacement, p->memory + RELAY);
    rd_jump_near((uintptr_t)site, (uintptr_t)p->memory + RELAY, site);
    return RD_OK;
}

// Plan, write, call, undo, call.
static void check_patchable(const void *code, size_t size, int value)
{
    patched_t p;
    REQUIRE(load(&p, code, size));
    CHECK_EQ(call(&p), value);
    REQUIRE(patch(&p) == RD_OK);
    CHECK_EQ(call(&p), 42);
    memcpy(p.memory + p.site.offset, p.before, RD_PATCH_SIZE);
    CHECK_EQ(memcmp(p.memory + CODE, code, size), 0);
    CHECK_EQ(call(&p), value);
    munmap(p.memory, MEMORY_SIZE);
}

TEST(a_written_jump_works_and_can_be_undone)
{
    check_patchable("\xB8\x07\x00\x00\x00\xC3", 6, 7);                  // mov eax, 7
    check_patchable("\x33\xC0\xC3", 3, 0);                              // short, padding
    check_patchable("\xF3\x0F\x1E\xFA\xB8\x05\x00\x00\x00\xC3", 10, 5); // endbr64
    check_patchable("\x53\x48\x83\xEC\x20\x48\x83\xC4\x20\x5B\x6A\x09\x58\xC3", 14, 9);
    check_patchable("\xE9\x03\x00\x00\x00\xCC\xCC\xCC\x6A\x06\x58\xC3", 12, 6); // a shim
}
#endif

TEST_MAIN(RUN(encodes_a_near_jump) RUN(encodes_a_far_jump) RUN(knows_its_reach)
#if defined(__x86_64__) && defined(__linux__)
              RUN(a_written_jump_works_and_can_be_undone)
#endif
)
