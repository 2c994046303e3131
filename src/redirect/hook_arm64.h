// SPDX-License-Identifier: MIT
// Is the entry of an A64 function somebody else's jump? Pure.
#pragma once

#include "redirect/patch_plan.h"

// True when what the entry begins with leads out of the module by itself, or through an address
// that does not lie in the module's data. A thunk of the module's own imports, and one of the
// linker's to a far function of the same module, are no hooks. `entry` is a multiple of 4 in the code.
bool rd_arm64_is_hooked(const rd_code_t *code, uint32_t entry);
