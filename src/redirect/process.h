// SPDX-License-Identifier: MIT
// What the process knows about itself: its modules and its environment, read from the process block.
// Under the loader lock only, as in DllMain.
#pragma once

#include "pe/pe.h"
#include "redirect/ntapi.h"

#include <stdbool.h>
#include <stddef.h>

const rd_peb_t *rd_process(void);

// The modules in load order, the program first. NULL starts; NULL ends.
const rd_ldr_entry_t *rd_module_next(const rd_ldr_entry_t *entry);

// The module that the address lies in, or NULL.
const rd_ldr_entry_t *rd_module_of(const void *address);

// A view of the module. False: its headers are damaged, or it was started and part of it cannot be
// read any more, as some protected programs arrange.
bool rd_module_view(const rd_ldr_entry_t *module, pe_view_t *view);

// The name as ASCII, other characters as '?', cut to size - 1. Empty names are legal: injected or
// manually mapped modules have them.
void rd_ascii_of(const rd_unicode_t *name, char *out, size_t size);

// Copies the value of an environment variable; false when it is not set. The name's case is ignored.
bool rd_environment(const char *name, WCHAR *value, size_t capacity);
