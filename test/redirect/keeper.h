// SPDX-License-Identifier: MIT
// keeper.dll: blocks of the runtime from before the redirect.
#pragma once

// A block that was allocated before the redirect was started.
char *keeper_block(void);

// Uses and frees all kept blocks; 0, or the number of the step that went wrong.
int keeper_use_and_free(void);
