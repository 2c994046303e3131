// SPDX-License-Identifier: MIT
// The address of a variable is freed.
// expect release debug secure: goes on
//     error: free of 0x[0-9a-f]+, which is no block of ours
#include "death.h"

static char variable[64];

int main(void)
{
    mi_free(hidden(variable));
    return went_on();
}
