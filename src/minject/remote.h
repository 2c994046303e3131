// SPDX-License-Identifier: MIT
// The imports of a process that has not begun to run, edited in its memory.
#pragma once

#include "minject/minject.h"

// process: a handle with the rights to query, read, write and allocate. Must be called before the
// process's loader resolves imports. MJ_OK, MJ_ALREADY, or why not; the process is unharmed then.
// *machine is set when it is known (else 0).
mj_status_t mj_remote_inject(void *process, const mj_options_t *options, uint16_t *machine);
