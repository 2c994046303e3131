// SPDX-License-Identifier: MIT
// A pointer into a segment is freed, but to where no page is.
// expect release debug secure: goes on
//     error: free of 0x[0-9a-f]+, which is no block: nothing was freed$
#include "death.h"

#include <stdint.h>

int main(void)
{
    char *p = mi_malloc(100);
    // The header of the segment: it lies on 4 MiB at least.
    uintptr_t header = (uintptr_t)p & ~(((uintptr_t)4 << 20) - 1);
    if (sizeof(void *) == 8)
        header = (uintptr_t)p & ~(((uintptr_t)32 << 20) - 1);
    mi_free(hidden((char *)header + 64));
    mi_free(p);
    return went_on();
}
