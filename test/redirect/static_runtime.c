// SPDX-License-Identifier: MIT
// A program whose C runtime is linked into it (/MT): it imports no runtime's DLL, and its malloc is a
// function of its own over the system's heap. Nobody can redirect that, and the status must say so,
// also when its DLLs use an old runtime, and when a runtime's DLL comes for others and is redirected.
#include "mimalloc/redirect.h"

#include <stdbool.h>
#include <windows.h>

bool mi_is_in_heap_region(const void *block);
bool mi_is_redirected(void);
void *mi_malloc(size_t size);
void mi_free(void *block);
int old_user_works(void);
void static_main(void);

static unsigned failures;

static void print(const char *text)
{
    DWORD written;
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), text, (DWORD)lstrlenA(text), &written, NULL);
}

static void check(bool condition, const char *what)
{
    if (condition)
        return;
    failures++;
    print("failed: ");
    print(what);
    print("\n");
}

static bool has(const char *text, const char *part)
{
    int length = lstrlenA(part);
    for (; *text != 0; text++)
        if (CompareStringA(LOCALE_INVARIANT, 0, text, min(length, lstrlenA(text)), part, length) ==
            CSTR_EQUAL)
            return true;
    return false;
}

static void *own_malloc(size_t size)
{
    return HeapAlloc(GetProcessHeap(), 0, size);
}

static void check_own_blocks(void)
{
    char *block = own_malloc(100);
    check(block != NULL && !mi_is_in_heap_region(block), "the linked malloc stays as it is");
    block = HeapReAlloc(GetProcessHeap(), 0, block, 5000);
    check(block != NULL && HeapSize(GetProcessHeap(), 0, block) == 5000, "its blocks too");
    check(HeapFree(GetProcessHeap(), 0, block), "and go back to the heap");
    block = mi_malloc(100);
    check(mi_is_in_heap_region(block), "mi_malloc works");
    mi_free(block);
}

// One that was loaded for a plugin, and leaves with it.
static void check_departure(HMODULE runtime)
{
    mi_redirect_status_t status = {.size = sizeof status};
    for (int i = 0; i < 10 && GetModuleHandleA("ucrtbase.dll") != NULL; i++)
        FreeLibrary(runtime);
    check(GetModuleHandleA("ucrtbase.dll") == NULL, "the DLL has left");
    check(mi_redirect_get_status(&status) && !status.is_redirected && !mi_is_redirected(),
          "and is not called redirected any more");
    check(has(status.reason_text, "static runtime"), "the reason is told again");
    check_own_blocks();
    runtime = LoadLibraryA("ucrtbase.dll");
    void *(*get)(size_t) = (void *(*)(size_t))(void *)GetProcAddress(runtime, "malloc");
    void (*give)(void *) = (void (*)(void *))(void *)GetProcAddress(runtime, "free");
    check(get != NULL && give != NULL, "it comes back");
    void *block = get(100);
    check(mi_is_in_heap_region(block), "and is redirected again");
    give(block);
    check(mi_redirect_get_status(&status) && status.is_redirected, "which the status says");
}

void static_main(void)
{
    check(old_user_works() && GetModuleHandleA("msvcrt.dll") != NULL, "a DLL that uses msvcrt.dll");

    mi_redirect_status_t status = {.size = sizeof status};
    check(mi_redirect_get_status(&status), "status");
    check(!status.is_redirected && !mi_is_redirected(), "not redirected");
    check(has(status.reason_text, "static runtime"), "the reason is told");
    check_own_blocks();

    HMODULE runtime = LoadLibraryA("ucrtbase.dll");
    void *(*get)(size_t) = (void *(*)(size_t))(void *)GetProcAddress(runtime, "malloc");
    void (*give)(void *) = (void (*)(void *))(void *)GetProcAddress(runtime, "free");
    check(get != NULL && give != NULL, "ucrtbase.dll");
    void *block = get(100);
    check(mi_is_in_heap_region(block), "the DLL's malloc is redirected");
    give(block);
    check(mi_redirect_get_status(&status) && status.is_redirected, "which the status says");
    check(has(status.reason_text, "linked into it is not redirected"),
          "and what it does not reach");
    check_own_blocks();
    check_departure(runtime);
    print(failures == 0 ? "1 passed, 0 failed\n" : "0 passed, 1 failed\n");
    ExitProcess(failures);
}
