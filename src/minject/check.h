// SPDX-License-Identifier: MIT
// --check: what a doctor would say about a file and the DLLs beside it.
#pragma once

#include "minject/minject.h"

typedef struct mj_neighbour { // a DLL in the file's folder
    bool is_there;
    uint16_t machine; // 0 when it cannot be read
} mj_neighbour_t;

// Appends findings and verdict to text. neighbours: the allocator's DLL, the redirect's DLL.
// MJ_OK, or MJ_CHECK_FAILED when one finding is a problem.
mj_status_t mj_check(const pe_view_t *view, const mj_facts_t *facts, const mj_options_t *options,
                     const mj_neighbour_t neighbours[2], mj_text_t *text);
