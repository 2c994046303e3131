// SPDX-License-Identifier: MIT
// Runs the pure part of minject on bytes in memory and checks what must hold for every file: the
// result passes verification, a second run changes nothing, and the original comes back.
#pragma once

#include "minject/minject.h"

// How far a file got.
typedef struct injected {
    mj_status_t status;    // of the plan, or of the verification
    pe_status_t pe_status; // when the status is MJ_BAD_IMAGE
    const char *broken;    // NULL, or which of the promises does not hold
    mj_plan_t plan;        // its entries are freed
    uint32_t size;         // of the result
    uint8_t *bytes;        // the result, from malloc; NULL unless the status is MJ_OK
} injected_t;

// The options of a command line, for tests: arguments without the program's name, NULL at the end.
mj_options_t options_of(const char *first, ...);

injected_t inject_bytes(const uint8_t *bytes, uint32_t size, const mj_options_t *options);
// A result that would be larger than limit is not made: MJ_NO_MEMORY.
injected_t inject_up_to(const uint8_t *bytes, uint32_t size, const mj_options_t *options,
                        uint32_t limit);
void injected_free(injected_t *injected);
