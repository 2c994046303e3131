// SPDX-License-Identifier: MIT
// The address of a variable is resized.
// expect release debug secure: goes on
//     error: realloc of 0x[0-9a-f]+, which is no block of ours
#include "death.h"

static char variable[64];

int main(void)
{
    return mi_realloc(hidden(variable), 100) == NULL ? went_on() : 1;
}
