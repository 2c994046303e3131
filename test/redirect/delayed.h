// SPDX-License-Identifier: MIT
// What a DLL with delay-loaded imports exports. Two are built: one takes its functions from a set of
// the universal runtime, the other from an old runtime.
#pragma once

#include <stddef.h>

typedef struct delayed {
    void *(*malloc)(size_t size); // through the delay-loaded import
    void (*free)(void *block);
    long (*lookups)(void); // imports that were looked up in their first use
} delayed_t;

const delayed_t *delayed_functions(void);
