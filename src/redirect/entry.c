// SPDX-License-Identifier: MIT
// The DLL's entry point and the stock contract's exports.
// As this DLL depends on nothing but ntdll, it is started before every DLL that it serves, and is
// told of thread and process ends after them.
#include "redirect/export.h"
#include "redirect/log.h"
#include "redirect/process.h"
#include "redirect/report.h"
#include "redirect/settings.h"
#include "redirect/takeover.h"

BOOL WINAPI rd_dll_main(HINSTANCE instance, DWORD reason, void *reserved);
bool mi_allocator_init(const char **message);
void mi_allocator_done(void);
bool mi_redirect_disable(void);
bool mi_redirect_enable(void);
bool mi_redirect_enable_term(void);

static void *notification_cookie;

static VOID NTAPI on_dll_notification(ULONG reason, const rd_ldr_notification_t *data, void *arg)
{
    (void)arg;
    if (reason == RD_LDR_UNLOADED) {
        rd_takeover_module_gone(data->base, data->image_size);
        return;
    }
    const rd_ldr_entry_t *module = rd_module_of(data->base);
    if (reason == RD_LDR_LOADED && module != NULL)
        rd_takeover_module(module);
}

static bool register_for_notices(void)
{
    rd_ldr_register_fun *function =
        (rd_ldr_register_fun *)rd_system_export("ntdll.dll", "LdrRegisterDllNotification");
    return function != NULL &&
           RD_NT_SUCCESS(function(RD_DLL_NOTIFICATION_FLAGS, on_dll_notification, NULL,
                                  &notification_cookie));
}

static void unregister(void)
{
    rd_ldr_unregister_fun *function =
        (rd_ldr_unregister_fun *)rd_system_export("ntdll.dll", "LdrUnregisterDllNotification");
    if (notification_cookie != NULL && function != NULL)
        (void)function(notification_cookie);
    notification_cookie = NULL;
}

static void attach(void)
{
    rd_settings_read();
    rd_takeover_start();
    if (rd_settings.disabled_by != NULL)
        return;
    if (!register_for_notices())
        rd_log(1, "no notice of later modules: runtimes that are loaded later stay as they are");
}

static void detach(const void *reserved)
{
    rd_takeover_forward(DLL_PROCESS_DETACH);
    // A dying process: other threads are gone, perhaps with locks in their hands. The patches stay,
    // and the allocator serves whoever comes late.
    if (reserved != NULL)
        return;
    // FreeLibrary comes here only if nothing was taken over, or if pinning has failed.
    unregister();
    rd_takeover_stop();
}

// Never fails: a process that cannot be redirected runs as it would without us.
BOOL WINAPI rd_dll_main(HINSTANCE instance, DWORD reason, void *reserved)
{
    (void)instance;
    switch (reason) {
    case DLL_PROCESS_ATTACH:
        attach();
        break;
    case DLL_PROCESS_DETACH:
        detach(reserved);
        break;
    default:
        rd_takeover_forward(reason);
    }
    return TRUE;
}

// Called by the allocator when it can print. True: redirected, proven by the self-test.
bool mi_allocator_init(const char **message)
{
    if (message != NULL)
        *message = rd_report.is_redirected || rd_settings.verbose > 0 ? NULL : rd_report.verdict;
    return rd_report.is_redirected && !rd_report.is_off;
}

void mi_allocator_done(void)
{
}

// Programs call the switches from any thread, while others load DLLs.
static bool under_loader_lock(bool (*change)(void))
{
    ULONG_PTR cookie = 0;
    bool is_locked = RD_NT_SUCCESS(LdrLockLoaderLock(0, NULL, &cookie));
    bool is_done = change();
    if (is_locked)
        (void)LdrUnlockLoaderLock(0, cookie);
    return is_done;
}

bool mi_redirect_disable(void)
{
    return under_loader_lock(rd_takeover_disable);
}

bool mi_redirect_enable(void)
{
    return under_loader_lock(rd_takeover_enable);
}

// The stock redirect then checks each freed block. Ours always does.
bool mi_redirect_enable_term(void)
{
    return under_loader_lock(rd_takeover_enable);
}
