// SPDX-License-Identifier: MIT
// Calls everything of the C runtime that hands blocks over: from the program to the runtime, from
// the runtime to the program, and between the runtime's parts. The argument says in which order the
// redirect and the runtime were started: "early" or "late". What must hold afterwards is in verdicts().
#include "check.h"
#include "mimalloc/redirect.h"
#include "stock_allocator.h"
#include "watch.h"

#include <direct.h>
#include <errno.h>
#include <io.h>
#include <locale.h>
#include <malloc.h>
#include <mbctype.h>
#include <process.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <wchar.h>
#include <windows.h>

#ifndef EXERCISE_RUNTIME
#define EXERCISE_RUNTIME "ucrtbase.dll"
#endif

static HMODULE runtime;

static int is_ours(const void *block)
{
    return mi_is_in_heap_region(block);
}

static void *function(const char *name)
{
    return (void *)GetProcAddress(runtime, name);
}

// Old runtimes lack some of these, and so do their import libraries.
#define IN_RUNTIME(result, name, ...) ((result(__cdecl *)(__VA_ARGS__))function(name))
#define _recalloc                     IN_RUNTIME(void *, "_recalloc", void *, size_t, size_t)
#define _aligned_msize                IN_RUNTIME(size_t, "_aligned_msize", void *, size_t, size_t)

#define _aligned_recalloc IN_RUNTIME(void *, "_aligned_recalloc", void *, size_t, size_t, size_t)
#define _aligned_offset_recalloc                                                                   \
    IN_RUNTIME(void *, "_aligned_offset_recalloc", void *, size_t, size_t, size_t, size_t)
#define _dupenv_s     IN_RUNTIME(int, "_dupenv_s", char **, size_t *, const char *)
#define _wdupenv_s    IN_RUNTIME(int, "_wdupenv_s", wchar_t **, size_t *, const wchar_t *)
#define _set_new_mode IN_RUNTIME(int, "_set_new_mode", int)

// Runs a test that stands or falls with a function, where the runtime has it.
#define RUN_WITH(name, test)                                                                       \
    if (function(name) != NULL)                                                                    \
    RUN(test)

// Some do not come back under the emulated Wine for ARM64, redirected or not (docs/testing.md).
#ifdef EXERCISE_EMULATED
#define RUN_NATIVE(test) (void)(test);
#else
#define RUN_NATIVE(test) RUN(test)
#endif

// ---- blocks of the program ----

TEST(plain_blocks)
{
    for (size_t size = 0; size < 100000; size = size * 3 + 1) {
        char *block = malloc(size);
        REQUIRE(block != NULL);
        memset(block, 1, size);
        block = realloc(block, size + 1000);
        CHECK_EQ(block[size / 2], size != 0 ? 1 : block[0]);
        CHECK(_msize(block) >= size + 1000);
        free(block);
    }
}

TEST(zeroed_blocks)
{
    char *block = calloc(100, 100);
    CHECK_EQ(block[9999], 0);
    free(block);
    CHECK_EQ(calloc((size_t)-1 / 2, 3), NULL);
    CHECK_EQ(errno, ENOMEM);
}

TEST(recalloc_keeps_and_zeroes)
{
    char *block = _recalloc(NULL, 10, 10);
    REQUIRE(block != NULL);
    memset(block, 7, 100);
    block = _recalloc(block, 100, 100);
    CHECK_EQ(block[99], 7);
    CHECK_EQ(block[9999], 0);
    free(block);
}

TEST(expand_in_place)
{
    char *block = malloc(1000);
    CHECK_EQ(_expand(block, 500), block);
    free(block);
}

TEST(aligned_blocks)
{
    char *block = _aligned_malloc(1000, 256);
    CHECK_EQ((uintptr_t)block % 256, 0);
    memset(block, 3, 1000);
    block = _aligned_realloc(block, 5000, 256);
    CHECK_EQ(block[999], 3);
    CHECK_EQ((uintptr_t)block % 256, 0);
    CHECK(_aligned_msize(block, 256, 0) >= 5000);
    block = _aligned_recalloc(block, 100, 100, 256);
    CHECK_EQ(block[999], 3);
    _aligned_free(block);
}

TEST(aligned_blocks_with_an_offset)
{
    char *block = _aligned_offset_malloc(1000, 64, 24);
    CHECK_EQ(((uintptr_t)block + 24) % 64, 0);
    memset(block, 4, 1000);
    block = _aligned_offset_realloc(block, 3000, 64, 24);
    CHECK_EQ(((uintptr_t)block + 24) % 64, 0);
    block = _aligned_offset_recalloc(block, 60, 100, 64, 24);
    CHECK_EQ(((uintptr_t)block + 24) % 64, 0);
    CHECK_EQ(block[999], 4);
    _aligned_free(block);
}

TEST(base_functions_and_public_ones_mix)
{
    void *(*malloc_base)(size_t) = (void *(*)(size_t))function("_malloc_base");
    void *(*calloc_base)(size_t, size_t) = (void *(*)(size_t, size_t))function("_calloc_base");
    void *(*realloc_base)(void *, size_t) = (void *(*)(void *, size_t))function("_realloc_base");
    void (*free_base)(void *) = (void (*)(void *))function("_free_base");
    REQUIRE(malloc_base && calloc_base && realloc_base && free_base);
    free(malloc_base(50));
    free(calloc_base(5, 50));
    free(realloc_base(malloc_base(50), 500));
    free_base(malloc_base(100));
    CHECK(1);
}

TEST(twins_and_public_ones_mix)
{
    void *(*o_malloc)(size_t) = (void *(*)(size_t))function("_o_malloc");
    void (*o_free)(void *) = (void (*)(void *))function("_o_free");
    REQUIRE(o_malloc && o_free);
    free(o_malloc(50));
    o_free(o_malloc(50));
    CHECK(1);
}

// ---- blocks that the runtime makes and the program frees ----

TEST(copies_of_strings)
{
    char *text = _strdup("text");
    wchar_t *wide = _wcsdup(L"wide");
    CHECK_STR_EQ(text, "text");
    CHECK(wcscmp(wide, L"wide") == 0);
    free(text);
    free(wide);
}

TEST(current_folders)
{
    char *folder = _getcwd(NULL, 0);
    wchar_t *wide = _wgetcwd(NULL, 300);
    CHECK(folder != NULL && folder[1] == ':');
    CHECK(wide != NULL && wide[1] == L':');
    free(folder);
    free(wide);
    char *drive = _getdcwd(0, NULL, 0);
    CHECK(drive != NULL);
    free(drive);
}

TEST(full_paths)
{
    char *path = _fullpath(NULL, "some.file", 0);
    wchar_t *wide = _wfullpath(NULL, L"some.file", 0);
    CHECK(path != NULL);
    CHECK(wide != NULL);
    free(path);
    free(wide);
}

TEST(temporary_names)
{
    char *name = _tempnam(NULL, "mi");
    wchar_t *wide = _wtempnam(NULL, L"mi");
    CHECK(name != NULL);
    CHECK(wide != NULL);
    free(name);
    free(wide);
}

TEST(copies_of_the_environment)
{
    char *value = NULL;
    wchar_t *wide = NULL;
    size_t size = 0;
    CHECK_EQ(_dupenv_s(&value, &size, "PATH"), 0);
    CHECK(value != NULL);
    CHECK_EQ(_wdupenv_s(&wide, &size, L"PATH"), 0);
    free(value);
    free(wide);
}

TEST(names_of_days_and_months)
{
    static const char *const makers[] = {"_Getdays",   "_Getmonths",   "_Gettnames",
                                         "_W_Getdays", "_W_Getmonths", "_W_Gettnames"};
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
        void *(*make)(void) = (void *(*)(void))function(makers[i]);
        if (make == NULL)
            continue; // Wine lacks some; Microsoft's C++ library takes them all.
        void *names = make();
        CHECK(names != NULL);
        free(names);
    }
    CHECK(1);
}

// ---- blocks that stay inside the runtime ----

TEST(environment_grows_and_shrinks)
{
    char entry[64];
    for (int i = 0; i < 300; i++) {
        snprintf(entry, sizeof entry, "MI_TEST_%d=%d", i, i);
        CHECK_EQ(_putenv(entry), 0);
    }
    CHECK_STR_EQ(getenv("MI_TEST_299"), "299");
    CHECK_EQ(_wputenv(L"MI_TEST_W=1"), 0);
    for (int i = 0; i < 300; i++) {
        snprintf(entry, sizeof entry, "MI_TEST_%d=", i);
        CHECK_EQ(_putenv(entry), 0);
    }
    CHECK_EQ(_putenv_s("MI_TEST_S", "value"), 0);
}

TEST(locales_come_and_go)
{
    for (int i = 0; i < 3; i++) {
        CHECK(setlocale(LC_ALL, "C") != NULL);
        setlocale(LC_ALL, "");
        setlocale(LC_TIME, "English_United States.1252");
        _wsetlocale(LC_NUMERIC, L"C");
    }
    CHECK(setlocale(LC_ALL, "C") != NULL);
}

TEST(locales_of_threads_and_objects)
{
    _locale_t locale = _create_locale(LC_ALL, "C");
    CHECK(locale != NULL);
    _free_locale(locale);
    _configthreadlocale(_ENABLE_PER_THREAD_LOCALE);
    CHECK(setlocale(LC_ALL, "C") != NULL);
    _configthreadlocale(_DISABLE_PER_THREAD_LOCALE);
}

TEST(code_pages)
{
    int old = _getmbcp();
    CHECK_EQ(_setmbcp(932), 0);
    CHECK_EQ(_setmbcp(old), 0);
}

TEST(buffers_of_streams)
{
    char *name = _tempnam(NULL, "mi");
    FILE *file = fopen(name, "w+");
    REQUIRE(file != NULL);
    CHECK_EQ(setvbuf(file, NULL, _IOFBF, 5000), 0);
    for (int i = 0; i < 1000; i++)
        fprintf(file, "line %d\n", i);
    rewind(file);
    char line[64];
    CHECK(fgets(line, sizeof line, file) != NULL);
    fclose(file);
    _unlink(name);
    free(name);
}

TEST(wide_streams)
{
    wchar_t *name = _wtempnam(NULL, L"mi");
    FILE *file = _wfopen(name, L"w+");
    REQUIRE(file != NULL);
    CHECK(fputws(L"wide text\n", file) >= 0);
    rewind(file);
    wchar_t line[64];
    CHECK(fgetws(line, 64, file) != NULL);
    fclose(file);
    _wunlink(name);
    free(name);
}

// A name is only taken by opening it: another process with the same name in mind may be faster.
static FILE *temporary_file(void)
{
    FILE *file = NULL;
    for (int i = 0; i < 50 && file == NULL; i++)
        file = tmpfile();
    return file;
}

TEST(temporary_files)
{
    FILE *file = temporary_file();
    FILE *other = temporary_file();
    CHECK(file != NULL && other != NULL);
    if (file != NULL)
        fclose(file);
    CHECK(_rmtmp() >= 0);
}

TEST(many_streams)
{
    FILE *files[100];
    CHECK(_setmaxstdio(1024) >= 0);
    for (int i = 0; i < 100; i++)
        files[i] = fopen("NUL", "w");
    CHECK(files[99] != NULL);
    for (int i = 0; i < 100; i++)
        if (files[i] != NULL)
            fclose(files[i]);
}

TEST(long_conversions)
{
    static char text[2000];
    CHECK(snprintf(text, sizeof text, "%.900f", 1.0 / 3) > 900);
    CHECK(snprintf(text, sizeof text, "%ls", L"wide") == 4);
    double value = 0;
    CHECK_EQ(sscanf("3.25", "%lf", &value), 1);
}

TEST(collation)
{
    char key[64];
    wchar_t wide[16];
    CHECK(strcoll("a", "b") < 0);
    CHECK(strxfrm(key, "abc", sizeof key) > 0);
    CHECK_EQ(mbstowcs(wide, "abc", 16), 3);
}

TEST(texts_of_errors_and_times)
{
    time_t now = 86400 * 365;
    CHECK(strerror(ENOMEM) != NULL);
    CHECK(_strerror("mine") != NULL);
    CHECK(asctime(gmtime(&now)) != NULL);
    CHECK(ctime(&now) != NULL);
    CHECK(localtime(&now) != NULL);
    CHECK(_wasctime(gmtime(&now)) != NULL);
    _tzset();
}

TEST(folders_and_files)
{
    struct _finddata_t found;
    intptr_t search = _findfirst("*", &found);
    CHECK(search != -1);
    _findclose(search);
    struct _stat info;
    CHECK_EQ(_stat(".", &info), 0);
}

static void no_op(void)
{
}

TEST(exit_functions)
{
    for (int i = 0; i < 200; i++)
        CHECK_EQ(atexit(no_op), 0);
}

static unsigned __stdcall thread_body(void *arg)
{
    // errno, strerror and times have buffers of their own in each thread.
    time_t now = 0;
    (void)strerror(1);
    (void)gmtime(&now);
    *(void **)arg = malloc(500);
    return 0;
}

TEST(threads)
{
    for (int i = 0; i < 20; i++) {
        void *block = NULL;
        HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, thread_body, &block, 0, NULL);
        REQUIRE(thread != NULL);
        WaitForSingleObject(thread, INFINITE);
        CloseHandle(thread);
        CHECK(block != NULL);
        free(block);
    }
}

// ---- blocks around child processes ----

TEST(commands)
{
    CHECK_EQ(system("exit 3"), 3);
    CHECK_EQ(_wsystem(L"exit 4"), 4);
}

TEST(pipes_to_commands)
{
    char line[64] = "";
    FILE *pipe = _popen("echo hello", "r");
    REQUIRE(pipe != NULL);
    CHECK(fgets(line, sizeof line, pipe) != NULL);
    CHECK_EQ(strncmp(line, "hello", 5), 0);
    _pclose(pipe);
}

TEST(programs_found_by_path)
{
    char path[300] = "";
    _searchenv("cmd.exe", "PATH", path);
    CHECK(path[0] != 0);
    CHECK_EQ(_spawnlp(_P_WAIT, "cmd.exe", "cmd.exe", "/c", "exit", "5", NULL), 5);
}

// ---- the heap itself ----

TEST(heap_questions)
{
    CHECK(_heapchk() == _HEAPOK || _heapchk() == _HEAPEMPTY);
    (void)_heapmin(); // Wine cannot compact heaps and says so
    CHECK_EQ(_set_new_mode(0), 0);
}

static int order_is_late;

// The build number of a universal runtime, of its version resource; 0: an older runtime.
static unsigned release_of_runtime(void)
{
    HRSRC found = FindResourceA(runtime, MAKEINTRESOURCEA(VS_VERSION_INFO), MAKEINTRESOURCEA(16));
    const DWORD *words = found != NULL ? LockResource(LoadResource(runtime, found)) : NULL;
    for (DWORD i = 0; words != NULL && i < SizeofResource(runtime, found) / sizeof *words; i++) {
        const VS_FIXEDFILEINFO *version = (const void *)(words + i);
        if (version->dwSignature == (DWORD)VS_FFI_SIGNATURE)
            return HIWORD(version->dwFileVersionMS) == 10 ? HIWORD(version->dwFileVersionLS) : 0;
    }
    return 0;
}

// In Microsoft's runtimes since Windows 11 the inner function behind _recalloc, which their tables of
// the environment and of exit functions grow by, calls another one that asks the heap for a size. No
// release between these two was seen.
enum { LAST_THAT_NEVER_ASKS = 17134, FIRST_THAT_ASKS = 22000 };

static void check_questions(long count, bool is_by_code)
{
    unsigned release = release_of_runtime();
    if (!is_by_code || release <= LAST_THAT_NEVER_ASKS)
        CHECK_EQ(count, 0);
    else if (release >= FIRST_THAT_ASKS)
        CHECK(count != 0);
}

static void verdicts(void)
{
    mi_redirect_status_t status = {.size = sizeof status};
    mi_redirect_runtime_t first = {.size = sizeof first};
    watch_counts_t counts = watch_counts();
    REQUIRE(mi_redirect_get_status(&status));
    for (size_t i = 0; first.base != (void *)runtime; i++)
        REQUIRE(mi_redirect_get_runtime(i, &first));
    printf("     heap calls %ld, failed %ld; alien frees %ld, reallocs %ld, sizes %ld, rescued %u; "
           "foreign frees %u, reallocs %u, sizes %u\n",
           counts.calls, counts.failures, counts.alien_frees, counts.alien_reallocs,
           counts.alien_sizes, (unsigned)status.heap_rescue_count,
           (unsigned)status.foreign_free_count, (unsigned)status.foreign_realloc_count,
           (unsigned)status.foreign_size_count);
    CHECK(status.is_redirected);
    CHECK_EQ(first.was_initialized, order_is_late);
    CHECK_EQ(counts.failures, 0);
    CHECK_EQ(counts.alien_frees, 0);
    CHECK_EQ(counts.alien_reallocs, 0);
    // The guard on the runtime's imports gets these back, every one.
    check_questions(counts.alien_sizes, first.engine == MI_REDIRECT_ENGINE_CODE);
    CHECK_EQ(status.heap_rescue_count, counts.aliens);
    if (!order_is_late && first.engine == MI_REDIRECT_ENGINE_CODE) {
        CHECK_EQ(status.foreign_free_count, 0);
        CHECK_EQ(status.foreign_realloc_count, 0);
        CHECK_EQ(status.foreign_size_count, 0);
    }
}

TEST(nothing_went_astray)
{
    verdicts();
}

TEST(the_redirect_is_there)
{
    CHECK(mi_is_redirected());
    runtime = GetModuleHandleA(EXERCISE_RUNTIME);
    REQUIRE(runtime != NULL);
    REQUIRE(watch_start(runtime, is_ours));
}

int main(int argc, char **argv)
{
    order_is_late = argc > 1 && strcmp(argv[1], "late") == 0;
    RUN(the_redirect_is_there)
    RUN(plain_blocks)
    RUN(zeroed_blocks)
    RUN_WITH("_recalloc", recalloc_keeps_and_zeroes)
    RUN(expand_in_place)
    RUN_WITH("_aligned_recalloc", aligned_blocks)
    RUN_WITH("_aligned_offset_recalloc", aligned_blocks_with_an_offset)
    RUN_WITH("_malloc_base", base_functions_and_public_ones_mix)
    RUN_WITH("_o_malloc", twins_and_public_ones_mix)
    RUN(copies_of_strings)
    RUN(current_folders)
    RUN(full_paths)
    RUN(temporary_names)
    RUN_WITH("_dupenv_s", copies_of_the_environment)
    RUN(names_of_days_and_months)
    RUN(environment_grows_and_shrinks)
    RUN_NATIVE(locales_come_and_go)
    RUN(locales_of_threads_and_objects)
    RUN(code_pages)
    RUN(buffers_of_streams)
    RUN(wide_streams)
    RUN(temporary_files)
    RUN(many_streams)
    RUN_NATIVE(long_conversions)
    RUN(collation)
    RUN(texts_of_errors_and_times)
    RUN_NATIVE(folders_and_files)
    RUN(exit_functions)
    RUN(threads)
    RUN(commands)
    RUN(pipes_to_commands)
    RUN(programs_found_by_path)
    if (function("_set_new_mode") != NULL)
        RUN_NATIVE(heap_questions)
    RUN(nothing_went_astray)
    printf("%u passed, %u failed\n", check_state.passed, check_state.failed);
    return check_state.failed != 0;
}
