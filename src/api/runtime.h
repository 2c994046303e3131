// SPDX-License-Identifier: MIT
// The C runtime around us, as far as an allocator has to do with it: errno, and blocks that are not
// ours. Two implementations, chosen by the target:
//   runtime_static.c  we are part of a program (or of a .so): its own runtime, no foreign blocks
//   dll_windows.c     our DLL has no runtime; the redirect knows the program's
#pragma once

#include "base/bits.h"

// Sets errno where a C runtime is there to hold it.
void mi_set_errno(int value);

// p is not NULL and mi_is_ours(p) is false. Each gives the pointer to whom it belongs; when nobody
// is known it is reported as a misuse of mi_<what> and left alone.
mi_cold void mi_foreign_free(void *p);
// Bytes that may be used; 0 when nobody knows.
mi_cold size_t mi_foreign_size(const void *p, const char *what);

// How often blocks have crossed between a redirected runtime and us.
typedef struct mi_crossings {
    size_t foreign_frees; // of the runtime's blocks, given back to it
    size_t foreign_reallocs;
    size_t foreign_sizes;
    size_t heap_rescues; // calls of the system's heap functions with our blocks, taken back
} mi_crossings_t;

// False: nothing is redirected.
bool mi_runtime_crossings(mi_crossings_t *crossings);
