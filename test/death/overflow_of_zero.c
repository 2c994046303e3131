// SPDX-License-Identifier: MIT
// Something is written to a block of no bytes.
// expect debug secure: aborts
//     error: buffer overflow in block 0x[0-9a-f]+ of 0 bytes: written 1 bytes past its end$
#include "death.h"

int main(void)
{
    char *p = mi_malloc(0);
    *(char *)hidden(p) = 1;
    mi_free(p);
    return went_on();
}
