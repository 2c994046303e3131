// SPDX-License-Identifier: MIT
// The form of A64: b, or ldr x16 and br. One instruction is replaced by one, in one aligned word: the
// architecture lets b be exchanged for another instruction while others run it, if the cache is told.
#include "redirect/form.h"
#include "redirect/decode_arm64.h"
#include "redirect/freestanding.h"
#include "redirect/jump_arm64.h"

#include "compiler/atomics.h"
#include "pe/pe_format.h"

const uint16_t rd_form_machine = PE_MACHINE_ARM64;
const uint32_t rd_form_size = RD_ARM64_NEAR_SIZE;
// 128 MiB, less slack for the module's own extent and the page.
const uintptr_t rd_form_reach = 0x7F00000;
const uint8_t rd_form_filler = 0; // udf

bool rd_form_reaches(uintptr_t from, uintptr_t to)
{
    return rd_arm64_reaches(from, to);
}

void rd_form_near(uintptr_t from, uintptr_t to, uint8_t *out)
{
    rd_arm64_near(from, to, out);
}

uint32_t rd_form_far(uintptr_t to, uint8_t out[RD_FORM_FAR_MAX])
{
    rd_arm64_far(to, out);
    return RD_ARM64_FAR_SIZE;
}

uint32_t rd_form_trampoline(const uint8_t *site, uint8_t *out, uint32_t room)
{
    uintptr_t back = (uintptr_t)site + RD_ARM64_NEAR_SIZE;
    if (room < RD_ARM64_MOVED_SIZE + RD_ARM64_NEAR_SIZE)
        return 0;
    uint32_t size = rd_arm64_move(rd_arm64_word(site), (uintptr_t)site, (uintptr_t)out, out);
    if (size == 0 || !rd_arm64_reaches((uintptr_t)out + size, back))
        return 0;
    rd_arm64_near((uintptr_t)out + size, back, out + size);
    return size + RD_ARM64_NEAR_SIZE;
}

void rd_form_store(uint8_t *site, const uint8_t *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    mi_plain_store_seq_cst((uint32_t *)(uintptr_t)site, word);
}
