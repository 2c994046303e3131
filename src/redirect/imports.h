// SPDX-License-Identifier: MIT
// Import table entries: the second way to take functions over, and the guard at the heap's door.
#pragma once

#include "redirect/ntapi.h"
#include "redirect/status.h"

#include <stdbool.h>
#include <stdint.h>

// From now on, import table entries that hold `from` are to hold `to`. `owner` is a runtime's slot
// or one of these. False: the table is full.
#define RD_IMPORT_GUARD  0xFF // heap_guard.c
#define RD_IMPORT_LOOKUP 0xFE // lookup.c
bool rd_import_redirect(const void *from, void *to, uint8_t owner);

// Changes the entries of one module, or of all that are loaded, and of their delay-loaded imports.
// ntdll, kernel32, kernelbase, the allocator and this DLL are left alone: the heap functions
// themselves live or end there.
void rd_imports_apply(const rd_ldr_entry_t *module);
void rd_imports_apply_all(void);

// What import table entries that hold `from` get, unless it is the heap guard's; NULL: they stay as
// they are. Any thread, without a lock.
void *rd_imports_target(const void *from);

// Puts the entries of one owner back.
void rd_imports_undo(uint8_t owner);

// Forgets what lies in a module that has left, and redirections from functions in it.
void rd_imports_forget(const void *base, size_t size);

// How many entries could not be changed, up to now; each module with such ones is told of in the log.
uint32_t rd_imports_refused(void);

uint32_t rd_imports_count(uint8_t owner);
uint32_t rd_imports_total(void);
