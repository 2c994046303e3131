// SPDX-License-Identifier: MIT
// The allocator's DLL is loaded late, while a thread stands between the bytes that the jump would
// replace and does not leave them. The runtime's code must stay as it is: going on, that thread would
// run into the middle of the jump. The argument is the redirect's mode.
#include "check.h"
#include "mimalloc/redirect.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <windows.h>

enum { LOOKED_AT = 16 };

static const char *mode;
static volatile LONG is_running;
static volatile LONG is_over;
static unsigned char before[LOOKED_AT];
static unsigned char *malloc_code;
static mi_redirect_status_t status = {.size = sizeof status};
static mi_redirect_runtime_t runtime = {.size = sizeof runtime};

// Without system calls: it is stopped in its own code, from which it can be sent anywhere.
static DWORD WINAPI turn_round(void *arg)
{
    (void)arg;
    is_running = 1;
    while (!is_over)
        YieldProcessor();
    return 5;
}

static void set_instruction(CONTEXT *context, void *address)
{
#if defined(__x86_64__)
    context->Rip = (uintptr_t)address;
#else
    context->Eip = (uintptr_t)address;
#endif
}

static void ask_the_redirect(void)
{
    HMODULE redirect = GetModuleHandleA(MI_REDIRECT_DLL);
    bool (*get_status)(mi_redirect_status_t *) = (bool (*)(mi_redirect_status_t *))(
        void *)GetProcAddress(redirect, "mi_redirect_get_status");
    bool (*get_runtime)(size_t, mi_redirect_runtime_t *) =
        (bool (*)(size_t, mi_redirect_runtime_t *))(void *)GetProcAddress(
            redirect, "mi_redirect_get_runtime");
    REQUIRE(get_status != NULL && get_runtime != NULL);
    REQUIRE(get_status(&status));
    REQUIRE(get_runtime(0, &runtime));
}

TEST(a_thread_between_the_bytes_keeps_the_code_as_it_is)
{
    static CONTEXT own;
    static CONTEXT inside;
    malloc_code =
        (unsigned char *)(void *)GetProcAddress(GetModuleHandleA("ucrtbase.dll"), "malloc");
    REQUIRE(malloc_code != NULL);
    memcpy(before, malloc_code, LOOKED_AT);
    HANDLE thread = CreateThread(NULL, 0, turn_round, NULL, 0, NULL);
    REQUIRE(thread != NULL);
    while (!is_running)
        Sleep(1);
    REQUIRE(SuspendThread(thread) == 0);
    own.ContextFlags = CONTEXT_FULL;
    REQUIRE(GetThreadContext(thread, &own));
    inside = own;
    set_instruction(&inside, malloc_code + 2);
    REQUIRE(SetThreadContext(thread, &inside));

    HMODULE allocator = LoadLibraryA("mimalloc.dll");
    CHECK(allocator != NULL);
    CHECK(memcmp(before, malloc_code, LOOKED_AT) == 0);

    CHECK(SetThreadContext(thread, &own));
    CHECK_EQ(ResumeThread(thread), 1);
    is_over = 1;
    CHECK_EQ(WaitForSingleObject(thread, 60000), WAIT_OBJECT_0);
    DWORD exit_code = 0;
    CHECK(GetExitCodeThread(thread, &exit_code));
    CHECK_EQ(exit_code, 5);
    CloseHandle(thread);
}

TEST(the_reason_is_told)
{
    ask_the_redirect();
    if (strcmp(mode, "code") == 0) {
        CHECK(!status.is_redirected);
        CHECK(strstr(status.reason_text, "(a thread does not leave the first bytes)") != NULL);
    } else {
        CHECK(status.is_redirected);
        CHECK_EQ(runtime.engine, MI_REDIRECT_ENGINE_IMPORTS);
    }
}

TEST(the_program_goes_on)
{
    char *block = malloc(100);
    REQUIRE(block != NULL);
    memset(block, 1, 100);
    block = realloc(block, 5000);
    CHECK_EQ(block[99], 1);
    free(block);
}

int main(int argc, char **argv)
{
    mode = argc > 1 ? argv[1] : "code";
    RUN(a_thread_between_the_bytes_keeps_the_code_as_it_is)
    RUN(the_reason_is_told)
    RUN(the_program_goes_on)
    printf("%u passed, %u failed\n", check_state.passed, check_state.failed);
    return check_state.failed != 0;
}
