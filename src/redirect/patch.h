// SPDX-License-Identifier: MIT
// One function of a runtime: from its export to the bytes that are changed.
#pragma once

#include "redirect/patch_plan.h"
#include "redirect/targets.h"

// One function of a runtime, and what was done to it.
typedef struct rd_entry {
    const char *name;
    uint8_t *address; // of the export
    void *replacement;
    uint8_t function; // rd_function_t
    uint8_t kind;     // rd_target_kind_t
    uint8_t engine;   // mi_redirect_engine_t
    bool is_single_insn;
    uint8_t byte_count; // changed at site; 0: none
    rd_status_t status;
    uint8_t *site;
    uint8_t before[8];
    uint8_t after[8];
} rd_entry_t;
