// SPDX-License-Identifier: MIT
// Allocation before, during and after the runtime's start-up: a DLL that is started before the runtime
// calls its functions, the runtime itself allocates while it starts, and the program frees it all.
#include "check.h"
#include "early_caller.h"
#include "mimalloc/redirect.h"
#include "stock_allocator.h"

#include <malloc.h>
#include <stdlib.h>
#include <windows.h>

static size_t allocations_at_main;

static bool is_by_code(void)
{
    mi_redirect_runtime_t first = {.size = sizeof first};
    REQUIRE(mi_redirect_get_runtime(0, &first));
    return first.engine == MI_REDIRECT_ENGINE_CODE;
}

TEST(blocks_from_before_the_start_are_the_allocators)
{
    const early_blocks_t *early = early_caller_blocks();
    REQUIRE(early->is_done);
    CHECK_EQ(early->heap, NULL); // so it was before the runtime's start
    CHECK(mi_is_in_heap_region(early->of_malloc));
    CHECK(mi_is_in_heap_region(early->of_calloc));
    CHECK(mi_is_in_heap_region(early->of_realloc));
    CHECK(mi_is_in_heap_region(early->of_aligned));
    CHECK_EQ((uintptr_t)early->of_aligned % 256, 0);
    CHECK_EQ(early->of_calloc[999], 0);
    CHECK_EQ(early->of_too_large, NULL);
}

TEST(the_runtimes_own_start_is_served)
{
    // By import tables what the runtime allocates for itself stays in its own heap.
    size_t during = allocations_at_main - early_caller_blocks()->allocation_count;
    printf("     %u allocations until main\n", (unsigned)during);
    CHECK(!is_by_code() || during >= 5);
}

TEST(blocks_cross_the_start)
{
    const early_blocks_t *early = early_caller_blocks();
    size_t frees = stock_counts()->frees;
    CHECK(_msize(early->of_calloc) >= 1000);
    memset(early->of_malloc, 3, 100);
    char *grown = realloc(early->of_malloc, 20000);
    REQUIRE(grown != NULL);
    CHECK_EQ(grown[99], 3);
    free(grown);
    free(early->of_calloc);
    free(early->of_realloc);
    _aligned_free(early->of_aligned);
    CHECK(stock_counts()->frees - frees >= 4);
}

TEST(nothing_was_foreign)
{
    mi_redirect_status_t status = {.size = sizeof status};
    REQUIRE(mi_redirect_get_status(&status));
    CHECK(status.is_redirected);
    CHECK_EQ(status.foreign_free_count, 0);
    CHECK_EQ(status.foreign_realloc_count, 0);
    CHECK_EQ(status.foreign_size_count, 0);
    void *block = malloc(100);
    CHECK(mi_is_in_heap_region(block));
    free(block);
}

int main(void)
{
    allocations_at_main = stock_counts()->allocations;
    RUN(blocks_from_before_the_start_are_the_allocators)
    RUN(the_runtimes_own_start_is_served)
    RUN(blocks_cross_the_start)
    RUN(nothing_was_foreign)
    printf("%u passed, %u failed\n", check_state.passed, check_state.failed);
    return check_state.failed != 0;
}
