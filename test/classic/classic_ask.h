// SPDX-License-Identifier: MIT
// What a test program asks the allocator and the redirect, by GetProcAddress: the program itself is
// linked with neither, unless that is what is tested.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// mi_is_redirected; false too when the allocator's DLL is not in the process.
bool ask_is_redirected(void);
// mi_is_in_heap_region; false too when the allocator's DLL is not in the process.
bool ask_is_ours(const void *block);
// mi_version, or 0.
int ask_version(void);
// Blocks of the runtime that the redirect has given back to it, reallocated, or measured.
uint64_t ask_foreign_count(void);
// True when the module is in the process.
bool ask_is_loaded(const char *module);
// Loads a DLL from beside the program.
bool ask_load(const char *module);

#ifdef __cplusplus
}
#endif
