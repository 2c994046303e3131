// SPDX-License-Identifier: MIT
// A block is freed by another thread, and then by its owner.
// expect debug secure: aborts
//     error: double free of block 0x[0-9a-f]+ of 48 bytes$
#include "death.h"
#include "support/threads.h"

int main(void)
{
    char *p = mi_malloc(48);
    thread_run(mi_free, p);
    mi_free(hidden(p));
    return went_on();
}
