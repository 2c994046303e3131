// SPDX-License-Identifier: MIT
// Where, and whether, a function's first bytes may be replaced by a jump. Pure: bytes in, a site
// or a reason out; nothing is known about particular compilers or runtime versions.
#pragma once

#include "redirect/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RD_PATCH_SIZE       5 // one near jump
#define RD_ARM64_PATCH_SIZE 4 // one b

// The executable bytes around a function, normally one section of a module.
typedef struct rd_code {
    const uint8_t *bytes;
    uint32_t size;
    uint64_t va; // address of bytes[0]
    bool is_64;
    bool is_arm64; // A64, and is_64; else x86 or x64
    // The module demands that indirect branches land on an instruction made for it (A64: bti).
    bool needs_landing_pads;
    // What else is known to start here, as offsets in ascending order: exports, unwind records.
    const uint32_t *starts;
    uint32_t start_count;
    // The whole module: a jump out of it is somebody else's hook.
    uint64_t module_va;
    uint64_t module_size;
} rd_code_t;

typedef struct rd_site {
    uint32_t offset;     // where the jump goes: the entry, or behind its landing pad
    bool is_single_insn; // the jump replaces one instruction: safe while threads run
} rd_site_t;

// The number of bytes that are replaced.
uint32_t rd_patch_size(const rd_code_t *code);

// RD_OK: the rd_patch_size bytes at site->offset belong to this function or to padding behind it,
// are whole instructions, and nothing that can be followed from the entry branches between them.
rd_status_t rd_plan_site(const rd_code_t *code, uint32_t entry, rd_site_t *site);
