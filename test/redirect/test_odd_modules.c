// SPDX-License-Identifier: MIT
// Modules of programs that nobody here wrote, in the process before the allocator's DLL is loaded and
// after: headers that cannot be read any more, as protected programs have them; runtimes loaded as
// data; a runtime whose imports nobody has resolved; names that are long or not ASCII. The argument is
// the mode; MIMALLOC_REDIRECT_CRT names msvcr110 and msvcr120.
#include "check.h"
#include "mimalloc/redirect.h"

#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

typedef char *keeper_block_fun(void);
typedef int keeper_use_fun(void);

static bool (*is_ours)(const void *block);
static bool (*get_status)(mi_redirect_status_t *status);
static const char *mode;
static mi_redirect_status_t status = {.size = sizeof status};

static void *from(HMODULE module, const char *name)
{
    return (void *)GetProcAddress(module, name);
}

static DWORD protect_headers(HMODULE module, DWORD protection)
{
    DWORD old = 0;
    CHECK(VirtualProtect((void *)module, 1, protection, &old));
    return old;
}

TEST(headers_that_cannot_be_read_do_no_harm)
{
    HMODULE keeper = LoadLibraryA("keeper.dll");
    HMODULE other = LoadLibraryA("late_caller.dll");
    // In the list of modules or not: its file's bytes are not laid out as a module.
    CHECK(LoadLibraryExA("msvcr110.dll", NULL, LOAD_LIBRARY_AS_IMAGE_RESOURCE) != NULL);
    REQUIRE(keeper != NULL && other != NULL);
    keeper_use_fun *use = (keeper_use_fun *)from(keeper, "keeper_use_and_free");
    DWORD old = protect_headers(keeper, PAGE_NOACCESS);
    DWORD old_other = protect_headers(other, PAGE_READONLY | PAGE_GUARD);

    HMODULE allocator = LoadLibraryA("mimalloc.dll");
    MEMORY_BASIC_INFORMATION info;
    REQUIRE(allocator != NULL);
    VirtualQuery((void *)other, &info, sizeof info);
    CHECK((info.Protect & PAGE_GUARD) != 0); // nobody has looked
    protect_headers(other, old_other);
    protect_headers(keeper, old);
    is_ours = (bool (*)(const void *))from(allocator, "mi_is_in_heap_region");
    get_status = (bool (*)(mi_redirect_status_t *))from(GetModuleHandleA(MI_REDIRECT_DLL),
                                                        "mi_redirect_get_status");
    REQUIRE(get_status != NULL && get_status(&status));
    CHECK(status.is_redirected);
    CHECK_EQ(status.runtime_count, 1);
    void *block = malloc(100);
    CHECK(is_ours(block));
    free(block);
    // In imports mode it goes on with the runtime's functions, of which Wine lacks two.
    if (strcmp(mode, "code") == 0)
        CHECK_EQ(use(), 0);
}

TEST(a_runtime_loaded_as_data_is_left_alone)
{
    HMODULE data = LoadLibraryExA("msvcr120.dll", NULL, LOAD_LIBRARY_AS_DATAFILE);
    HMODULE image = LoadLibraryExA("msvcr120.dll", NULL, LOAD_LIBRARY_AS_IMAGE_RESOURCE);
    CHECK(data != NULL && image != NULL);
    CHECK(get_status(&status));
    CHECK_EQ(status.runtime_count, 1);
    FreeLibrary(image);
    FreeLibrary(data);
}

TEST(a_runtime_that_was_never_started_does_no_harm)
{
    HMODULE module = LoadLibraryExA("msvcr120.dll", NULL, DONT_RESOLVE_DLL_REFERENCES);
    CHECK(module != NULL);
    CHECK(get_status(&status));
    CHECK(status.is_redirected);
    FreeLibrary(module);
    free(malloc(100));
}

static void check_copy(const WCHAR *name)
{
    WCHAR path[MAX_PATH];
    WCHAR copy[MAX_PATH];
    GetModuleFileNameW(GetModuleHandleA("keeper.dll"), path, MAX_PATH);
    DWORD length = GetTempPathW(MAX_PATH, copy);
    swprintf(copy + length, MAX_PATH - length, L"%u-%ls.dll", (unsigned)GetCurrentProcessId(),
             name);
    REQUIRE(CopyFileW(path, copy, FALSE));
    HMODULE module = LoadLibraryW(copy);
    CHECK(module != NULL);
    if (module != NULL) {
        // Its start-up has called malloc.
        CHECK(is_ours(((keeper_block_fun *)from(module, "keeper_block"))()));
        FreeLibrary(module);
    }
    DeleteFileW(copy);
}

TEST(names_may_be_long_or_not_ascii)
{
    WCHAR long_name[140];
    wmemset(long_name, L'n', 139);
    long_name[139] = 0;
    check_copy(long_name);
    check_copy(L"\x4E2D\x6587\x00E9");
    check_copy(L"ucrtbase.dll"); // ends like a runtime's, and is none
}

int main(int argc, char **argv)
{
    mode = argc > 1 ? argv[1] : "code";
    RUN(headers_that_cannot_be_read_do_no_harm)
    RUN(a_runtime_loaded_as_data_is_left_alone)
    RUN(a_runtime_that_was_never_started_does_no_harm)
    RUN(names_may_be_long_or_not_ascii)
    printf("%u passed, %u failed\n", check_state.passed, check_state.failed);
    return check_state.failed != 0;
}
