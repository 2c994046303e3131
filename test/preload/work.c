// SPDX-License-Identifier: MIT
// Work for the preload test: something for the C compiler to chew on; called by work.cpp.
#include "work.h"

#include <stdlib.h>

#define MIX(x)  ((x) ^ ((x) >> 13) ^ ((x) << 7) ^ 0x9e3779b9U)
#define MIX4(x) MIX(MIX(MIX(MIX(x))))
#define MIX5(x) MIX(MIX4(x))

static unsigned mix(unsigned value)
{
    return MIX5(value);
}

static int compare(const void *left, const void *right)
{
    const unsigned one = *(const unsigned *)left;
    const unsigned two = *(const unsigned *)right;
    return (one > two) - (one < two);
}

unsigned sorted_middle(unsigned count)
{
    unsigned *values = malloc(count * sizeof *values);
    if (values == NULL)
        return 0;
    for (unsigned i = 0; i < count; i++)
        values[i] = mix(i);
    qsort(values, count, sizeof *values, compare);
    const unsigned middle = values[count / 2];
    free(values);
    return middle;
}
