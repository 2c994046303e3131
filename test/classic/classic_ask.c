// SPDX-License-Identifier: MIT
// Asks the DLLs that happen to be in the process; see classic_ask.h. Knows their names and the exported
// names, and nothing of how they work.
#include "classic_ask.h"

#include <windows.h>

#include "mimalloc/redirect.h"

typedef bool(is_redirected_fun)(void);
typedef bool(is_ours_fun)(const void *);
typedef int(version_fun)(void);
typedef bool(get_status_fun)(mi_redirect_status_t *);

// Through void (*)(void): a cast that no compiler warns about.
typedef void(any_fun)(void);

static any_fun *find(const char *module, const char *name)
{
    HMODULE handle = GetModuleHandleA(module);
    return handle == NULL ? NULL : (any_fun *)(void *)GetProcAddress(handle, name);
}

static any_fun *find_allocator(const char *name)
{
    return find("mimalloc-override.dll", name);
}

bool ask_is_redirected(void)
{
    is_redirected_fun *ask = (is_redirected_fun *)find_allocator("mi_is_redirected");
    return ask != NULL && ask();
}

bool ask_is_ours(const void *block)
{
    is_ours_fun *ask = (is_ours_fun *)find_allocator("mi_is_in_heap_region");
    return ask != NULL && ask(block);
}

int ask_version(void)
{
    version_fun *ask = (version_fun *)find_allocator("mi_version");
    return ask == NULL ? 0 : ask();
}

uint64_t ask_foreign_count(void)
{
    mi_redirect_status_t status = {.size = sizeof status};
    get_status_fun *ask = (get_status_fun *)find(MI_REDIRECT_DLL, "mi_redirect_get_status");
    if (ask == NULL || !ask(&status))
        return 0;
    return status.foreign_free_count + status.foreign_realloc_count + status.foreign_size_count;
}

bool ask_is_loaded(const char *module)
{
    return GetModuleHandleA(module) != NULL;
}

bool ask_load(const char *module)
{
    return LoadLibraryA(module) != NULL;
}
