// SPDX-License-Identifier: MIT
// Linked into a program or a shared object: the runtime is the program's own.
#include "api/runtime.h"

#include "api/fail.h"
#include "mimalloc.h"

#include <errno.h>

// Nothing redirects a runtime that we are part of.
bool mi_is_redirected(void)
{
    return false;
}

void mi_set_errno(int value)
{
    errno = value;
}

void mi_foreign_free(void *p)
{
    mi_fail_pointer("free", p);
}

size_t mi_foreign_size(const void *p, const char *what)
{
    mi_fail_pointer(what, p);
    return 0;
}
