// SPDX-License-Identifier: MIT
// Start and end of the process, and what a thread without a heap has.
#pragma once

#include "heap/heap.h"

// Makes the allocator ready; may be called any number of times, from anywhere.
void mi_process_start(void);
// True between mi_process_init and mi_process_done.
bool mi_process_is_running(void);
// The image with this copy of the allocator goes, the process stays: gives back what nobody uses.
void mi_process_unload(void);
// The value of the TLS word in a thread without a heap.
mi_heap_t *mi_heap_of_no_thread(void);
// What the system calls when a thread ends, with the thread's default heap.
void mi_thread_exit_hook(void *heap);
// The sub-process that new threads belong to.
void *mi_subproc_default(void);
