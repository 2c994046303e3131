// SPDX-License-Identifier: MIT
// One byte is written behind a block that fills its class to the last byte.
// expect debug secure: aborts
//     error: buffer overflow in block 0x[0-9a-f]+ of 24 bytes: written 1 bytes past its end$
#include "death.h"

int main(void)
{
    char *p = mi_malloc(24);
    memset(hidden(p), 1, 25);
    mi_free(p);
    return went_on();
}
