// SPDX-License-Identifier: MIT
// Linked into a program or a shared object: the runtime is the program's own.
#include "api/runtime.h"

#include "api/fail.h"
#include "compiler/compiler.h"
#include "heap/init.h"
#include "mimalloc.h"
#include "os/os.h"

#include <errno.h>
#include <stdlib.h>

MI_AT_END(end)
{
    if (mi_os_image_is_unloading())
        mi_process_unload();
    else
        mi_process_done();
}

MI_AT_START(start, mi_start_entry)
{
    mi_process_init();
    if (MI_ENDS_BY_ATEXIT)
        (void)atexit(end);
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

bool mi_runtime_crossings(mi_crossings_t *crossings)
{
    *crossings = (mi_crossings_t){0};
    return false;
}
