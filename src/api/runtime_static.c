// SPDX-License-Identifier: MIT
// Linked into a program or a shared object: the runtime is the program's own.
#include "api/runtime.h"

#include "api/fail.h"
#include "heap/init.h"
#include "mimalloc.h"
#include "os/os.h"

#include <errno.h>

// Before main, and before constructors of the program without a priority of their own.
__attribute__((constructor(101))) static void start(void)
{
    mi_process_init();
}

__attribute__((destructor(101))) static void end(void)
{
    if (mi_os_image_is_unloading())
        mi_process_unload();
    else
        mi_process_done();
}

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
