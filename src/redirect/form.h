// SPDX-License-Identifier: MIT
// The jumps of the processor that this is built for: form_x86.c (x86 and x64) or form_arm64.c. Pure,
// but for the store.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RD_FORM_FAR_MAX 16

extern const uint16_t rd_form_machine; // of modules with this code
extern const uint32_t rd_form_size;    // of a near jump: what is replaced at an entry
extern const uintptr_t rd_form_reach;  // how far a near jump leads at least, less some slack
extern const uint8_t rd_form_filler;   // a byte that is no instruction to run into

bool rd_form_reaches(uintptr_t from, uintptr_t to);

// Requires rd_form_reaches; writes rd_form_size bytes.
void rd_form_near(uintptr_t from, uintptr_t to, uint8_t *out);

// A jump to anywhere, by way of no register that a call keeps. Returns its size; `out` is at a
// multiple of 16.
uint32_t rd_form_far(uintptr_t to, uint8_t out[RD_FORM_FAR_MAX]);

// The instructions that a near jump at `site` replaces, made to work at `out` (a multiple of 16),
// and a jump to what follows them. Returns the size, 0 when they cannot be moved or do not fit.
uint32_t rd_form_trampoline(const uint8_t *site, uint8_t *out, uint32_t room);

// Writes rd_form_size bytes. No other thread may be running the code meanwhile: neither x86 nor ARM
// says what a processor does that executes instructions while another one writes them.
void rd_form_store(uint8_t *site, const uint8_t *bytes);
