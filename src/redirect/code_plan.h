// SPDX-License-Identifier: MIT
// From a runtime's exports to a list of byte changes, without changing anything.
#pragma once

#include "pe/pe.h"
#include "redirect/patch.h"

// The targets that the module exports, with their addresses; returns their number.
typedef enum rd_build { RD_RELEASE_RUNTIME, RD_DEBUG_RUNTIME } rd_build_t;
uint32_t rd_code_entries(const pe_view_t *module, rd_build_t build,
                         rd_entry_t entries[RD_TARGET_MAX]);

// The entries' addresses lie in the mapped module. Fills site, before and is_single_insn of each.
// RD_OK: all that are needed can be patched. Otherwise the first refusal; the entries say which.
rd_status_t rd_code_plan(const pe_view_t *module, rd_entry_t *entries, uint32_t count);
