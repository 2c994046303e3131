// SPDX-License-Identifier: MIT
// In the guarded mode something is written behind a block: the very instruction ends the program.
// expect release debug secure: faults
//     before$
#include "death.h"

#include <signal.h>
#include <stdlib.h>

// Bytes that the checked variants keep between a block and its guard.
#define RECORD 8

static void on_fault(int number)
{
    (void)number;
    _Exit(70);
}

int main(void)
{
    signal(SIGSEGV, on_fault);
    mi_option_enable(mi_option_guarded_precise);
    mi_heap_guarded_set_sample_rate(mi_heap_get_default(), 1, 0);
    char *p = mi_malloc(100);
    memset(hidden(p), 1, 100);
    fputs("before\n", stderr);
    fflush(stderr);
    for (volatile char *end = hidden(p + 100), *at = end; at <= end + RECORD; at++)
        *at = 1;
    return went_on();
}
