// SPDX-License-Identifier: MIT
// The records of threads, in a list that only grows: any thread may read one at any time.
#pragma once

#include "heap/heap.h"

mi_thread_t *mi_record_first(void);
// A free record, or a new one; its key is 0. NULL: no memory.
mi_thread_t *mi_record_take_free(void);
// True for the one thread that gets the record.
bool mi_record_take_from(mi_thread_t *thread, mi_record_state_t state);
void mi_record_give(mi_thread_t *thread, mi_record_state_t state);
// A new thread has the key. Those of a killed one that had it are nobody's from now on.
void mi_record_disown_killed(uintptr_t key);
