// SPDX-License-Identifier: MIT
// One byte is written behind a block's end, and the block is resized in place before it is freed.
// expect debug secure: aborts
//     error: buffer overflow in block 0x[0-9a-f]+ of 90 bytes: written 3 bytes past its end$
#include "death.h"

int main(void)
{
    char *p = mi_malloc(90);
    ((char *)hidden(p))[92] = 1;
    p = mi_realloc(p, 88);
    mi_free(p);
    return went_on();
}
