// SPDX-License-Identifier: MIT
// 32-bit structured exceptions, whose handlers are in a chain on the stack: one that a new handler
// raises passes through the allocator's frames, as an exception of Microsoft's C++ does. The frames
// are made by hand, in the form that Microsoft's compilers give them.
#include "check.h"
#include "mimalloc.h"

#include <malloc.h>
#include <stdlib.h>
#include <windows.h>

int _set_new_mode(int mode);
int(__cdecl *_set_new_handler(int(__cdecl *handler)(size_t size)))(size_t size);

#define RAISED   0xE0001234u
#define TOO_MUCH ((size_t)0xC0000000) // below the runtime's limit, more than there is

typedef struct frame {
    EXCEPTION_REGISTRATION_RECORD link; // first: the chain holds its address
    DWORD taken_code;                   // 0: takes none
    void *jump[5];
} frame_t;

static volatile LONG unwound; // frames that were left behind
static frame_t *volatile target;

static EXCEPTION_REGISTRATION_RECORD **chain(void)
{
    return &((NT_TIB *)NtCurrentTeb())->ExceptionList;
}

static EXCEPTION_DISPOSITION NTAPI on_exception(EXCEPTION_RECORD *record, void *established,
                                                CONTEXT *context, void *dispatcher)
{
    frame_t *frame = established;
    (void)context, (void)dispatcher;
    if ((record->ExceptionFlags & (EXCEPTION_UNWINDING | EXCEPTION_EXIT_UNWIND)) != 0) {
        InterlockedIncrement(&unwound);
        return ExceptionContinueSearch;
    }
    if (frame->taken_code != record->ExceptionCode)
        return ExceptionContinueSearch;
    target = frame; // registers do not outlive the unwinding
    RtlUnwind(frame, NULL, record, NULL);
    __builtin_longjmp(target->jump, 1);
}

static void enter(frame_t *frame, DWORD code)
{
    frame->taken_code = code;
    frame->link.Next = *chain();
    frame->link.Handler = on_exception;
    *chain() = &frame->link;
}

static void leave(const frame_t *frame)
{
    *chain() = frame->link.Next;
}

// True when the call was left by the exception.
__attribute__((noinline)) static bool is_left(void *(*allocate)(size_t size))
{
    frame_t frame;
    void *volatile block = NULL;
    enter(&frame, RAISED);
    if (__builtin_setjmp(frame.jump) != 0) {
        leave(target);
        return true;
    }
    block = allocate(TOO_MUCH);
    leave(&frame);
    free(block);
    return false;
}

// ---- callbacks ----

static volatile LONG handler_calls;

static int __cdecl raise_in_frame(size_t size)
{
    frame_t inner;
    (void)size;
    InterlockedIncrement(&handler_calls);
    enter(&inner, 0);
    RaiseException(RAISED, 0, 0, NULL);
    leave(&inner);
    return 0;
}

static void *by_malloc(size_t size)
{
    return malloc(size);
}

static void *by_calloc(size_t size)
{
    return calloc(1, size);
}

static void *by_realloc(size_t size)
{
    return realloc(malloc(10), size);
}

static void *by_aligned_malloc(size_t size)
{
    return _aligned_malloc(size, 64);
}

static void *by_recalloc(size_t size)
{
    return _recalloc(NULL, 1, size);
}

static void *(*const forms[])(size_t size) = {by_malloc, by_calloc, by_realloc, by_aligned_malloc,
                                              by_recalloc};
enum { FORMS = sizeof forms / sizeof forms[0] };

static void check_works(void)
{
    char *blocks[200];
    for (size_t i = 0; i < 200; i++) {
        blocks[i] = malloc(i * 37 + 1);
        REQUIRE(mi_is_in_heap_region(blocks[i]));
        blocks[i][i * 37] = (char)i;
    }
    for (size_t i = 0; i < 200; i++) {
        CHECK_EQ(blocks[i][i * 37], (char)i);
        free(blocks[i]);
    }
}

TEST(an_exception_of_the_new_handler_passes_through_every_form)
{
    REQUIRE(mi_is_redirected());
    EXCEPTION_REGISTRATION_RECORD *before = *chain();
    _set_new_handler(raise_in_frame);
    _set_new_mode(1);
    for (int i = 0; i < FORMS; i++) {
        unwound = 0;
        CHECK(is_left(forms[i]));
        CHECK_EQ(unwound, 1);
        CHECK(*chain() == before);
    }
    CHECK_EQ(handler_calls, FORMS);
    check_works();
}

TEST(a_thousand_exceptions_leave_nothing_behind)
{
    int left = 0;
    for (int i = 0; i < 1000; i++)
        left += is_left(forms[i % FORMS]);
    CHECK_EQ(left, 1000);
    check_works();
}

static DWORD WINAPI raise_first(void *arg)
{
    *(bool *)arg = is_left(by_malloc);
    void *block = malloc(100);
    *(bool *)arg = *(bool *)arg && mi_is_in_heap_region(block);
    free(block);
    return 0;
}

TEST(a_threads_first_call_may_end_in_an_exception)
{
    bool is_good = false;
    HANDLE thread = CreateThread(NULL, 0, raise_first, &is_good, 0, NULL);
    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(thread, 60000), WAIT_OBJECT_0);
    CloseHandle(thread);
    CHECK(is_good);
}

TEST(the_allocator_adds_no_frame_of_its_own)
{
    EXCEPTION_REGISTRATION_RECORD *before = *chain();
    _set_new_mode(0);
    for (int i = 0; i < FORMS; i++)
        CHECK_EQ(forms[i](TOO_MUCH), NULL);
    CHECK(*chain() == before);
    check_works();
}

TEST_MAIN(RUN(an_exception_of_the_new_handler_passes_through_every_form)
              RUN(a_thousand_exceptions_leave_nothing_behind)
                  RUN(a_threads_first_call_may_end_in_an_exception)
                      RUN(the_allocator_adds_no_frame_of_its_own))
