// SPDX-License-Identifier: MIT
// A block is overrun up to its neighbour: its own record is lost, too.
// expect debug secure: aborts
//     error: buffer overflow in block 0x[0-9a-f]+ of [0-9]+ bytes: written [0-9]+ bytes past its end$
#include "death.h"

int main(void)
{
    char *p = mi_malloc(100);
    char *next = mi_malloc(100);
    memset(hidden(p), 0x41, mi_good_size(100) + 8);
    mi_free(p);
    mi_free(next);
    return went_on();
}
