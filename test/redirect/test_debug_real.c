// SPDX-License-Identifier: MIT
// Microsoft's real debug runtime, ucrtbased.dll, as programs of /MDd use it: its family with a header
// before each block, its checks and its leak report, in harmony with the allocator.
//   test_debug_real UCRTBASED.DLL early|late    the allocator comes before or after the runtime
// In imports mode the addresses come from GetProcAddress, which then leads to the replacements.
#include "check.h"
#include "mimalloc/redirect.h"

#include <stdbool.h>
#include <stdlib.h>
#include <windows.h>

enum { NORMAL_BLOCK = 1, CLIENT_BLOCK = 4 };
enum { ALLOC_MEMORY = 0x01, CHECK_ALWAYS = 0x04, LEAK_CHECK = 0x20 };
enum { REPORT_WARN, REPORT_ERROR, REPORT_ASSERT, REPORT_KINDS };
enum { TO_NOWHERE = 0, HOOK_INSTALL = 0 };

typedef int __cdecl alloc_hook_fun(int kind, void *block, size_t size, int type, long number,
                                   const unsigned char *file, int line);
typedef int __cdecl report_hook_fun(int kind, char *message, int *result);

// As crtdbg.h has it.
typedef struct memory_state {
    void *first;
    size_t counts[5];
    size_t sizes[5];
    size_t high;
    size_t total;
} memory_state_t;

// Each field is the address of the runtime's function of that name.
#define PLAIN(X)                                                                                   \
    X(void *, malloc, (size_t size))                                                               \
    X(void *, calloc, (size_t count, size_t size))                                                 \
    X(void *, realloc, (void *block, size_t size))                                                 \
    X(void, free, (void *block))                                                                   \
    X(size_t, _msize, (void *block))                                                               \
    X(char *, _strdup, (const char *text))                                                         \
    X(void, _aligned_free, (void *block))                                                          \
    X(int *, _errno, (void))

#define AT const char *file, int line
#define DEBUG(X)                                                                                   \
    X(void *, _malloc_dbg, (size_t size, int type, AT))                                            \
    X(void *, _calloc_dbg, (size_t count, size_t size, int type, AT))                              \
    X(void *, _realloc_dbg, (void *block, size_t size, int type, AT))                              \
    X(void *, _recalloc_dbg, (void *block, size_t count, size_t size, int type, AT))               \
    X(void *, _expand_dbg, (void *block, size_t size, int type, AT))                               \
    X(void, _free_dbg, (void *block, int type))                                                    \
    X(size_t, _msize_dbg, (void *block, int type))                                                 \
    X(char *, _strdup_dbg, (const char *text, int type, AT))                                       \
    X(void *, _aligned_malloc_dbg, (size_t size, size_t alignment, AT))                            \
    X(void *, _aligned_realloc_dbg, (void *block, size_t size, size_t alignment, AT))              \
    X(void *, _aligned_recalloc_dbg,                                                               \
      (void *block, size_t count, size_t size, size_t alignment, AT))                              \
    X(size_t, _aligned_msize_dbg, (void *block, size_t alignment, size_t offset))                  \
    X(void *, _aligned_offset_malloc_dbg, (size_t size, size_t alignment, size_t offset, AT))      \
    X(void *, _aligned_offset_realloc_dbg,                                                         \
      (void *block, size_t size, size_t alignment, size_t offset, AT))                             \
    X(void *, _aligned_offset_recalloc_dbg,                                                        \
      (void *block, size_t count, size_t size, size_t alignment, size_t offset, AT))               \
    X(void, _aligned_free_dbg, (void *block))                                                      \
    X(int, _CrtIsValidHeapPointer, (const void *block))                                            \
    X(int, _CrtIsMemoryBlock,                                                                      \
      (const void *block, unsigned size, long *number, char **file, int *line))                    \
    X(int, _CrtCheckMemory, (void))                                                                \
    X(int, _CrtDumpMemoryLeaks, (void))                                                            \
    X(int, _CrtSetDbgFlag, (int flag))                                                             \
    X(int, _CrtSetReportMode, (int kind, int mode))                                                \
    X(int, _CrtSetReportHook2, (int mode, report_hook_fun *hook))                                  \
    X(alloc_hook_fun *, _CrtSetAllocHook, (alloc_hook_fun * hook))                                 \
    X(void, _CrtMemCheckpoint, (memory_state_t * state))                                           \
    X(int, _CrtMemDifference,                                                                      \
      (memory_state_t * result, const memory_state_t *old, const memory_state_t *new))

static struct {
#define FIELD(result, name, parameters) result(__cdecl *name) parameters;
    PLAIN(FIELD) DEBUG(FIELD)
} crt;

static const struct {
    const char *name;
    void *field; // where the address goes
} fields[] = {
#define NAME(result, name, parameters) {#name, &crt.name},
    PLAIN(NAME) DEBUG(NAME)};

static const char *runtime_path;
static bool is_early;
static bool is_by_imports;
static bool (*is_ours)(const void *block);
static bool (*get_status)(mi_redirect_status_t *status);
static HMODULE runtime;

// What the runtime reported: texts of _CrtDumpMemoryLeaks, and failed checks, of which there is none.
static unsigned failed_checks;
static char reported[2000];

static int __cdecl note_report(int kind, char *message, int *result)
{
    size_t length = strlen(reported);
    snprintf(reported + length, sizeof reported - length, "%s", message);
    if (kind != REPORT_WARN) {
        failed_checks++;
        printf("     the runtime reports: %s\n", message);
    }
    *result = 0; // no debugger
    return 1;    // and nothing else
}

static void look_up(void)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        FARPROC address = GetProcAddress(runtime, fields[i].name);
        if (address == NULL)
            printf("%s is missing\n", fields[i].name);
        memcpy(fields[i].field, &address, sizeof address);
    }
}

static void load_runtime(void)
{
    runtime = LoadLibraryA(runtime_path);
    REQUIRE(runtime != NULL);
    look_up();
    // A failed check of the runtime goes to the hook, not into a window that waits for ever.
    for (int kind = REPORT_WARN; kind < REPORT_KINDS; kind++)
        crt._CrtSetReportMode(kind, TO_NOWHERE);
    REQUIRE(crt._CrtSetReportHook2(HOOK_INSTALL, note_report) != -1);
}

static void load_allocator(void)
{
    HMODULE allocator = LoadLibraryA("mimalloc-override.dll");
    REQUIRE(allocator != NULL);
    is_ours = (bool (*)(const void *))(void *)GetProcAddress(allocator, "mi_is_in_heap_region");
    get_status = (bool (*)(mi_redirect_status_t *))(void *)GetProcAddress(
        GetModuleHandleA(MI_REDIRECT_DLL), "mi_redirect_get_status");
    REQUIRE(get_status != NULL);
}

// Made before the allocator came, and what it must be afterwards.
static char *plain_before;
static char *aligned_before;
static char *shifted_before;

TEST(the_allocator_and_the_runtime_start_in_this_order)
{
    if (is_early) {
        load_allocator();
        load_runtime();
    } else {
        load_runtime();
        plain_before = crt._malloc_dbg(100, NORMAL_BLOCK, "file", 1);
        aligned_before = crt._aligned_malloc_dbg(100, 64, "file", 2);
        shifted_before = crt._aligned_offset_malloc_dbg(100, 64, 24, "file", 3);
        memset(plain_before, 7, 100);
        memset(aligned_before, 8, 100);
        memset(shifted_before, 9, 100);
        load_allocator();
        look_up();
    }
    void *block = crt.malloc(100);
    REQUIRE(block != NULL);
    CHECK(is_ours(block));
    crt.free(block);
    CHECK(crt._CrtCheckMemory());
}

TEST(the_runtimes_own_block_keeps_its_size_and_moves_to_us)
{
    char *block = plain_before;
    CHECK(!is_ours(block));
    CHECK_EQ(crt._msize_dbg(block, NORMAL_BLOCK), 100);
    CHECK_EQ(crt._msize(block), 100);
    CHECK(crt._CrtIsValidHeapPointer(block));
    CHECK_EQ(crt._expand_dbg(block, 50, NORMAL_BLOCK, "file", 4), block);
    block = crt._realloc_dbg(block, 5000, NORMAL_BLOCK, "file", 5);
    REQUIRE(block != NULL);
    CHECK_EQ(is_ours(block), !is_by_imports);
    CHECK_EQ(block[49], 7);
    crt._free_dbg(block, NORMAL_BLOCK);
    CHECK(crt._CrtCheckMemory());
}

TEST(the_runtimes_own_aligned_block_keeps_its_content)
{
    CHECK(crt._aligned_msize_dbg(aligned_before, 64, 0) >= 100);
    CHECK(crt._aligned_msize_dbg(shifted_before, 64, 24) >= 100);
    char *block = crt._aligned_realloc_dbg(aligned_before, 5000, 64, "file", 6);
    REQUIRE(block != NULL);
    CHECK_EQ((uintptr_t)block % 64, 0);
    CHECK_EQ(block[99], 8);
    crt._aligned_free_dbg(block);
    block = crt._aligned_offset_realloc_dbg(shifted_before, 5000, 64, 24, "file", 7);
    REQUIRE(block != NULL);
    CHECK_EQ(((uintptr_t)block + 24) % 64, 0);
    CHECK_EQ(block[99], 9);
    crt._aligned_free(block);
    CHECK(crt._CrtCheckMemory());
}

TEST(the_debug_family_and_the_plain_one_share_blocks)
{
    char *block = crt._malloc_dbg(100, NORMAL_BLOCK, "file", 8);
    CHECK(is_ours(block));
    CHECK(crt._msize_dbg(block, NORMAL_BLOCK) >= 100);
    CHECK(crt._msize(block) >= 100);
    memset(block, 5, 100);
    block = crt.realloc(block, 3000);
    CHECK_EQ(block[99], 5);
    crt._free_dbg(block, NORMAL_BLOCK);
    block = crt._calloc_dbg(10, 10, CLIENT_BLOCK, "file", 9);
    CHECK_EQ(block[99], 0);
    crt.free(block);
    block = crt.malloc(100);
    memset(block, 6, 100);
    CHECK_EQ(crt._expand_dbg(block, 60, NORMAL_BLOCK, "file", 10), block);
    block = crt._realloc_dbg(block, 9000, NORMAL_BLOCK, "file", 11);
    CHECK_EQ(block[59], 6);
    crt._free_dbg(block, NORMAL_BLOCK);
}

TEST(what_recalloc_adds_is_zero)
{
    char *block = crt._calloc_dbg(1, 100, NORMAL_BLOCK, "file", 12);
    memset(block, 1, 100);
    block = crt._recalloc_dbg(block, 100, 100, NORMAL_BLOCK, "file", 13);
    REQUIRE(block != NULL);
    CHECK(is_ours(block));
    CHECK_EQ(block[99], 1);
    for (int i = 200; i < 10000; i++)
        if (block[i] != 0)
            REQUIRE(block[i] == 0);
    crt._free_dbg(block, NORMAL_BLOCK);
}

TEST(aligned_blocks_keep_their_alignment)
{
    char *block = crt._aligned_malloc_dbg(100, 256, "file", 14);
    CHECK(is_ours(block));
    CHECK_EQ((uintptr_t)block % 256, 0);
    CHECK(crt._aligned_msize_dbg(block, 256, 0) >= 100);
    memset(block, 2, 100);
    block = crt._aligned_realloc_dbg(block, 5000, 256, "file", 15);
    CHECK_EQ((uintptr_t)block % 256, 0);
    block = crt._aligned_recalloc_dbg(block, 100, 100, 256, "file", 16);
    CHECK_EQ((uintptr_t)block % 256, 0);
    CHECK_EQ(block[99], 2);
    crt._aligned_free_dbg(block);
    block = crt._aligned_offset_malloc_dbg(100, 64, 24, "file", 17);
    CHECK(is_ours(block));
    CHECK_EQ(((uintptr_t)block + 24) % 64, 0);
    memset(block, 3, 100);
    block = crt._aligned_offset_realloc_dbg(block, 3000, 64, 24, "file", 18);
    block = crt._aligned_offset_recalloc_dbg(block, 60, 100, 64, 24, "file", 19);
    CHECK_EQ(((uintptr_t)block + 24) % 64, 0);
    CHECK_EQ(block[99], 3);
    crt._aligned_free_dbg(block);
}

static uint64_t foreign_frees(void)
{
    mi_redirect_status_t status = {.size = sizeof status};
    REQUIRE(get_status(&status));
    return status.foreign_free_count;
}

// In imports mode the runtime's inner calls are its own: such blocks are its, and go back to it.
TEST(what_the_runtime_allocates_for_the_program_can_be_freed)
{
    uint64_t before = foreign_frees();
    char *text = crt._strdup("some text");
    CHECK_EQ(is_ours(text), !is_by_imports);
    CHECK_STR_EQ(text, "some text");
    crt.free(text);
    text = crt._strdup_dbg("some text", NORMAL_BLOCK, "file", 20);
    CHECK_EQ(is_ours(text), !is_by_imports);
    crt._free_dbg(text, NORMAL_BLOCK);
    text = crt._strdup("some text");
    text = crt._realloc_dbg(text, 5000, NORMAL_BLOCK, "file", 21);
    CHECK_STR_EQ(text, "some text");
    crt.free(text);
    CHECK_EQ(foreign_frees() - before, is_by_imports ? 3 : 0);
    CHECK(crt._CrtCheckMemory());
}

TEST(failures_set_errno)
{
    *crt._errno() = 0;
    CHECK_EQ(crt._malloc_dbg((size_t)-100, NORMAL_BLOCK, "file", 22), NULL);
    CHECK_EQ(*crt._errno(), 12);
    *crt._errno() = 0;
    CHECK_EQ(crt._calloc_dbg((size_t)-1 / 2, 3, NORMAL_BLOCK, "file", 23), NULL);
    CHECK_EQ(*crt._errno(), 12);
}

TEST(the_checks_accept_our_blocks)
{
    char *block = crt.malloc(100);
    CHECK(crt._CrtIsValidHeapPointer(block));
    CHECK(crt._CrtCheckMemory());
    int flag = crt._CrtSetDbgFlag(CHECK_ALWAYS | LEAK_CHECK | ALLOC_MEMORY);
    for (size_t size = 1; size < 5000; size += 100) {
        block = crt.realloc(block, size);
        REQUIRE(block != NULL);
        crt.free(crt.malloc(size));
        crt.free(crt._strdup("some text"));
    }
    crt.free(block);
    crt._CrtSetDbgFlag(flag);
    CHECK(crt._CrtCheckMemory());
    char *file = NULL;
    int line = 0;
    long number = 0;
    block = crt._malloc_dbg(100, NORMAL_BLOCK, "file", 24);
    // Our blocks have no header: they are not known by number, file and line.
    CHECK_EQ(crt._CrtIsMemoryBlock(block, 100, &number, &file, &line), 0);
    crt.free(block);
}

static int hook_calls;

static int __cdecl count_call(int kind, void *block, size_t size, int type, long number,
                              const unsigned char *file, int line)
{
    (void)kind, (void)block, (void)size, (void)type, (void)number, (void)file, (void)line;
    hook_calls++;
    return 1;
}

TEST(no_hook_is_called_and_no_leak_is_seen)
{
    memory_state_t before, after, difference;
    crt._CrtMemCheckpoint(&before);
    alloc_hook_fun *hook = crt._CrtSetAllocHook(count_call);
    void *kept = crt._malloc_dbg(1000, NORMAL_BLOCK, "file", 25);
    crt._CrtSetAllocHook(hook);
    CHECK_EQ(hook_calls, 0);
    crt._CrtMemCheckpoint(&after);
    CHECK_EQ(crt._CrtMemDifference(&difference, &before, &after), 0);
    reported[0] = 0;
    bool has_leaks = crt._CrtDumpMemoryLeaks();
    // In code mode blocks from before the allocator stay in the runtime's list for good.
    CHECK_EQ(has_leaks, !is_early && !is_by_imports);
    CHECK(strstr(reported, "1000 bytes") == NULL);
    crt.free(kept);
}

TEST(the_runtime_has_failed_no_check)
{
    mi_redirect_status_t status = {.size = sizeof status};
    REQUIRE(get_status(&status));
    CHECK(status.is_redirected);
    CHECK_EQ(failed_checks, 0);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    runtime_path = argv[1];
    is_early = strcmp(argv[2], "early") == 0;
    const char *mode = getenv("MIMALLOC_REDIRECT_MODE");
    is_by_imports = mode != NULL && strcmp(mode, "imports") == 0;
    RUN(the_allocator_and_the_runtime_start_in_this_order)
    if (!is_early) {
        RUN(the_runtimes_own_block_keeps_its_size_and_moves_to_us)
        RUN(the_runtimes_own_aligned_block_keeps_its_content)
    }
    RUN(the_debug_family_and_the_plain_one_share_blocks)
    RUN(what_recalloc_adds_is_zero)
    RUN(aligned_blocks_keep_their_alignment)
    RUN(what_the_runtime_allocates_for_the_program_can_be_freed)
    RUN(failures_set_errno)
    RUN(the_checks_accept_our_blocks)
    RUN(no_hook_is_called_and_no_leak_is_seen)
    RUN(the_runtime_has_failed_no_check)
    printf("%u passed, %u failed\n", check_state.passed, check_state.failed);
    return check_state.failed != 0 || check_state.passed == 0;
}
