// SPDX-License-Identifier: MIT
// A block with a page of its own is freed twice: its page is gone by then, or kept for the next one.
// expect debug secure: aborts
//     error: double free of block 0x[0-9a-f]+ of 1000000 bytes$
#include "death.h"

int main(void)
{
    char *p = mi_malloc(1000000);
    mi_free(p);
    mi_free(hidden(p));
    return went_on();
}
