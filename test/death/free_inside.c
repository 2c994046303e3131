// SPDX-License-Identifier: MIT
// A pointer into a block is freed.
// expect debug secure: goes on
//     error: free of 0x[0-9a-f]+, which is 16 bytes into block 0x[0-9a-f]+ of 100 bytes:
#include "death.h"

int main(void)
{
    char *p = mi_malloc(100);
    mi_free(hidden(p + 16));
    memset(p, 1, 100);
    mi_free(p);
    return went_on();
}
