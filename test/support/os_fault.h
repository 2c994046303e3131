// SPDX-License-Identifier: MIT
// Makes the system refuse: the program is linked so that the core's calls for memory come by here
// (-Wl,--wrap, see core_tests.cmake). Counts them, and lets the chosen ones fail as the system would.
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef enum os_fault {
    OS_FAULT_ONCE,   // that one call fails
    OS_FAULT_FOREVER // that one and all after it
} os_fault_t;

// The n-th call from now (from 1) fails. 0: none does.
void os_fault_at(size_t n, os_fault_t kind);
// Calls since os_fault_at.
size_t os_fault_calls(void);
// Makes Linux as strict as Windows: memory is inaccessible until it is committed, and again after
// it was given back. Before the first allocation of the process.
void os_be_strict(void);
