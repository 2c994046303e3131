// SPDX-License-Identifier: MIT
// Options: defaults, the environment in every spelling, setting, and what is refused.
// CTest sets the variables that the tests expect.
#include "support/options.h"

#include "check.h"

static char output[4096];

static void mi_cdecl keep(const char *msg, void *arg)
{
    (void)arg;
    size_t used = strlen(output);
    size_t length = strlen(msg);
    if (used + length < sizeof output)
        memcpy(output + used, msg, length + 1);
}

// That it is also reported is a test of its own (unit.options_report): it happens before main.
TEST(a_value_that_does_not_parse_is_ignored)
{
    CHECK_EQ(mi_option_get(mi_option_purge_delay), 10);
}

TEST(names_and_words_are_read_in_any_case)
{
    CHECK_EQ(mi_option_get(mi_option_show_stats), 1);
    CHECK_EQ(mi_option_get(mi_option_eager_commit), 0);
}

TEST(sizes_take_units)
{
    CHECK_EQ(mi_option_get(mi_option_arena_reserve), 3 * 1024 * 1024);
    CHECK_EQ(mi_option_get_size(mi_option_arena_reserve), 3 * MI_GIB);
    CHECK_EQ(mi_option_get(mi_option_guarded_max), 65536);
    CHECK_EQ(mi_option_get(mi_option_reserve_os_memory), 2);
}

TEST(old_names_stay_valid)
{
    CHECK_EQ(mi_option_get(mi_option_allow_large_os_pages), 1);
}

TEST(negative_numbers_are_read)
{
    CHECK_EQ(mi_option_get(mi_option_max_errors), -1);
    CHECK_EQ(mi_option_get_size(mi_option_max_errors), 0);
}

TEST(defaults_are_as_documented)
{
    CHECK_EQ(mi_option_get(mi_option_arena_eager_commit), 2);
    CHECK_EQ(mi_option_get(mi_option_reserve_huge_os_pages_at), -1);
    CHECK_EQ(mi_option_get(mi_option_retry_on_oom), 400);
    CHECK_EQ(mi_option_get(mi_option_generic_collect), 10000);
    CHECK_EQ(mi_option_get(mi_option_allow_thp), 1);
    CHECK_EQ(mi_option_get(mi_option_background_purge), 0);
    CHECK_EQ(_mi_option_last, 39);
}

TEST(a_default_does_not_change_what_was_set)
{
    mi_option_set_default(mi_option_os_tag, 7);
    CHECK_EQ(mi_option_get(mi_option_os_tag), 7);
    mi_option_set(mi_option_os_tag, 8);
    mi_option_set_default(mi_option_os_tag, 9);
    CHECK_EQ(mi_option_get(mi_option_os_tag), 8);
    mi_option_set_default(mi_option_show_stats, 0);
    CHECK_EQ(mi_option_get(mi_option_show_stats), 1);
    mi_option_disable(mi_option_show_stats);
    CHECK(!mi_option_is_enabled(mi_option_show_stats));
}

TEST(values_are_clamped)
{
    mi_option_set(mi_option_os_tag, 500);
    CHECK_EQ(mi_option_get_clamp(mi_option_os_tag, 100, 255), 255);
    CHECK_EQ(mi_option_get_clamp(mi_option_os_tag, 600, 700), 600);
    CHECK_EQ(mi_option_get_clamp(mi_option_os_tag, 0, 1000), 500);
}

TEST(an_option_that_does_not_exist_is_zero_and_cannot_be_set)
{
    mi_option_set((mi_option_t)1000, 5);
    CHECK_EQ(mi_option_get((mi_option_t)1000), 0);
    CHECK_EQ(mi_option_get((mi_option_t)-1), 0);
}

TEST(printing_names_every_option)
{
    output[0] = 0;
    mi_register_output(keep, NULL);
    mi_options_print();
    mi_register_output(NULL, NULL);
    for (int i = 0; i < _mi_option_last; i++)
        CHECK(strstr(output, mi_option_name((mi_option_t)i)) != NULL);
}

TEST_MAIN(RUN(a_value_that_does_not_parse_is_ignored) RUN(names_and_words_are_read_in_any_case)
              RUN(sizes_take_units) RUN(old_names_stay_valid) RUN(negative_numbers_are_read)
                  RUN(defaults_are_as_documented) RUN(a_default_does_not_change_what_was_set)
                      RUN(values_are_clamped)
                          RUN(an_option_that_does_not_exist_is_zero_and_cannot_be_set)
                              RUN(printing_names_every_option))
