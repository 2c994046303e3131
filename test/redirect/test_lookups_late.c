// SPDX-License-Identifier: MIT
// Functions that a program has looked up before the redirect came: delay-loaded imports are changed
// then, an address in a variable cannot be, and works all the same.
#include "check.h"
#include "delayed.h"

#include <stdbool.h>
#include <stdlib.h>
#include <windows.h>

static bool (*is_ours)(const void *block);
static bool is_by_code;

static void *from(HMODULE module, const char *name)
{
    return (void *)GetProcAddress(module, name);
}

TEST(delayed_imports_in_use_are_redirected)
{
    const delayed_t *delayed = delayed_functions();
    HMODULE runtime = GetModuleHandleA("ucrtbase.dll");
    void *(*kept_malloc)(size_t) = (void *(*)(size_t))from(runtime, "malloc");
    void (*kept_free)(void *) = (void (*)(void *))from(runtime, "free");
    void *old = delayed->malloc(100);
    delayed->free(delayed->malloc(100));
    CHECK_EQ(delayed->lookups(), 2);

    HMODULE allocator = LoadLibraryA("mimalloc.dll");
    REQUIRE(allocator != NULL);
    is_ours = (bool (*)(const void *))from(allocator, "mi_is_in_heap_region");
    CHECK(((bool (*)(void))from(allocator, "mi_is_redirected"))());
    CHECK(!is_ours(old));
    delayed->free(old);
    void *block = delayed->malloc(100);
    CHECK(is_ours(block));
    delayed->free(block);
    CHECK_EQ(delayed->lookups(), 2);

    void *(*new_malloc)(size_t) = (void *(*)(size_t))from(runtime, "malloc");
    block = new_malloc(100);
    CHECK(is_ours(block));
    free(block);

    block = kept_malloc(100);
    CHECK_EQ(is_ours(block), is_by_code);
    free(block);
    kept_free(kept_malloc(100));
    // In imports mode this block comes to the runtime itself; the guard on its imports takes it back.
    kept_free(malloc(100));
}

int main(void)
{
    const char *mode = getenv("MIMALLOC_REDIRECT_MODE");
    is_by_code = mode == NULL || strcmp(mode, "imports") != 0;
    RUN(delayed_imports_in_use_are_redirected)
    printf("%u passed, %u failed\n", check_state.passed, check_state.failed);
    return check_state.failed != 0;
}
