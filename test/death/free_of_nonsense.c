// SPDX-License-Identifier: MIT
// Something that is no address at all is freed.
// expect release debug secure: goes on
//     error: free of 0x[0-9a-f]+, which is no block of ours
#include "death.h"

#include <stdint.h>

int main(void)
{
    mi_free(hidden((void *)(UINTPTR_MAX - 4711)));
    return went_on();
}
