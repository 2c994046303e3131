// SPDX-License-Identifier: MIT
// A DLL with a static copy of the allocator, which calls the program back from the loader, before the
// copy has been used or started.
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct first_copy {
    void *(*malloc)(size_t size);
    void (*free)(void *block);
    bool (*owns)(const void *block);
} first_copy_t;

// The program's export of this type, "called_by_loader".
typedef void first_copy_fun(const first_copy_t *copy);
