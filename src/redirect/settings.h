// SPDX-License-Identifier: MIT
// The environment variables that steer the redirect, read once.
#pragma once

#include "redirect/ntapi.h"

#include <stdbool.h>

typedef enum rd_mode {
    RD_MODE_AUTO, // code, and import tables where code cannot be patched
    RD_MODE_CODE,
    RD_MODE_IMPORTS,
} rd_mode_t;

typedef struct rd_settings {
    const char *disabled_by; // the variable that turns the redirect off, or NULL
    bool guards_heap;        // MIMALLOC_PATCH_IMPORTS, on by default; the runtimes' imports always
    int verbose;             // MIMALLOC_VERBOSE
    rd_mode_t mode;          // MIMALLOC_REDIRECT_MODE
    WCHAR runtimes[256];     // MIMALLOC_REDIRECT_CRT: names, or "all", or "none"
    WCHAR log_file[520];     // MIMALLOC_LOG_FILE
} rd_settings_t;

extern rd_settings_t rd_settings; // const after rd_settings_read

// Values that cannot be used are left out, and told of.
void rd_settings_read(void);

// True when the list (separated by spaces, commas or semicolons) has the name, with or without
// ".dll", in any case.
bool rd_list_has(const WCHAR *list, const char *name);
