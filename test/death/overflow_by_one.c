// SPDX-License-Identifier: MIT
// One byte is written behind a block's end.
// expect debug secure: aborts
//     error: buffer overflow in block 0x[0-9a-f]+ of 30 bytes: written 1 bytes past its end$
#include "death.h"

int main(void)
{
    char *p = mi_malloc(30);
    memset(hidden(p), 1, 31);
    mi_free(p);
    return went_on();
}
