// SPDX-License-Identifier: MIT
// The background purge.
#pragma once

#include "heap/heap.h"

// Called in slow paths while the option is on: from here on the thread's free slices may be purged
// from outside; starts the purging thread if there is none.
void mi_background_join(mi_thread_t *thread);
