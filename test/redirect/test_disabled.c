// SPDX-License-Identifier: MIT
// With MIMALLOC_DISABLE_REDIRECT and its kin, nothing at all is changed.
#include "check.h"
#include "mimalloc/redirect.h"
#include "stock_allocator.h"

#include <malloc.h>
#include <stdlib.h>
#include <windows.h>

bool saboteur_code_is_unchanged(void);

TEST(nothing_is_changed)
{
    mi_redirect_status_t status = {.size = sizeof status};
    REQUIRE(mi_redirect_get_status(&status));
    CHECK(!mi_is_redirected());
    CHECK(!status.is_redirected);
    CHECK_EQ(status.runtime_count, 0);
    CHECK_EQ(status.import_patch_count, 0);
    CHECK(saboteur_code_is_unchanged());
    CHECK_EQ(stock_counts()->process_attaches, 0);
    CHECK_EQ(stock_counts()->allocations, 0);
}

TEST(the_allocator_is_told_why)
{
    CHECK(!stock_counts()->init_result);
    REQUIRE(stock_counts()->message != NULL);
    CHECK(strstr(stock_counts()->message, "redirected: no (disabled by the environment") != NULL);
}

TEST(the_program_runs)
{
    void *block = malloc(100);
    CHECK(block != NULL && !mi_is_in_heap_region(block));
    CHECK_EQ(_msize(block), 100);
    free(block);
}

TEST_MAIN(RUN(nothing_is_changed) RUN(the_allocator_is_told_why) RUN(the_program_runs))
