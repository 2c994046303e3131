// SPDX-License-Identifier: MIT
// The override DLL's entry point, its contract with the redirect, and the runtime that it does not
// have. The redirect, which is started before us, patches the runtime and calls _mi_redirect_entry:
// so malloc serves before DllMain has run, and still does after it was told of the process's end.
#define WIN32_LEAN_AND_MEAN
#include "api/dll_windows.h"

#include "api/fail.h"
#include "mimalloc.h"
#include "os/os.h"
#include "os/os_tls.h"
#include "support/message.h"

#include <windows.h>

// The stock part of the contract.
bool mi_allocator_init(const char **message);
void mi_allocator_done(void);
void _mi_redirect_entry(DWORD reason);
bool mi_redirect_register(const mi_redirect_host_t *host);
BOOL WINAPI mi_dll_main(HINSTANCE instance, DWORD reason, void *reserved);

const mi_redirect_host_t *mi_redirect_host;
static bool is_driven; // const after the redirect's attach: it tells us of thread ends, last of all
static bool is_redirected;                       // as the stock contract says it
static void (*thread_exit_function)(void *heap); // const after the first mi_os_on_thread_exit

// ---- thread ends ----

void mi_os_on_thread_exit(void (*on_exit)(void *heap))
{
    thread_exit_function = on_exit;
}

static void end_thread(void)
{
    void *heap = mi_os_tls_heap_slow();
    if (heap != NULL && thread_exit_function != NULL)
        thread_exit_function(heap);
}

// ---- the redirect ----

bool mi_redirect_register(const mi_redirect_host_t *host)
{
    if (host == NULL || host->version < MI_REDIRECT_VERSION || host->size < sizeof *host)
        return false;
    mi_redirect_host = host;
    return true;
}

void _mi_redirect_entry(DWORD reason)
{
    switch (reason) {
    case DLL_PROCESS_ATTACH:
        is_driven = true;
        is_redirected = true;
        break;
    case DLL_THREAD_DETACH:
        end_thread();
        break;
    case DLL_PROCESS_DETACH:
        is_redirected = false;
        break;
    default:
        break;
    }
}

bool mi_is_redirected(void)
{
    mi_redirect_status_t status = {.size = sizeof status};
    // Our own redirect knows more: whether a block really came from us.
    if (mi_redirect_host != NULL && mi_redirect_host->get_status(&status))
        return status.is_redirected;
    return is_redirected;
}

// ---- the entry point ----

static void attach(void)
{
    const char *message = NULL;
    mi_process_init();
    bool is_active = mi_allocator_init(&message);
    if (message != NULL && is_active)
        mi_verbose(1, "%s", message);
    else if (message != NULL)
        mi_warning("%s", message);
    mi_verbose(1, "malloc is redirected: %s", mi_is_redirected() ? "yes" : "no");
}

// reserved is not NULL when the process ends: other threads may have been killed inside our locks.
static void detach(const void *reserved)
{
    if (reserved != NULL)
        mi_os_set_process_ending();
    mi_process_done();
    mi_allocator_done();
}

BOOL WINAPI mi_dll_main(HINSTANCE instance, DWORD reason, void *reserved)
{
    (void)instance;
    if (reason == DLL_PROCESS_ATTACH)
        attach();
    else if (reason == DLL_PROCESS_DETACH)
        detach(reserved);
    else if (reason == DLL_THREAD_DETACH && !is_driven)
        end_thread();
    return TRUE;
}

// ---- the runtime around us: the program's, as the redirect knows it ----

void mi_set_errno(int value)
{
    if (mi_redirect_host != NULL)
        mi_redirect_host->set_errno(value);
}

void mi_foreign_free(void *p)
{
    if (mi_redirect_host != NULL && mi_is_redirected())
        mi_redirect_host->foreign_free(p);
    else
        mi_fail_pointer("free", p);
}

size_t mi_foreign_size(const void *p, const char *what)
{
    const size_t not_a_block = (size_t)-1;
    if (mi_redirect_host != NULL && mi_is_redirected()) {
        // The runtime's function takes a plain pointer, but only looks.
        size_t size = mi_redirect_host->foreign_msize((void *)(uintptr_t)p);
        return size == not_a_block ? 0 : size;
    }
    mi_fail_pointer(what, p);
    return 0;
}

bool mi_runtime_crossings(mi_crossings_t *crossings)
{
    mi_redirect_status_t status = {.size = sizeof status};
    *crossings = (mi_crossings_t){0};
    if (mi_redirect_host == NULL || !mi_redirect_host->get_status(&status))
        return false;
    crossings->foreign_frees = (size_t)status.foreign_free_count;
    crossings->foreign_reallocs = (size_t)status.foreign_realloc_count;
    crossings->foreign_sizes = (size_t)status.foreign_size_count;
    crossings->heap_rescues = (size_t)status.heap_rescue_count;
    return status.is_redirected;
}
