// SPDX-License-Identifier: MIT
// A program of an older compiler: its runtime is msvcrt.dll or msvcr120.dll, named by its own
// imports, with C++ operators. Built without start-up code of any runtime; reports by its exit status
// and a line on standard output.
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "mimalloc/redirect.h"

bool mi_is_in_heap_region(const void *block);
// The names of C++ operators tell the size of size_t and of pointers.
#if UINTPTR_MAX > UINT32_MAX
#define OPERATOR_NAME(name64, name32) name64
#else
#define OPERATOR_NAME(name64, name32) name32
#endif
void *new_object(size_t size) __asm__(OPERATOR_NAME("??2@YAPEAX_K@Z", "??2@YAPAXI@Z"));
void *new_array(size_t size) __asm__(OPERATOR_NAME("??_U@YAPEAX_K@Z", "??_U@YAPAXI@Z"));
void delete_object(void *block) __asm__(OPERATOR_NAME("??3@YAXPEAX@Z", "??3@YAXPAX@Z"));
void delete_array(void *block) __asm__(OPERATOR_NAME("??_V@YAXPEAX@Z", "??_V@YAXPAX@Z"));
void old_main(void);

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

static void check_blocks(void)
{
    char *block = malloc(100);
    check(mi_is_in_heap_region(block), "malloc");
    block = realloc(block, 10000);
    check(mi_is_in_heap_region(block), "realloc");
    free(block);
    // In imports mode the runtime's own allocations stay its own, and go back to it.
    mi_redirect_runtime_t runtime = {.size = sizeof runtime};
    check(mi_redirect_get_runtime(0, &runtime), "runtime");
    char *copy = _strdup("text");
    check(mi_is_in_heap_region(copy) == (runtime.engine == MI_REDIRECT_ENGINE_CODE), "_strdup");
    free(copy);
}

static void check_objects(void)
{
    void *object = new_object(40);
    void *array = new_array(400);
    check(mi_is_in_heap_region(object), "operator new");
    check(mi_is_in_heap_region(array), "operator new[]");
    delete_object(object);
    delete_array(array);
    // As old programs do.
    free(new_object(10));
    delete_object(malloc(10));
}

static void check_status(void)
{
    mi_redirect_status_t status = {.size = sizeof status};
    check(mi_redirect_get_status(&status), "status");
    check(status.is_redirected, "redirected");
    check(status.foreign_free_count <= 1, "no foreign block but one of _strdup");
}

void old_main(void)
{
    check_blocks();
    check_objects();
    check_status();
    print(failures == 0 ? "1 passed, 0 failed\n" : "0 passed, 1 failed\n");
    ExitProcess(failures);
}
