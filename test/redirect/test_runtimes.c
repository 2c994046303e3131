// SPDX-License-Identifier: MIT
// Several runtimes in one process: late, gone, back elsewhere, and passing blocks to each other.
// MIMALLOC_REDIRECT_CRT names them.
#include "check.h"
#include "mimalloc/redirect.h"
#include "stock_allocator.h"

#include <malloc.h>
#include <stdlib.h>
#include <windows.h>

// The names of C++ operators tell the size of size_t and of pointers.
#if UINTPTR_MAX > UINT32_MAX
#define OPERATOR_NAME(name64, name32) name64
#else
#define OPERATOR_NAME(name64, name32) name32
#endif

typedef struct runtime {
    HMODULE module;
    void *(*malloc)(size_t size);
    void *(*realloc)(void *block, size_t size);
    void (*free)(void *block);
    size_t (*msize)(void *block);
    char *(*strdup)(const char *text);
    void *(*new)(size_t size);
    void (*delete)(void *block);
} runtime_t;

static runtime_t load(const char *name)
{
    runtime_t r = {.module = LoadLibraryA(name)};
    if (r.module == NULL)
        return r;
    r.malloc = (void *(*)(size_t))(void *)GetProcAddress(r.module, "malloc");
    r.realloc = (void *(*)(void *, size_t))(void *)GetProcAddress(r.module, "realloc");
    r.free = (void (*)(void *))(void *)GetProcAddress(r.module, "free");
    r.msize = (size_t (*)(void *))(void *)GetProcAddress(r.module, "_msize");
    r.strdup = (char *(*)(const char *))(void *)GetProcAddress(r.module, "_strdup");
    r.new = (void *(*)(size_t))(void *)GetProcAddress(
        r.module, OPERATOR_NAME("??2@YAPEAX_K@Z", "??2@YAPAXI@Z"));
    r.delete = (void (*)(void *))(void *)GetProcAddress(
        r.module, OPERATOR_NAME("??3@YAXPEAX@Z", "??3@YAXPAX@Z"));
    return r;
}

static bool is_redirected(HMODULE module)
{
    mi_redirect_runtime_t runtime = {.size = sizeof runtime};
    for (size_t i = 0; mi_redirect_get_runtime(i, &runtime); i++)
        if (runtime.base == (void *)module && !runtime.is_unloaded)
            return runtime.is_redirected;
    return false;
}

// Imports mode cannot change what a runtime allocates for itself; that block goes back there.
static bool is_by_code(HMODULE module)
{
    mi_redirect_runtime_t runtime = {.size = sizeof runtime};
    for (size_t i = 0; mi_redirect_get_runtime(i, &runtime); i++)
        if (runtime.base == (void *)module && !runtime.is_unloaded)
            return runtime.engine == MI_REDIRECT_ENGINE_CODE;
    return false;
}

TEST(a_late_runtime_is_redirected)
{
    runtime_t r = load("msvcr120.dll");
    REQUIRE(r.module != NULL);
    CHECK(is_redirected(r.module));
    void *block = r.malloc(100);
    CHECK(mi_is_in_heap_region(block));
    r.free(block);
    FreeLibrary(r.module);
}

TEST(its_operators_are_redirected)
{
    runtime_t r = load("msvcr120.dll");
    REQUIRE(r.new != NULL &&r.delete != NULL);
    void *object = r.new(100);
    CHECK(mi_is_in_heap_region(object));
    r.delete(object);
    r.free(r.new(50));
    r.delete(r.malloc(50));
    FreeLibrary(r.module);
}

TEST(a_runtime_comes_back_elsewhere)
{
    runtime_t first = load("msvcr110.dll");
    REQUIRE(first.module != NULL);
    CHECK(is_redirected(first.module));
    void *old_place = (void *)first.module;
    while (FreeLibrary(first.module)) {
        MEMORY_BASIC_INFORMATION info;
        VirtualQuery(old_place, &info, sizeof info);
        if (info.State == MEM_FREE)
            break;
    }
    void *blocker = VirtualAlloc(old_place, 4096, MEM_RESERVE, PAGE_NOACCESS);
    REQUIRE(blocker == old_place);
    runtime_t second = load("msvcr110.dll");
    REQUIRE(second.module != NULL);
    CHECK((void *)second.module != old_place);
    CHECK(is_redirected(second.module));
    void *block = second.malloc(100);
    CHECK(mi_is_in_heap_region(block));
    second.free(block);
    char *copy = second.strdup("again");
    CHECK_EQ(mi_is_in_heap_region(copy), is_by_code(second.module));
    second.free(copy);
    FreeLibrary(second.module);
    VirtualFree(blocker, 0, MEM_RELEASE);
}

TEST(many_times_in_and_out)
{
    for (int i = 0; i < 50; i++) {
        runtime_t r = load("msvcr100.dll");
        REQUIRE(r.module != NULL);
        CHECK(is_redirected(r.module));
        r.free(r.malloc(100));
        FreeLibrary(r.module);
    }
}

TEST(runtimes_pass_blocks_to_each_other)
{
    runtime_t old = load("msvcrt.dll");
    REQUIRE(old.module != NULL);
    CHECK(is_redirected(old.module));
    char *block = malloc(100);
    memset(block, 5, 100);
    CHECK(old.msize(block) >= 100);
    block = old.realloc(block, 1000);
    CHECK_EQ(block[99], 5);
    free(block);
    block = old.malloc(100);
    block = realloc(block, 1000);
    CHECK(_msize(block) >= 1000);
    free(block);
    if (!is_by_code(old.module)) {
        // A copy that a runtime makes of a text is its own block then, as without us.
        old.free(old.strdup("from the old to itself"));
        free(_strdup("from the new to itself"));
        return;
    }
    old.free(_strdup("from the new to the old"));
    char *copy = old.strdup("from the old to the new");
    CHECK(_msize(copy) >= 24);
    free(copy);
}

TEST(a_runtime_that_is_not_named_stays_as_it_is)
{
    runtime_t r = load("msvcr90.dll");
    REQUIRE(r.module != NULL);
    CHECK(!is_redirected(r.module));
    void *block = r.malloc(100);
    CHECK(!mi_is_in_heap_region(block));
    r.free(block);
    FreeLibrary(r.module);
}

// Some products bring a copy of the runtime under a name of their own, to have it for themselves.
TEST(a_copy_under_another_name_stays_as_it_is)
{
    char path[MAX_PATH];
    char copy[MAX_PATH];
    GetModuleFileNameA(GetModuleHandleA("ucrtbase.dll"), path, sizeof path);
    DWORD length = GetTempPathA(sizeof copy, copy);
    snprintf(copy + length, sizeof copy - length, "ucrtbase_%u.dll",
             (unsigned)GetCurrentProcessId());
    REQUIRE(CopyFileA(path, copy, FALSE));
    runtime_t r = load(copy);
    REQUIRE(r.module != NULL);
    CHECK(!is_redirected(r.module));
    void *block = r.malloc(100);
    CHECK(!mi_is_in_heap_region(block));
    r.free(block);
    FreeLibrary(r.module);
    DeleteFileA(copy);
}

TEST_MAIN(RUN(a_late_runtime_is_redirected) RUN(its_operators_are_redirected)
              RUN(a_runtime_comes_back_elsewhere) RUN(many_times_in_and_out)
                  RUN(runtimes_pass_blocks_to_each_other)
                      RUN(a_runtime_that_is_not_named_stays_as_it_is)
                          RUN(a_copy_under_another_name_stays_as_it_is))
