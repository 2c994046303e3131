// SPDX-License-Identifier: MIT
// Addresses that a module asks for with GetProcAddress, in imports mode.
#pragma once

// From the next rd_imports_apply on, GetProcAddress answers with the replacement where it would answer
// with a runtime's function whose imports are changed. Repeated calls do nothing.
void rd_lookup_prepare(void);

// Takes it back.
void rd_lookup_undo(void);
