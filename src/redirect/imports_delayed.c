// SPDX-License-Identifier: MIT
// Finds by names what a delay-loaded import will be bound to when it is used first. Only runtimes that
// are in the process count: a delay-loaded one that is not there yet is noticed when it comes, and all
// tables are gone through again then.
#include "redirect/imports_delayed.h"
#include "pe/pe.h"
#include "redirect/runtime.h"

static const char universal[] = "ucrtbase.dll";

// The universal runtime's names for importers: sets of functions, all of them in ucrtbase.dll.
static bool is_set_of_universal(const char *dll)
{
    static const char prefix[] = "api-ms-win-crt-";
    for (unsigned i = 0; i < sizeof prefix - 1; i++) {
        char c = dll[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c != prefix[i])
            return false;
    }
    return true;
}

void *rd_delayed_function(const char *dll, const char *name)
{
    const char *wanted = is_set_of_universal(dll) ? universal : dll;
    for (unsigned i = 0; i < RD_RUNTIME_MAX; i++) {
        const rd_runtime_t *runtime = &rd_runtimes[i];
        if (!runtime->is_used || runtime->is_unloaded || !pe_same_dll(runtime->name, wanted))
            continue;
        for (uint32_t e = 0; e < runtime->entry_count; e++)
            if (runtime->entries[e].engine == MI_REDIRECT_ENGINE_IMPORTS &&
                pe_compare(runtime->entries[e].name, name) == 0)
                return runtime->entries[e].address;
    }
    return NULL;
}
