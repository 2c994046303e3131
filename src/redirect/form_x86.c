// SPDX-License-Identifier: MIT
// The form of x86 and x64: E9 and a distance, or FF 25 and an address.
#include "redirect/form.h"
#include "redirect/decode.h"
#include "redirect/freestanding.h"
#include "redirect/jump.h"

#include "compiler/atomics.h"
#include "pe/pe_format.h"

#define IS_64 (sizeof(void *) == 8)

const uint16_t rd_form_machine = IS_64 ? PE_MACHINE_AMD64 : PE_MACHINE_I386;
const uint32_t rd_form_size = RD_NEAR_JUMP_SIZE;
// 2 GiB, less slack for the module's own extent and the page.
const uintptr_t rd_form_reach = 0x7FF00000;
const uint8_t rd_form_filler = 0xCC;

bool rd_form_reaches(uintptr_t from, uintptr_t to)
{
    return rd_jump_reaches(from, to, IS_64);
}

void rd_form_near(uintptr_t from, uintptr_t to, uint8_t *out)
{
    rd_jump_near(from, to, out);
}

uint32_t rd_form_far(uintptr_t to, uint8_t out[RD_FORM_FAR_MAX])
{
    rd_jump_far(to, out);
    return RD_FAR_JUMP_SIZE;
}

// Only for code that can be moved as it is.
uint32_t rd_form_trampoline(const uint8_t *site, uint8_t *out, uint32_t room)
{
    uint32_t length = 0;
    while (length < RD_NEAR_JUMP_SIZE) {
        rd_insn_t insn;
        if (!rd_decode(site + length, 16, IS_64, &insn) || insn.rel_size != 0 ||
            insn.disp_offset != 0 || insn.flow != RD_FLOW_NEXT)
            return 0;
        length += insn.length;
    }
    if (length + RD_FAR_JUMP_SIZE > room)
        return 0;
    memcpy(out, site, length);
    if (!IS_64) {
        rd_jump_near((uintptr_t)out + length, (uintptr_t)site + length, out + length);
        return length + RD_NEAR_JUMP_SIZE;
    }
    rd_jump_far((uintptr_t)site + length, out + length);
    return length + RD_FAR_JUMP_SIZE;
}

// One store where the bytes lie in one aligned word, as entries of functions do.
void rd_form_store(uint8_t *site, const uint8_t *bytes)
{
    uintptr_t word = (uintptr_t)site & ~(uintptr_t)7;
    size_t at = (uintptr_t)site - word;
    if (at + RD_NEAR_JUMP_SIZE <= 8) {
        uint64_t value = *(volatile uint64_t *)word;
        memcpy((uint8_t *)&value + at, bytes, RD_NEAR_JUMP_SIZE);
        mi_plain_store_seq_cst((uint64_t *)word, value);
        return;
    }
    for (unsigned i = 0; i < RD_NEAR_JUMP_SIZE; i++)
        *(volatile uint8_t *)(site + i) = bytes[i];
}
