// SPDX-License-Identifier: MIT
// What every program of this folder includes. It misuses memory once, and its head says what must
// come of it (see death.py):
//     // expect VARIANT ...: aborts|goes on|faults
//     //     REGEX of a line of its output
// The program prints that it went on as its last act.
#pragma once

#include "mimalloc.h"

#include <stdio.h>
#include <string.h>

// Hidden from the compiler, which knows some of these mistakes.
static inline void *hidden(void *p)
{
    void *volatile copy = p;
    return copy;
}

static inline int went_on(void)
{
    fputs("went on\n", stderr);
    return 0;
}
