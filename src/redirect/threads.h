// SPDX-License-Identifier: MIT
// Stops the other threads while the code that they may be running is changed.
#pragma once

#include "redirect/runtime.h"

// Suspends every other thread of the process, none of them within the bytes to be replaced.
// Between freeze and thaw nothing may be called that takes a lock of the process.
rd_status_t rd_threads_freeze(const rd_runtime_t *runtime);
void rd_threads_thaw(void);
