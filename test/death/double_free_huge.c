// SPDX-License-Identifier: MIT
// A block with a segment of its own is freed twice: its addresses are not in use by then.
// expect release debug secure: goes on
//     error: free of 0x[0-9a-f]+, which is no block of ours
#include "death.h"

int main(void)
{
    char *p = mi_malloc((size_t)100 << 20);
    mi_free(p);
    mi_free(hidden(p));
    return went_on();
}
