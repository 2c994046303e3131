// SPDX-License-Identifier: MIT
// Heaps of ended threads that wait for the next thread: see park.c.
#pragma once

#include "heap/heap.h"

// At the end of the calling thread, whose heap is its record's own only: leaves its record, with all
// segments, to the next thread. False: nothing was done.
bool mi_park(mi_thread_t *thread);
// Takes the record of a parked heap, the one that was parked last if it matters not which. NULL: none.
mi_thread_t *mi_park_take_any(void);
bool mi_park_take(mi_thread_t *parked);
// Whether it is time to look for parked heaps that nobody took; now 0: whether there are any.
bool mi_park_is_due(uint64_t now);
// Hands over the memory of those that have waited for so long.
void mi_park_end_due(uint64_t now);
// The same of this one, if it is still parked; of one that was parked some time ago; of all.
void mi_park_end(mi_thread_t *parked);
void mi_park_end_one(void);
void mi_park_end_all(void);
// The record that the segment belongs to, for a block of it that is in use.
mi_thread_t *mi_park_record_of(const mi_segment_t *segment);
