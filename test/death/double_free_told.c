// SPDX-License-Identifier: MIT
// A block is freed twice, and the program has asked to be told: it decides.
// expect debug secure: goes on
//     told: EAGAIN$
#include "death.h"

#include <errno.h>

static void mi_cdecl on_error(int err, void *arg)
{
    (void)arg;
    fputs(err == EAGAIN ? "told: EAGAIN\n" : "told: another error\n", stderr);
}

int main(void)
{
    mi_register_error(on_error, NULL);
    char *p = mi_malloc(32);
    mi_free(p);
    mi_free(hidden(p));
    void *first = mi_malloc(32);
    void *second = mi_malloc(32);
    return first != second ? went_on() : 1;
}
