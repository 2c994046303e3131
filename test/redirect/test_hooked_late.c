// SPDX-License-Identifier: MIT
// The allocator's DLL is loaded when somebody else has long replaced a function of the runtime: one
// that makes aligned blocks, and these are of another layout than the runtime's. The hook must stay,
// and must not be called by the redirect, which would take its blocks for the runtime's. The argument
// is the mode.
#include "check.h"
#include "mimalloc/redirect.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <windows.h>

enum { HOOK_SIZE = 16 };

static const char *mode;
static volatile LONG hook_calls;
static unsigned char hook[HOOK_SIZE];
static unsigned char original[HOOK_SIZE];
static unsigned char *place;
static size_t hook_size;
static mi_redirect_status_t status = {.size = sizeof status};
static mi_redirect_runtime_t runtime = {.size = sizeof runtime};

// What lies before its blocks is no address.
static void *__cdecl other_aligned_malloc(size_t size, size_t alignment, size_t offset)
{
    static struct {
        size_t word;
        _Alignas(64) char block[4096];
    } memory = {.word = 7};
    memset(memory.block - sizeof(size_t), 1, sizeof(size_t));
    hook_calls++;
    return size + offset <= sizeof memory.block && alignment <= 64 ? memory.block : NULL;
}

static void make_hook(void)
{
    uintptr_t to = (uintptr_t)other_aligned_malloc;
    if (sizeof to == 8) { // mov rax, address; jmp rax
        memcpy(hook, "\x48\xB8", 2);
        memcpy(hook + 2, &to, sizeof to);
        memcpy(hook + 10, "\xFF\xE0", 2);
        hook_size = 12;
        return;
    }
    uintptr_t distance = to - ((uintptr_t)place + 5);
    hook[0] = 0xE9;
    memcpy(hook + 1, &distance, sizeof distance);
    hook_size = 5;
}

static void write_code(const void *bytes)
{
    DWORD old;
    REQUIRE(VirtualProtect(place, hook_size, PAGE_EXECUTE_READWRITE, &old));
    memcpy(place, bytes, hook_size);
    REQUIRE(VirtualProtect(place, hook_size, old, &old));
    FlushInstructionCache(GetCurrentProcess(), place, hook_size);
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

TEST(the_hook_stays_and_is_not_called)
{
    void *(*aligned)(size_t, size_t, size_t);
    place = (unsigned char *)(void *)GetProcAddress(GetModuleHandleA("ucrtbase.dll"),
                                                    "_aligned_offset_malloc");
    REQUIRE(place != NULL);
    aligned = (void *(*)(size_t, size_t, size_t))(void *)place;
    make_hook();
    memcpy(original, place, hook_size);
    write_code(hook);
    CHECK(aligned(16, 64, 0) != NULL);
    CHECK_EQ(hook_calls, 1);

    CHECK(LoadLibraryA("mimalloc.dll") != NULL);
    CHECK_EQ(hook_calls, 1);
    CHECK(memcmp(place, hook, hook_size) == 0);
    CHECK(aligned(16, 64, 0) != NULL);
    CHECK_EQ(hook_calls, 2);
}

TEST(the_redirect_goes_another_way)
{
    ask_the_redirect();
    if (strcmp(mode, "code") == 0) {
        CHECK(!status.is_redirected);
        CHECK(strstr(status.reason_text, "(already hooked by somebody else)") != NULL);
    } else {
        CHECK(status.is_redirected);
        CHECK_EQ(runtime.engine, MI_REDIRECT_ENGINE_IMPORTS);
    }
}

TEST(the_program_goes_on)
{
    char *block = malloc(100);
    REQUIRE(block != NULL);
    block = realloc(block, 5000);
    CHECK(block != NULL);
    free(block);
    block = _aligned_malloc(100, 64);
    CHECK(block != NULL);
    _aligned_free(block);
    write_code(original);
}

int main(int argc, char **argv)
{
    mode = argc > 1 ? argv[1] : "code";
    RUN(the_hook_stays_and_is_not_called)
    RUN(the_redirect_goes_another_way)
    RUN(the_program_goes_on)
    printf("%u passed, %u failed\n", check_state.passed, check_state.failed);
    return check_state.failed != 0;
}
