// SPDX-License-Identifier: MIT
// Functions of the runtime that a module does not get from the loader: delay-loaded imports, and
// addresses from GetProcAddress. MIMALLOC_REDIRECT_CRT names msvcr100, too.
#include "check.h"
#include "delayed.h"
#include "mimalloc/redirect.h"
#include "stock_allocator.h"

#include <malloc.h>
#include <stdlib.h>
#include <windows.h>
#include <winternl.h>

extern bool mi_redirect_disable(void);
extern bool mi_redirect_enable(void);

typedef void *malloc_fun(size_t size);
typedef void free_fun(void *block);
typedef FARPROC WINAPI get_address_fun(HMODULE module, const char *name);
typedef NTSTATUS NTAPI ldr_get_address_fun(HMODULE module, ANSI_STRING *name, ULONG ordinal,
                                           void **address);

static HMODULE runtime;
static HMODULE kernel;

static bool is_by_imports(void)
{
    mi_redirect_runtime_t first = {.size = sizeof first};
    REQUIRE(mi_redirect_get_runtime(0, &first));
    return first.engine == MI_REDIRECT_ENGINE_IMPORTS;
}

static void check_pair(const char *name, void *malloc_address, void *free_address)
{
    malloc_fun *allocate = (malloc_fun *)malloc_address;
    free_fun *release = (free_fun *)free_address;
    REQUIRE(allocate != NULL && release != NULL);
    void *block = allocate(100);
    if (!mi_is_in_heap_region(block))
        printf("     %s gives a block of the runtime's\n", name);
    CHECK(mi_is_in_heap_region(block));
    release(block);
    release(malloc(100));
    free(allocate(100));
}

static void *from(HMODULE module, const char *name)
{
    return (void *)GetProcAddress(module, name);
}

TEST(malloc_is_redirected)
{
    runtime = GetModuleHandleA("ucrtbase.dll");
    kernel = GetModuleHandleA("kernel32.dll");
    REQUIRE(runtime != NULL && kernel != NULL);
    CHECK(mi_is_redirected());
}

TEST(a_delayed_import_is_redirected)
{
    const delayed_t *delayed = delayed_functions();
    check_pair("a delayed import", (void *)delayed->malloc, (void *)delayed->free);
    // Where the table was filled in from outside nothing was left to look up.
    CHECK_EQ(delayed->lookups(), is_by_imports() ? 0 : 2);
}

TEST(a_delayed_import_of_a_runtime_that_comes_with_it_is_redirected)
{
    HMODULE module = LoadLibraryA("delayed_old.dll");
    REQUIRE(module != NULL);
    CHECK_EQ(GetModuleHandleA("msvcr100.dll"), NULL);
    const delayed_t *delayed = ((const delayed_t *(*)(void))from(module, "delayed_functions"))();
    check_pair("a late delayed import", (void *)delayed->malloc, (void *)delayed->free);
    CHECK(GetModuleHandleA("msvcr100.dll") != NULL);
    CHECK(delayed->lookups() >= 1);
}

TEST(addresses_by_name_are_redirected)
{
    check_pair("malloc", from(runtime, "malloc"), from(runtime, "free"));
    check_pair("_malloc_base", from(runtime, "_malloc_base"), from(runtime, "_free_base"));
    check_pair("_o_malloc", from(runtime, "_o_malloc"), from(runtime, "_o_free"));
    size_t (*msize)(void *) = (size_t (*)(void *))from(runtime, "_msize");
    void *block = malloc(1000);
    CHECK(msize(block) >= 1000);
    free(block);
}

static WORD ordinal_of(HMODULE module, const char *name)
{
    const char *base = (const char *)module;
    const IMAGE_DOS_HEADER *dos = (const void *)base;
    const IMAGE_NT_HEADERS *nt = (const void *)(base + dos->e_lfanew);
    const IMAGE_EXPORT_DIRECTORY *exports =
        (const void *)(base + nt->OptionalHeader.DataDirectory[0].VirtualAddress);
    const DWORD *names = (const void *)(base + exports->AddressOfNames);
    const WORD *indexes = (const void *)(base + exports->AddressOfNameOrdinals);
    for (DWORD i = 0; i < exports->NumberOfNames; i++)
        if (strcmp(base + names[i], name) == 0)
            return (WORD)(indexes[i] + exports->Base);
    return 0;
}

TEST(addresses_by_ordinal_are_redirected)
{
    check_pair("by ordinal", from(runtime, (const char *)(uintptr_t)ordinal_of(runtime, "malloc")),
               from(runtime, (const char *)(uintptr_t)ordinal_of(runtime, "free")));
}

TEST(addresses_from_a_function_that_was_looked_up_are_redirected)
{
    get_address_fun *get = (get_address_fun *)from(kernel, "GetProcAddress");
    REQUIRE(get != NULL);
    check_pair("GetProcAddress by GetProcAddress", (void *)get(runtime, "malloc"),
               (void *)get(runtime, "free"));
}

TEST(addresses_from_the_loader_itself_are_redirected)
{
    ldr_get_address_fun *get =
        (ldr_get_address_fun *)from(GetModuleHandleA("ntdll.dll"), "LdrGetProcedureAddress");
    ANSI_STRING malloc_name = {6, 7, (char[]){"malloc"}};
    ANSI_STRING free_name = {4, 5, (char[]){"free"}};
    void *allocate = NULL;
    void *release = NULL;
    REQUIRE(get != NULL);
    CHECK(get(runtime, &malloc_name, 0, &allocate) >= 0);
    CHECK(get(runtime, &free_name, 0, &release) >= 0);
    check_pair("LdrGetProcedureAddress", allocate, release);
}

TEST(other_addresses_are_what_they_were)
{
    const char *base = (const char *)runtime;
    const char *strlen_address = from(runtime, "strlen");
    CHECK(strlen_address > base);
    void *allocate = from(kernel, "HeapAlloc");
    REQUIRE(allocate != NULL);
    CHECK(((void *(WINAPI *)(HANDLE, DWORD, SIZE_T))allocate)(GetProcessHeap(), 0, 10) != NULL);
    SetLastError(0);
    CHECK_EQ(from(runtime, "there is no such function"), NULL);
    CHECK_EQ(GetLastError(), ERROR_PROC_NOT_FOUND);
    SetLastError(77);
    CHECK(from(runtime, "malloc") != NULL);
    CHECK_EQ(GetLastError(), 77);
}

TEST(turned_off_addresses_are_the_runtimes)
{
    CHECK(mi_redirect_disable());
    malloc_fun *allocate = (malloc_fun *)from(runtime, "malloc");
    free_fun *release = (free_fun *)from(runtime, "free");
    void *block = allocate(100);
    CHECK(!mi_is_in_heap_region(block));
    release(block);
    void *other = delayed_functions()->malloc(100);
    CHECK(!mi_is_in_heap_region(other));
    CHECK(mi_redirect_enable());
    check_pair("malloc", from(runtime, "malloc"), from(runtime, "free"));
    check_pair("a delayed import", (void *)delayed_functions()->malloc,
               (void *)delayed_functions()->free);
    free(other); // from before: it goes back to the runtime
}

static volatile LONG is_over;
static volatile LONG wrong;

static DWORD WINAPI look_up_for_ever(void *arg)
{
    (void)arg;
    while (!is_over) {
        // Of the runtime that stays: always the allocator's, whatever comes and goes meanwhile.
        malloc_fun *allocate = (malloc_fun *)from(runtime, "malloc");
        void *block = allocate(100);
        if (!mi_is_in_heap_region(block))
            InterlockedIncrement(&wrong);
        free(block);
    }
    return 0;
}

TEST(lookups_go_on_while_runtimes_come_and_go)
{
    HANDLE threads[3];
    for (int i = 0; i < 3; i++)
        threads[i] = CreateThread(NULL, 0, look_up_for_ever, NULL, 0, NULL);
    for (int i = 0; i < 30; i++) {
        HMODULE module = LoadLibraryA("msvcr110.dll");
        REQUIRE(module != NULL);
        check_pair("msvcr110", from(module, "malloc"), from(module, "free"));
        FreeLibrary(module);
    }
    is_over = 1;
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(WaitForSingleObject(threads[i], 60000), WAIT_OBJECT_0);
        CloseHandle(threads[i]);
    }
    CHECK_EQ(wrong, 0);
}

TEST_MAIN(RUN(malloc_is_redirected) RUN(a_delayed_import_is_redirected)
              RUN(a_delayed_import_of_a_runtime_that_comes_with_it_is_redirected)
                  RUN(addresses_by_name_are_redirected) RUN(addresses_by_ordinal_are_redirected)
                      RUN(addresses_from_a_function_that_was_looked_up_are_redirected)
                          RUN(addresses_from_the_loader_itself_are_redirected)
                              RUN(other_addresses_are_what_they_were)
                                  RUN(turned_off_addresses_are_the_runtimes)
                                      RUN(lookups_go_on_while_runtimes_come_and_go))
