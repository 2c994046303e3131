// SPDX-License-Identifier: MIT
// A program of an older compiler: its runtime, msvcrt.dll, msvcr110.dll or msvcr120.dll, is named by
// its own imports, with C++ operators. Built without start-up code of any runtime; reports by its exit
// status and a line on standard output.
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
// As debug builds make objects.
void *new_at(size_t size, int type, const char *file,
             int line) __asm__(OPERATOR_NAME("??2@YAPEAX_KHPEBDH@Z", "??2@YAPAXIHPBDH@Z"));
void *new_array_at(size_t size, int type, const char *file,
                   int line) __asm__(OPERATOR_NAME("??_U@YAPEAX_KHPEBDH@Z", "??_U@YAPAXIHPBDH@Z"));
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
    object = new_at(40, 1, __FILE__, __LINE__);
    array = new_array_at(400, 1, __FILE__, __LINE__);
    check(mi_is_in_heap_region(object), "operator new with file and line");
    check(mi_is_in_heap_region(array), "operator new[] with file and line");
    delete_object(object);
    delete_array(array);
    // As old programs do.
    free(new_object(10));
    delete_object(malloc(10));
}

// ---- operator new without memory: it asks the new handler, then throws ----

enum { CXX_EXCEPTION = 0xE06D7363 - 0x100000000LL };

static volatile unsigned handler_calls;
static volatile bool is_thrown;

// Goes on where the call began, as a catch clause would. On x86 RtlCaptureContext gives the caller's
// place, not its own, and the frames that are left behind had handlers in a list.
#if UINTPTR_MAX > UINT32_MAX
static CONTEXT before_the_call;

static void go_back_with(CONTEXT *context)
{
    *context = before_the_call;
}

#define MARK_PLACE() RtlCaptureContext(&before_the_call)
#else
static void *before_the_call[5];
static DWORD handlers;

static void go_back(void)
{
    __builtin_longjmp(before_the_call, 1);
}

static void go_back_with(CONTEXT *context)
{
    context->Eip = (uintptr_t)go_back;
    __writefsdword(0, handlers);
}

#define MARK_PLACE() (handlers = __readfsdword(0), (void)__builtin_setjmp(before_the_call))
#endif

static LONG CALLBACK catch_it(EXCEPTION_POINTERS *exception)
{
    if (exception->ExceptionRecord->ExceptionCode != (DWORD)CXX_EXCEPTION)
        return EXCEPTION_CONTINUE_SEARCH;
    is_thrown = true;
    go_back_with(exception->ContextRecord);
    return EXCEPTION_CONTINUE_EXECUTION;
}

static int CDECL no_memory_to_give(size_t size)
{
    (void)size;
    handler_calls++;
    return 0;
}

// The operator of msvcrt.dll may give NULL instead, as those before Visual C++ 8 did.
static bool fails_as_ever(HMODULE runtime, void *(*make)(size_t), size_t size)
{
    is_thrown = false;
    MARK_PLACE();
    if (is_thrown)
        return true;
    return make(size) == NULL && runtime == GetModuleHandleA("msvcrt.dll");
}

static void check_exhaustion(void)
{
    typedef int CDECL handler_fun(size_t size);
    typedef handler_fun *CDECL set_handler_fun(handler_fun * handler);
    // More than an address space, and more than any system gives.
    const size_t sizes[] = {(size_t)-64, ((size_t)1 << (sizeof(size_t) * 8 - 2)) * 3};
    HMODULE runtime = GetModuleHandleA(OLD_RUNTIME);
    void *handler = AddVectoredExceptionHandler(1, catch_it);
    for (unsigned i = 0; i < 2; i++) {
        check(fails_as_ever(runtime, new_object, sizes[i]), "operator new throws");
        check(fails_as_ever(runtime, new_array, sizes[i]), "operator new[] throws");
    }
    set_handler_fun *set_handler = (set_handler_fun *)(void *)GetProcAddress(
        runtime, OPERATOR_NAME("?_set_new_handler@@YAP6AH_K@ZP6AH0@Z@Z",
                               "?_set_new_handler@@YAP6AHI@ZP6AHI@Z@Z"));
    check(set_handler != NULL, "_set_new_handler");
    set_handler(no_memory_to_give);
    check(fails_as_ever(runtime, new_object, sizes[1]), "operator new throws behind the handler");
    check(handler_calls > 0, "the new handler is asked");
    set_handler(NULL);
    RemoveVectoredExceptionHandler(handler);
    void *object = new_object(40);
    check(mi_is_in_heap_region(object), "operator new afterwards");
    delete_object(object);
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
    check_exhaustion();
    check_status();
    print(failures == 0 ? "1 passed, 0 failed\n" : "0 passed, 1 failed\n");
    ExitProcess(failures);
}
