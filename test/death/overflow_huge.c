// SPDX-License-Identifier: MIT
// One byte is written behind a block that has a segment of its own.
// expect debug secure: aborts
//     error: buffer overflow in block 0x[0-9a-f]+ of 40000001 bytes: written 1 bytes past its end$
#include "death.h"

int main(void)
{
    char *p = mi_malloc(40000001);
    ((char *)hidden(p))[40000001] = 1;
    mi_free(p);
    return went_on();
}
