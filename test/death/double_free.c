// SPDX-License-Identifier: MIT
// A block is freed twice.
// expect debug secure: aborts
//     error: double free of block 0x[0-9a-f]+ of 32 bytes$
#include "death.h"

int main(void)
{
    char *p = mi_malloc(32);
    mi_free(p);
    mi_free(hidden(p));
    return went_on();
}
