// SPDX-License-Identifier: MIT
// Microsoft's real debug runtime, ucrtbased.dll, as programs of /MDd use it: its family with a header
// before each block, its checks and its leak report, in harmony with the allocator.
//   test_debug_real UCRTBASED.DLL early|late    the allocator comes before or after the runtime
#include "check.h"
#include "mimalloc/redirect.h"

#include <stdbool.h>
#include <stdlib.h>
#include <windows.h>

#define NORMAL_BLOCK 1
#define CHECK_ALWAYS 0x04
#define LEAK_CHECK   0x20
#define ALLOC_MEMORY 0x01

typedef int hook_fun(int kind, void *block, size_t size, int type, long number,
                     const unsigned char *file, int line);

// As crtdbg.h has it.
typedef struct memory_state {
    void *first;
    size_t counts[5];
    size_t sizes[5];
    size_t high;
    size_t total;
} memory_state_t;

static struct {
    void *(*malloc)(size_t size);
    void *(*calloc)(size_t count, size_t size);
    void *(*realloc)(void *block, size_t size);
    void (*free)(void *block);
    size_t (*msize)(void *block);
    char *(*strdup)(const char *text);
    void *(*malloc_dbg)(size_t size, int type, const char *file, int line);
    void *(*calloc_dbg)(size_t count, size_t size, int type, const char *file, int line);
    void *(*realloc_dbg)(void *block, size_t size, int type, const char *file, int line);
    void (*free_dbg)(void *block, int type);
    size_t (*msize_dbg)(void *block, int type);
    void *(*aligned_malloc_dbg)(size_t size, size_t alignment, const char *file, int line);
    void (*aligned_free_dbg)(void *block);
    char *(*strdup_dbg)(const char *text, int type, const char *file, int line);
    int (*is_valid_heap_pointer)(const void *block);
    int (*is_memory_block)(const void *block, unsigned size, long *number, char **file, int *line);
    int (*check_memory)(void);
    int (*dump_leaks)(void);
    int (*set_flag)(int flag);
    int (*report_mode)(int kind, int mode);
    hook_fun *(*set_alloc_hook)(hook_fun *hook);
    void (*checkpoint)(memory_state_t *state);
    int (*difference)(memory_state_t *result, const memory_state_t *old, const memory_state_t *new);
} debug;

static const struct {
    const char *name;
    void *function; // where the address goes
} names[] = {
    {"malloc", &debug.malloc},
    {"calloc", &debug.calloc},
    {"realloc", &debug.realloc},
    {"free", &debug.free},
    {"_msize", &debug.msize},
    {"_strdup", &debug.strdup},
    {"_malloc_dbg", &debug.malloc_dbg},
    {"_calloc_dbg", &debug.calloc_dbg},
    {"_realloc_dbg", &debug.realloc_dbg},
    {"_free_dbg", &debug.free_dbg},
    {"_msize_dbg", &debug.msize_dbg},
    {"_aligned_malloc_dbg", &debug.aligned_malloc_dbg},
    {"_aligned_free_dbg", &debug.aligned_free_dbg},
    {"_strdup_dbg", &debug.strdup_dbg},
    {"_CrtIsValidHeapPointer", &debug.is_valid_heap_pointer},
    {"_CrtIsMemoryBlock", &debug.is_memory_block},
    {"_CrtCheckMemory", &debug.check_memory},
    {"_CrtDumpMemoryLeaks", &debug.dump_leaks},
    {"_CrtSetDbgFlag", &debug.set_flag},
    {"_CrtSetReportMode", &debug.report_mode},
    {"_CrtSetAllocHook", &debug.set_alloc_hook},
    {"_CrtMemCheckpoint", &debug.checkpoint},
    {"_CrtMemDifference", &debug.difference},
};

static const char *runtime_path;
static bool is_early;
static bool (*is_ours)(const void *block);
static HMODULE runtime;

static void look_up(void)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        FARPROC address = GetProcAddress(runtime, names[i].name);
        if (address == NULL)
            printf("%s is missing\n", names[i].name);
        memcpy(names[i].function, &address, sizeof address);
    }
}

static void load_runtime(void)
{
    enum { WARN, ERROR_REPORT, ASSERT, KINDS };
    runtime = LoadLibraryA(runtime_path);
    REQUIRE(runtime != NULL);
    look_up();
    // A failed check of the runtime goes to stderr, not into a window.
    for (int kind = WARN; kind < KINDS; kind++)
        debug.report_mode(kind, 1);
}

static void load_allocator(void)
{
    HMODULE allocator = LoadLibraryA("mimalloc-override.dll");
    REQUIRE(allocator != NULL);
    is_ours = (bool (*)(const void *))(void *)GetProcAddress(allocator, "mi_is_in_heap_region");
}

TEST(the_runtime_is_taken_over_and_what_it_made_before_still_works)
{
    char *before = NULL;
    if (is_early) {
        load_allocator();
        load_runtime();
    } else {
        load_runtime();
        before = debug.malloc_dbg(100, NORMAL_BLOCK, "file", 1);
        memset(before, 7, 100);
        load_allocator();
        look_up();
    }
    void *block = debug.malloc(100);
    REQUIRE(block != NULL);
    CHECK(is_ours(block));
    debug.free(block);
    if (before != NULL) {
        CHECK(!is_ours(before));
        CHECK_EQ(debug.msize_dbg(before, NORMAL_BLOCK), 100);
        CHECK(debug.is_valid_heap_pointer(before));
        before = debug.realloc_dbg(before, 5000, NORMAL_BLOCK, "file", 2);
        REQUIRE(before != NULL);
        CHECK_EQ(before[99], 7);
        debug.free_dbg(before, NORMAL_BLOCK);
    }
    CHECK(debug.check_memory());
}

TEST(the_debug_family_and_the_plain_one_share_blocks)
{
    char *block = debug.malloc_dbg(100, NORMAL_BLOCK, "file", 3);
    CHECK(is_ours(block));
    CHECK(debug.msize_dbg(block, NORMAL_BLOCK) >= 100);
    CHECK(debug.msize(block) >= 100);
    memset(block, 5, 100);
    block = debug.realloc(block, 3000);
    CHECK_EQ(block[99], 5);
    debug.free_dbg(block, NORMAL_BLOCK);
    block = debug.calloc_dbg(10, 10, NORMAL_BLOCK, "file", 4);
    CHECK_EQ(block[99], 0);
    debug.free(block);
    block = debug.aligned_malloc_dbg(100, 256, "file", 5);
    CHECK(is_ours(block));
    CHECK_EQ((uintptr_t)block % 256, 0);
    debug.aligned_free_dbg(block);
}

TEST(what_the_runtime_allocates_for_the_program_is_ours)
{
    char *text = debug.strdup("some text");
    CHECK(is_ours(text));
    CHECK_STR_EQ(text, "some text");
    debug.free(text);
    text = debug.strdup_dbg("some text", NORMAL_BLOCK, "file", 6);
    CHECK(is_ours(text));
    debug.free_dbg(text, NORMAL_BLOCK);
}

TEST(the_checks_accept_our_blocks)
{
    char *block = debug.malloc(100);
    CHECK(debug.is_valid_heap_pointer(block));
    CHECK(debug.check_memory());
    int flag = debug.set_flag(CHECK_ALWAYS | LEAK_CHECK | ALLOC_MEMORY);
    for (size_t size = 1; size < 5000; size += 100) {
        block = debug.realloc(block, size);
        REQUIRE(block != NULL);
        debug.free(debug.malloc(size));
    }
    debug.free(block);
    debug.set_flag(flag);
    CHECK(debug.check_memory());
    char *file = NULL;
    int line = 0;
    long number = 0;
    block = debug.malloc_dbg(100, NORMAL_BLOCK, "file", 7);
    // Our blocks have no header: they are not known by number, file and line.
    CHECK_EQ(debug.is_memory_block(block, 100, &number, &file, &line), 0);
    debug.free(block);
}

static int hook_calls;

static int count_call(int kind, void *block, size_t size, int type, long number,
                      const unsigned char *file, int line)
{
    (void)kind, (void)block, (void)size, (void)type, (void)number, (void)file, (void)line;
    hook_calls++;
    return 1;
}

TEST(no_hook_is_called_and_no_leak_is_seen)
{
    memory_state_t before, after, difference;
    debug.checkpoint(&before);
    hook_fun *hook = debug.set_alloc_hook(count_call);
    void *kept = debug.malloc_dbg(1000, NORMAL_BLOCK, "file", 8);
    debug.set_alloc_hook(hook);
    CHECK_EQ(hook_calls, 0);
    debug.checkpoint(&after);
    CHECK_EQ(debug.difference(&difference, &before, &after), 0);
    debug.free(kept);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    runtime_path = argv[1];
    is_early = strcmp(argv[2], "early") == 0;
    RUN(the_runtime_is_taken_over_and_what_it_made_before_still_works)
    RUN(the_debug_family_and_the_plain_one_share_blocks)
    RUN(what_the_runtime_allocates_for_the_program_is_ours)
    RUN(the_checks_accept_our_blocks)
    RUN(no_hook_is_called_and_no_leak_is_seen)
    printf("%u passed, %u failed\n", check_state.passed, check_state.failed);
    return check_state.failed != 0 || check_state.passed == 0;
}
