// SPDX-License-Identifier: MIT
// The debug runtime's family of functions with a header before each block, on a stand-in DLL: taken
// over with blocks from before, which must stay in the runtime's list.
//   test_debug_runtime [early]    early: the allocator comes before the runtime
#include "check.h"
#include "mimalloc/redirect.h"

#include <stdbool.h>
#include <stdlib.h>
#include <windows.h>

static struct {
    HMODULE module;
    void *(*malloc_dbg)(size_t size, int type, const char *file, int line);
    void *(*realloc_dbg)(void *block, size_t size, int type, const char *file, int line);
    void (*free_dbg)(void *block, int type);
    size_t (*msize_dbg)(void *block, int type);
    void *(*malloc)(size_t size);
    void (*free)(void *block);
    int (*block_count)(void);
} debug;

static bool is_early;
static bool (*is_ours)(const void *block);
static bool (*get_status)(mi_redirect_status_t *status);

static void *find(HMODULE module, const char *name)
{
    return (void *)GetProcAddress(module, name);
}

static void look_up(void)
{
    debug.malloc_dbg = (void *(*)(size_t, int, const char *, int))find(debug.module, "_malloc_dbg");
    debug.realloc_dbg =
        (void *(*)(void *, size_t, int, const char *, int))find(debug.module, "_realloc_dbg");
    debug.free_dbg = (void (*)(void *, int))find(debug.module, "_free_dbg");
    debug.msize_dbg = (size_t (*)(void *, int))find(debug.module, "_msize_dbg");
    debug.malloc = (void *(*)(size_t))find(debug.module, "malloc");
    debug.free = (void (*)(void *))find(debug.module, "free");
    debug.block_count = (int (*)(void))find(debug.module, "debug_runtime_block_count");
}

// The compiler takes import table entries for constants and may keep one in a register.
static void (*volatile look_up_again)(void) = look_up;

static bool is_by_imports(void)
{
    const char *mode = getenv("MIMALLOC_REDIRECT_MODE");
    return mode != NULL && strcmp(mode, "imports") == 0;
}

static void load_runtime(void)
{
    debug.module = LoadLibraryA("ucrtbased.dll");
    REQUIRE(debug.module != NULL);
    look_up();
}

static void load_allocator(void)
{
    HMODULE allocator = LoadLibraryA("mimalloc.dll");
    REQUIRE(allocator != NULL);
    is_ours = (bool (*)(const void *))find(allocator, "mi_is_in_heap_region");
    get_status = (bool (*)(mi_redirect_status_t *))find(GetModuleHandleA(MI_REDIRECT_DLL),
                                                        "mi_redirect_get_status");
}

// The real one asserts that it has a heap when it is asked for it, as the stand-in does.
TEST(a_runtime_that_comes_later_is_not_asked_for_its_heap_before_its_start)
{
    load_allocator();
    load_runtime();
    CHECK_EQ(debug.block_count(), 0);
}

TEST(blocks_from_before_stay_in_the_runtimes_list)
{
    load_runtime();
    char *first = debug.malloc_dbg(100, 1, "file", 1);
    char *second = debug.malloc(200);
    char *third = debug.malloc(300);
    memset(second, 7, 200);
    CHECK_EQ(debug.block_count(), 3);

    load_allocator();
    // In imports mode the addresses from before are still the runtime's own functions.
    look_up_again();
    CHECK_EQ(debug.msize_dbg(first, 1), 100);
    CHECK_EQ(debug.msize_dbg(third, 1), 300);
    char *moved = debug.realloc_dbg(second, 5000, 1, "file", 2);
    REQUIRE(moved != NULL);
    // In imports mode the runtime's own functions, which are intact, do the work.
    CHECK_EQ(is_ours(moved), !is_by_imports());
    CHECK_EQ(moved[199], 7);
    debug.free_dbg(first, 1);
    debug.free(third);
    debug.free(moved);
    // In code mode left where they were: taking them out would need the runtime's own lock.
    CHECK_EQ(debug.block_count(), is_by_imports() ? 0 : 3);
}

TEST(the_debug_family_is_taken_over)
{
    mi_redirect_status_t status = {.size = sizeof status};
    REQUIRE(get_status != NULL && get_status(&status));
    CHECK(status.is_redirected);
    CHECK_EQ(status.runtime_count, 2);
    void *block = debug.malloc_dbg(100, 1, "file", 3);
    CHECK(is_ours(block));
    CHECK(debug.msize_dbg(block, 1) >= 100);
    debug.free(block);
    block = debug.malloc(100);
    CHECK(is_ours(block));
    block = debug.realloc_dbg(block, 1000, 1, "file", 4);
    CHECK(is_ours(block));
    debug.free_dbg(block, 1);
    CHECK_EQ(debug.block_count(), is_early || is_by_imports() ? 0 : 3);
}

int main(int argc, char **argv)
{
    is_early = argc > 1 && strcmp(argv[1], "early") == 0;
    if (is_early)
        RUN(a_runtime_that_comes_later_is_not_asked_for_its_heap_before_its_start)
    else
        RUN(blocks_from_before_stay_in_the_runtimes_list)
    RUN(the_debug_family_is_taken_over)
    printf("%u passed, %u failed\n", check_state.passed, check_state.failed);
    return check_state.failed != 0 || check_state.passed == 0;
}
