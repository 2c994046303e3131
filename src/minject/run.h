// SPDX-License-Identifier: MIT
// minject run: starts a program with the allocator in front of its imports, without touching its file.
#pragma once

#include "minject/minject.h"

// Runs the program and gives its exit code; when it cannot be started, a message and minject's own
// exit code. Elsewhere than on Windows: a message that says so.
int mj_run(const mj_options_t *options);
