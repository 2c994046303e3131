// SPDX-License-Identifier: MIT
// The smallest program that allocates: what the start of a process costs.
#include <stdlib.h>

int main(void)
{
    char *volatile block = malloc(1);
    if (block == NULL)
        return 1;
    *block = 1;
    free(block);
    return 0;
}
