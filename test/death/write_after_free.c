// SPDX-License-Identifier: MIT
// A freed block is written to: the link in it is damaged.
// expect debug secure: aborts
//     error: block 0x[0-9a-f]+ of [0-9]+ bytes was written to after it was freed
#include "death.h"

int main(void)
{
    char *p = mi_malloc(64);
    mi_free(p);
    memset(hidden(p), 0x41, 8);
    for (int i = 0; i < 100000; i++)
        if (mi_malloc(64) == NULL)
            return 1;
    return went_on();
}
