// SPDX-License-Identifier: MIT
// A freed block is resized.
// expect debug secure: aborts
//     error: double free of block 0x[0-9a-f]+ of 90 bytes$
#include "death.h"

int main(void)
{
    char *p = mi_malloc(90);
    mi_free(p);
    p = mi_realloc(hidden(p), 89);
    return p == NULL ? 1 : went_on();
}
