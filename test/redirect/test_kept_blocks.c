// SPDX-License-Identifier: MIT
// Blocks from before the redirect, made by a DLL that was injected earlier, go back where they came
// from.
#include "check.h"
#include "keeper.h"
#include "mimalloc/redirect.h"
#include "stock_allocator.h"
#include "watch.h"

#include <stdlib.h>
#include <windows.h>

static int is_ours(const void *block)
{
    return mi_is_in_heap_region(block);
}

TEST(blocks_from_before_go_back_to_the_runtime)
{
    REQUIRE(watch_start(GetModuleHandleA("ucrtbase.dll"), is_ours));
    REQUIRE(mi_is_redirected());
    CHECK(!mi_is_in_heap_region(keeper_block()));
    CHECK_EQ(keeper_use_and_free(), 0);
    mi_redirect_status_t status = {.size = sizeof status};
    REQUIRE(mi_redirect_get_status(&status));
    CHECK(status.foreign_free_count >= 12);
    CHECK(status.foreign_realloc_count >= 2);
    CHECK(status.foreign_size_count >= 2);
    CHECK_EQ(watch_counts().aliens, 0);
    CHECK_EQ(watch_counts().failures, 0);
}

TEST(new_blocks_come_from_the_allocator)
{
    void *block = malloc(10);
    CHECK(mi_is_in_heap_region(block));
    free(block);
}

TEST_MAIN(RUN(blocks_from_before_go_back_to_the_runtime) RUN(new_blocks_come_from_the_allocator))
