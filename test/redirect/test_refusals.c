// SPDX-License-Identifier: MIT
// A patch that cannot be made leaves the code as it was and the program running, with the reason in
// the report; where import tables are allowed, they do the work instead. The arguments: "code" when
// nothing can be redirected, "auto" when import tables can, and the reason that is expected.
#include "check.h"
#include "mimalloc/redirect.h"
#include "stock_allocator.h"

#include <malloc.h>
#include <stdlib.h>
#include <windows.h>

bool saboteur_code_is_unchanged(void);

static const char *expected_reason;

static bool some_function_has_reason(const char *text)
{
    mi_redirect_function_t function = {.size = sizeof function};
    for (size_t i = 0; mi_redirect_get_function(0, i, &function); i++)
        if (strcmp(function.reason_text, text) == 0)
            return true;
    return false;
}

TEST(the_runtime_is_left_as_it_was)
{
    mi_redirect_status_t status = {.size = sizeof status};
    mi_redirect_runtime_t runtime = {.size = sizeof runtime};
    REQUIRE(mi_redirect_get_status(&status));
    REQUIRE(mi_redirect_get_runtime(0, &runtime));
    CHECK(saboteur_code_is_unchanged());
    CHECK(!mi_is_redirected());
    CHECK(!status.is_redirected);
    CHECK(!runtime.is_redirected);
    CHECK_EQ(runtime.engine, MI_REDIRECT_ENGINE_NONE);
    CHECK_STR_EQ(runtime.reason_text, expected_reason);
    CHECK(strstr(status.reason_text, "redirected: no (") != NULL);
    CHECK(strstr(status.reason_text, expected_reason) != NULL);
}

TEST(the_program_runs_on_the_runtimes_heap)
{
    void *block = malloc(100);
    CHECK(block != NULL);
    CHECK(!mi_is_in_heap_region(block));
    free(block);
}

TEST(import_tables_do_it_instead)
{
    mi_redirect_runtime_t runtime = {.size = sizeof runtime};
    REQUIRE(mi_redirect_get_runtime(0, &runtime));
    CHECK(saboteur_code_is_unchanged());
    CHECK(mi_is_redirected());
    CHECK(runtime.is_redirected);
    CHECK_EQ(runtime.engine, MI_REDIRECT_ENGINE_IMPORTS);
    void *block = malloc(100);
    CHECK(mi_is_in_heap_region(block));
    free(block);
    free(_strdup("a block of the runtime"));
}

TEST(the_reason_is_told)
{
    CHECK(some_function_has_reason(expected_reason) ||
          strncmp(expected_reason, "the system refuses", 18) == 0 ||
          strcmp(expected_reason, "no free memory within reach of a jump") == 0);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    expected_reason = argv[2];
    if (strcmp(argv[1], "code") == 0) {
        RUN(the_runtime_is_left_as_it_was)
        RUN(the_program_runs_on_the_runtimes_heap)
    } else {
        RUN(import_tables_do_it_instead)
    }
    RUN(the_reason_is_told)
    printf("%u passed, %u failed\n", check_state.passed, check_state.failed);
    return check_state.failed != 0;
}
