// SPDX-License-Identifier: MIT
// Import tables hold what the loader has looked up. What a module looks up for itself comes from these
// functions; so their imports lead here, and the answers are exchanged as table entries would be.
// A delay-loaded import is looked up with them, too, by the code that the linker has put into the
// module. An answer that is no taken-over function goes through unchanged.
#include "redirect/lookup.h"
#include "redirect/export.h"
#include "redirect/imports.h"

typedef struct ansi_string {
    USHORT length;
    USHORT capacity;
    const char *text;
} ansi_string_t;

typedef FARPROC WINAPI get_address_fun(HMODULE module, const char *name);
typedef rd_ntstatus_t NTAPI ldr_get_address_fun(HMODULE module, const ansi_string_t *name,
                                                ULONG ordinal, void **address);

// const after rd_lookup_prepare
static get_address_fun *next_get_address;
static ldr_get_address_fun *next_ldr_get_address;

static FARPROC WINAPI get_address(HMODULE module, const char *name)
{
    FARPROC found = next_get_address(module, name);
    void *instead = found != NULL ? rd_imports_target((const void *)found) : NULL;
    return instead != NULL ? (FARPROC)instead : found;
}

static rd_ntstatus_t NTAPI ldr_get_address(HMODULE module, const ansi_string_t *name, ULONG ordinal,
                                           void **address)
{
    rd_ntstatus_t status = next_ldr_get_address(module, name, ordinal, address);
    void *instead = RD_NT_SUCCESS(status) ? rd_imports_target(*address) : NULL;
    if (instead != NULL)
        *address = instead;
    return status;
}

void rd_lookup_prepare(void)
{
    static const char *const modules[] = {"kernel32.dll", "kernelbase.dll"};
    void *address;
    for (unsigned i = 0; i < ARRAYSIZE(modules); i++) {
        address = rd_system_export(modules[i], "GetProcAddress");
        if (address == NULL)
            continue;
        if (next_get_address == NULL)
            next_get_address = (get_address_fun *)address;
        (void)rd_import_redirect(address, (void *)get_address, RD_IMPORT_LOOKUP);
    }
    address = rd_system_export("ntdll.dll", "LdrGetProcedureAddress");
    if (address == NULL)
        return;
    next_ldr_get_address = (ldr_get_address_fun *)address;
    (void)rd_import_redirect(address, (void *)ldr_get_address, RD_IMPORT_LOOKUP);
}

void rd_lookup_undo(void)
{
    rd_imports_undo(RD_IMPORT_LOOKUP);
}
