// SPDX-License-Identifier: MIT
// A DLL that is started before the redirect and makes its work impossible in the way that the
// environment variable MI_SABOTAGE names. It keeps a copy of the runtime's code as it leaves it.
#include <stdbool.h>
#include <stdint.h>
#include <windows.h>

#include "watch.h"

BOOL WINAPI saboteur_main(HINSTANCE instance, DWORD reason, void *reserved);
bool saboteur_code_is_unchanged(void);
unsigned saboteur_refusals(void);

static uint8_t *code;
static uint8_t *code_copy;
static size_t code_size;

static bool wants(const char *what)
{
    char value[32];
    return GetEnvironmentVariableA("MI_SABOTAGE", value, sizeof value) != 0 &&
           lstrcmpA(value, what) == 0;
}

static void overwrite(uint8_t *to, const void *from, size_t size)
{
    DWORD old;
    VirtualProtect(to, size, PAGE_EXECUTE_READWRITE, &old);
    for (size_t i = 0; i < size; i++)
        to[i] = ((const uint8_t *)from)[i];
    VirtualProtect(to, size, old, &old);
}

static unsigned protect_calls;
static unsigned refusals;

unsigned saboteur_refusals(void)
{
    return refusals;
}

static unsigned number_of(const char *text)
{
    unsigned number = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        number = number * 10 + (unsigned)(*text - '0');
    return number;
}

static bool is_refused(ULONG protection)
{
    char number[16] = "";
    protect_calls++;
    if (wants("protect_all"))
        return true;
    if (wants("protect"))
        return (protection & (PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_READ)) != 0;
    // One call, as when memory runs out for a moment.
    return GetEnvironmentVariableA("MI_SABOTAGE_CALL", number, sizeof number) != 0 &&
           protect_calls == number_of(number);
}

// What a process mitigation answers.
static LONG NTAPI refuse_protect(HANDLE process, void **base, SIZE_T *size, ULONG protection,
                                 ULONG *old)
{
    typedef LONG NTAPI protect_fun(HANDLE, void **, SIZE_T *, ULONG, ULONG *);
    static protect_fun *real;
    if (is_refused(protection)) {
        refusals++;
        return (LONG)0xC0000604; // STATUS_DYNAMIC_CODE_BLOCKED
    }
    if (real == NULL)
        real = (protect_fun *)(void *)GetProcAddress(GetModuleHandleA("ntdll.dll"),
                                                     "NtProtectVirtualMemory");
    return real(process, base, size, protection, old);
}

static LONG NTAPI refuse_allocate(HANDLE process, void **base, ULONG_PTR zero_bits, SIZE_T *size,
                                  ULONG type, ULONG protection)
{
    (void)process, (void)base, (void)zero_bits, (void)size, (void)type, (void)protection;
    return (LONG)0xC0000017; // STATUS_NO_MEMORY
}

static void replace_import(const char *name, void *with)
{
    void **slot = watch_import_slot(GetModuleHandleA(MI_REDIRECT_DLL), name);
    if (slot != NULL)
        overwrite((uint8_t *)slot, &with, sizeof with);
}

static void sabotage(HMODULE runtime)
{
    if (wants("unknown"))
        overwrite((uint8_t *)(void *)GetProcAddress(runtime, "_expand"), "\xD6\xD6\xD6\xD6\xD6", 5);
    if (wants("hooked"))
        overwrite((uint8_t *)(void *)GetProcAddress(runtime, "realloc"), "\xE9\x00\x00\x00\x40", 5);
    if (wants("branch"))
        overwrite((uint8_t *)(void *)GetProcAddress(runtime, "_expand"),
                  "\x33\xC0\xFF\xC0\x83\xF8\x09\x75\xF9\xC3", 10);
    if (wants("protect") || wants("protect_all") || wants("protect_once"))
        replace_import("NtProtectVirtualMemory", (void *)refuse_protect);
    if (wants("room"))
        replace_import("NtAllocateVirtualMemory", (void *)refuse_allocate);
}

static void keep_copy(HMODULE runtime)
{
    uint8_t *base = (uint8_t *)runtime;
    IMAGE_NT_HEADERS *nt =
        (IMAGE_NT_HEADERS *)(void *)(base + ((IMAGE_DOS_HEADER *)(void *)base)->e_lfanew);
    IMAGE_SECTION_HEADER *text = IMAGE_FIRST_SECTION(nt);
    code = base + text->VirtualAddress;
    code_size = text->Misc.VirtualSize;
    code_copy = VirtualAlloc(NULL, code_size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    for (size_t i = 0; i < code_size; i++)
        code_copy[i] = code[i];
}

bool saboteur_code_is_unchanged(void)
{
    for (size_t i = 0; i < code_size; i++)
        if (code[i] != code_copy[i])
            return false;
    return code_size > 0;
}

BOOL WINAPI saboteur_main(HINSTANCE instance, DWORD reason, void *reserved)
{
    (void)instance;
    (void)reserved;
    HMODULE runtime = GetModuleHandleA("ucrtbase.dll");
    if (reason == DLL_PROCESS_ATTACH && runtime != NULL) {
        sabotage(runtime);
        keep_copy(runtime);
    }
    return TRUE;
}
