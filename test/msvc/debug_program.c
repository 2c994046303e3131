// SPDX-License-Identifier: MIT
// A program as /MDd builds it: it imports Microsoft's ucrtbased.dll, its malloc is _malloc_dbg with
// file and line, all checks of the debug heap are on, and a leak report comes at the end.
//   debug_program [late]    late: the allocator is loaded when the runtime is at work
#include "check.h"
#include "mimalloc/redirect.h"

#include <crtdbg.h>
#include <direct.h>
#include <errno.h>
#include <locale.h>
#include <process.h>
#include <stdbool.h>
#include <stdlib.h>
#include <windows.h>

static bool is_late;
static bool is_by_imports;
static bool (*is_ours)(const void *block);
static bool (*get_runtime)(size_t index, mi_redirect_runtime_t *runtime);
static bool (*get_function)(size_t runtime, size_t index, mi_redirect_function_t *function);
static HMODULE allocator;

enum { LEAKS_REPORTED = 7, CHECK_FAILED = 8 };

// What the runtime reported. Once main is over a report ends the process: it can only be a leak.
static bool is_ending;
static char reported[4000];

static int __cdecl note_report(int kind, char *message, int *result)
{
    size_t length = strlen(reported);
    snprintf(reported + length, sizeof reported - length, "%s", message);
    if (kind != _CRT_WARN)
        TerminateProcess(GetCurrentProcess(), CHECK_FAILED);
    if (is_ending && strstr(message, "Detected memory leaks") != NULL)
        TerminateProcess(GetCurrentProcess(), LEAKS_REPORTED);
    *result = 0;
    return 1;
}

static void find_allocator(void)
{
    allocator = LoadLibraryA("mimalloc-override.dll");
    REQUIRE(allocator != NULL);
    is_ours = (bool (*)(const void *))(void *)GetProcAddress(allocator, "mi_is_in_heap_region");
    HMODULE redirect = GetModuleHandleA("mimalloc-redirect.dll");
    get_runtime = (bool (*)(size_t, mi_redirect_runtime_t *))(void *)GetProcAddress(
        redirect, "mi_redirect_get_runtime");
    get_function = (bool (*)(size_t, size_t, mi_redirect_function_t *))(void *)GetProcAddress(
        redirect, "mi_redirect_get_function");
    REQUIRE(is_ours != NULL && get_runtime != NULL && get_function != NULL);
}

TEST(the_debug_runtime_is_redirected)
{
    mi_redirect_runtime_t runtime = {.size = sizeof runtime};
    bool is_found = false;
    for (size_t i = 0; get_runtime(i, &runtime); i++) {
        if (strcmp(runtime.name, "ucrtbased.dll") != 0)
            continue;
        is_found = true;
        CHECK(runtime.is_redirected);
        CHECK_EQ(runtime.was_initialized, is_late);
        CHECK_EQ(runtime.engine,
                 is_by_imports ? MI_REDIRECT_ENGINE_IMPORTS : MI_REDIRECT_ENGINE_CODE);
    }
    CHECK(is_found);
}

// Other runtimes, ucrtbase.dll among them, are reached by functions of the redirect.
TEST(the_programs_own_runtime_leads_straight_to_the_allocator)
{
    mi_redirect_runtime_t runtime = {.size = sizeof runtime};
    mi_redirect_function_t function = {.size = sizeof function};
    for (size_t i = 0; get_runtime(i, &runtime); i++) {
        HMODULE owner = NULL;
        REQUIRE(get_function(i, 0, &function));
        CHECK(GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                                     GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                                 function.replacement, &owner));
        CHECK_EQ(owner == allocator, strcmp(runtime.name, "ucrtbased.dll") == 0);
    }
}

TEST(blocks_with_file_and_line_are_ours)
{
    char *block = malloc(100); // _malloc_dbg
    CHECK(is_ours(block));
    memset(block, 1, 100);
    block = realloc(block, 5000);
    CHECK(is_ours(block));
    CHECK_EQ(block[99], 1);
    CHECK(_msize(block) >= 5000);
    CHECK_EQ(_expand(block, 100), block);
    free(block);
    block = calloc(10, 10);
    CHECK_EQ(block[99], 0);
    block = _recalloc(block, 100, 100);
    CHECK_EQ(block[9999], 0);
    free(block);
    block = _aligned_malloc(100, 512);
    CHECK(is_ours(block));
    CHECK_EQ((uintptr_t)block % 512, 0);
    block = _aligned_realloc(block, 3000, 512);
    CHECK(_aligned_msize(block, 512, 0) >= 3000);
    _aligned_free(block);
    block = _malloc_dbg(100, _CLIENT_BLOCK | 3 << 16, __FILE__, __LINE__);
    CHECK(is_ours(block));
    _free_dbg(block, _CLIENT_BLOCK | 3 << 16);
    CHECK(_CrtCheckMemory());
}

TEST(a_failure_sets_this_runtimes_errno)
{
    errno = 0;
    volatile size_t too_much = (size_t)-100;
    CHECK_EQ(malloc(too_much), NULL);
    CHECK_EQ(errno, ENOMEM);
}

TEST(the_runtimes_checks_accept_our_blocks)
{
    char *block = malloc(100);
    CHECK(_CrtIsValidHeapPointer(block));
    CHECK(_CrtIsValidPointer(block, 100, 1));
    _CrtMemState before, after, difference;
    _CrtMemCheckpoint(&before);
    void *kept = malloc(1000);
    _CrtMemCheckpoint(&after);
    CHECK_EQ(_CrtMemDifference(&difference, &before, &after), 0);
    reported[0] = 0;
    CHECK_EQ(_CrtDumpMemoryLeaks(), 0);
    CHECK_STR_EQ(reported, "");
    free(kept);
    free(block);
}

TEST(the_runtime_works_on_our_blocks)
{
    char *text = _strdup("some text"); // _strdup_dbg
    CHECK_EQ(is_ours(text), !is_by_imports);
    free(text);
    char *folder = _getcwd(NULL, 0);
    CHECK_EQ(is_ours(folder), !is_by_imports);
    free(folder);
    size_t size = 0;
    CHECK_EQ(_dupenv_s(&text, &size, "PATH"), 0);
    free(text);
    for (int i = 0; i < 100; i++) {
        char entry[64];
        snprintf(entry, sizeof entry, "MI_TEST_%d=%d", i, i);
        CHECK_EQ(_putenv(entry), 0);
    }
    CHECK(setlocale(LC_ALL, "") != NULL);
    CHECK(setlocale(LC_ALL, "C") != NULL);
    FILE *file = tmpfile();
    CHECK(file != NULL);
    if (file != NULL)
        fclose(file);
    CHECK(_CrtCheckMemory());
}

static unsigned __stdcall thread_body(void *arg)
{
    for (size_t size = 1; size < 3000; size += 7)
        free(malloc(size));
    errno = 0;
    (void)strerror(1);
    *(void **)arg = malloc(500);
    return 0;
}

TEST(threads_of_the_runtime_come_and_go)
{
    for (int i = 0; i < 10; i++) {
        void *block = NULL;
        HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, thread_body, &block, 0, NULL);
        REQUIRE(thread != NULL);
        WaitForSingleObject(thread, INFINITE);
        CloseHandle(thread);
        CHECK(is_ours(block));
        free(block);
    }
    CHECK(_CrtCheckMemory());
}

TEST(the_allocator_is_there)
{
    find_allocator();
    CHECK_EQ(reported[0], 0);
}

int main(int argc, char **argv)
{
    is_late = argc > 1 && strcmp(argv[1], "late") == 0;
    const char *mode = getenv("MIMALLOC_REDIRECT_MODE");
    is_by_imports = mode != NULL && strcmp(mode, "imports") == 0;
    for (int kind = 0; kind < _CRT_ERRCNT; kind++)
        _CrtSetReportMode(kind, 0);
    _CrtSetReportHook2(_CRT_RPTHOOK_INSTALL, note_report);
    _CrtSetDbgFlag(_CRTDBG_ALLOC_MEM_DF | _CRTDBG_LEAK_CHECK_DF | _CRTDBG_CHECK_ALWAYS_DF);
    RUN(the_allocator_is_there)
    RUN(the_debug_runtime_is_redirected)
    RUN(the_programs_own_runtime_leads_straight_to_the_allocator)
    RUN(blocks_with_file_and_line_are_ours)
    RUN(a_failure_sets_this_runtimes_errno)
    RUN(the_runtimes_checks_accept_our_blocks)
    RUN(the_runtime_works_on_our_blocks)
    RUN(threads_of_the_runtime_come_and_go)
    printf("%u passed, %u failed\n", check_state.passed, check_state.failed);
    fflush(stdout);
    is_ending = true;
    return check_state.failed != 0;
}
