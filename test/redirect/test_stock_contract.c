// SPDX-License-Identifier: MIT
// A program on a stock allocator: what the redirect does for it, seen from inside the process.
#include "check.h"
#include "mimalloc/redirect.h"
#include "stock_allocator.h"

#include <malloc.h>
#include <stdlib.h>
#include <windows.h>

// Imports mode cannot change what the runtime allocates for itself.
static bool is_by_imports(void)
{
    mi_redirect_runtime_t first = {.size = sizeof first};
    REQUIRE(mi_redirect_get_runtime(0, &first));
    return first.engine == MI_REDIRECT_ENGINE_IMPORTS;
}

TEST(redirects_a_stock_allocator)
{
    CHECK(mi_is_redirected());
    CHECK(stock_counts()->init_result);
    CHECK_EQ(stock_counts()->process_attaches, 1);
}

TEST(tells_the_allocator_before_its_own_start)
{
    CHECK_EQ(stock_counts()->attaches_before_main, 1);
}

TEST(serves_malloc_from_the_allocator)
{
    void *block = malloc(100);
    CHECK(mi_is_in_heap_region(block));
    CHECK(_msize(block) >= 100);
    free(block);
}

TEST(serves_what_the_runtime_allocates_inside)
{
    char *copy = _strdup("a text");
    CHECK_EQ(mi_is_in_heap_region(copy), !is_by_imports());
    CHECK_STR_EQ(copy, "a text");
    size_t frees = stock_counts()->frees;
    free(copy);
    CHECK_EQ(stock_counts()->frees - frees, is_by_imports() ? 0 : 1);
}

TEST(meets_no_foreign_block_but_that)
{
    mi_redirect_status_t status = {.size = sizeof status};
    REQUIRE(mi_redirect_get_status(&status));
    CHECK(status.is_redirected);
    CHECK_EQ(status.foreign_free_count, is_by_imports() ? 1 : 0);
    CHECK_EQ(status.foreign_realloc_count, 0);
}

// The emulated Wine's functions do not keep the register of the thread block, which Microsoft's runtime
// reads when the test is told of.
#ifdef CONTRACT_EMULATED
#define KEEP_THREAD_BLOCK(name)                                                                    \
    uintptr_t name;                                                                                \
    __asm__ volatile("mov %0, x18" : "=r"(name))
#define RESTORE_THREAD_BLOCK(name) __asm__ volatile("mov x18, %0" : : "r"(name))
#else
#define KEEP_THREAD_BLOCK(name)
#define RESTORE_THREAD_BLOCK(name)
#endif

TEST(has_the_ordinals_of_the_contract)
{
    KEEP_THREAD_BLOCK(block);
    static const char *const names[] = {"mi_allocator_done", "mi_allocator_init",
                                        "mi_redirect_disable", "mi_redirect_enable",
                                        "mi_redirect_enable_term"};
    HMODULE redirect = GetModuleHandleA(MI_REDIRECT_DLL);
    REQUIRE(redirect != NULL);
    for (uintptr_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        void *by_name = (void *)GetProcAddress(redirect, names[i]);
        void *by_ordinal = (void *)GetProcAddress(redirect, (const char *)(i + 1));
        RESTORE_THREAD_BLOCK(block);
        CHECK(by_name != NULL);
        CHECK(by_name == by_ordinal);
    }
}

TEST_MAIN(RUN(redirects_a_stock_allocator) RUN(tells_the_allocator_before_its_own_start)
              RUN(serves_malloc_from_the_allocator) RUN(serves_what_the_runtime_allocates_inside)
                  RUN(meets_no_foreign_block_but_that) RUN(has_the_ordinals_of_the_contract))
