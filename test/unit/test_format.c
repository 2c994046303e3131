// SPDX-License-Identifier: MIT
// The formatter: conversions, padding, cutting.
#include "support/format.h"

#include "check.h"

#define FORMAT_IS(expected, ...)                                                                   \
    do {                                                                                           \
        char text[64];                                                                             \
        CHECK_EQ(mi_format(text, sizeof text, __VA_ARGS__), strlen(expected));                     \
        CHECK_STR_EQ(text, expected);                                                              \
    } while (0)

TEST(integers_of_all_lengths_are_written)
{
    FORMAT_IS("-7 7 7b", "%d %u %xb", -7, 7u, 7u);
    FORMAT_IS("-9223372036854775808", "%lld", (long long)INT64_MIN);
    FORMAT_IS("18446744073709551615", "%llu", ~0ull);
    FORMAT_IS("FFFF ffff", "%X %lx", 0xFFFFu, 0xFFFFul);
    FORMAT_IS("12345", "%zu", (size_t)12345);
}

TEST(widths_pad_left_right_and_with_zeros)
{
    FORMAT_IS("[   42]", "[%5d]", 42);
    FORMAT_IS("[42   ]", "[%-5d]", 42);
    FORMAT_IS("[00042]", "[%05d]", 42);
    FORMAT_IS("[-0042]", "[%05d]", -42);
    FORMAT_IS("[  ab]", "[%*s]", 4, "ab");
}

TEST(strings_are_cut_by_their_precision)
{
    FORMAT_IS("abc", "%.3s", "abcdef");
    FORMAT_IS("ab", "%.*s", 2, "abcdef");
    const char *none = NULL;
    FORMAT_IS("(null)", "%s", none);
}

TEST(pointers_characters_and_percent_signs_are_written)
{
    FORMAT_IS("0x1f0", "%p", (void *)0x1f0);
    FORMAT_IS("a%", "%c%%", 'a');
}

TEST(a_text_that_does_not_fit_is_cut_and_terminated)
{
    char text[4] = {'x', 'x', 'x', 'x'};
    CHECK_EQ(mi_format(text, sizeof text, "%s", "abcdef"), 3);
    CHECK_STR_EQ(text, "abc");
    CHECK_EQ(mi_format(text, 1, "%d", 12), 0);
    CHECK_STR_EQ(text, "");
}

TEST(sizes_get_the_unit_that_fits)
{
    char text[32];
    mi_format_size(text, sizeof text, 1023);
    CHECK_STR_EQ(text, "1023 B");
    mi_format_size(text, sizeof text, 1536);
    CHECK_STR_EQ(text, "1.5 KiB");
    mi_format_size(text, sizeof text, (int64_t)3 << 30);
    CHECK_STR_EQ(text, "3.0 GiB");
    mi_format_size(text, sizeof text, -2048);
    CHECK_STR_EQ(text, "-2.0 KiB");
}

TEST_MAIN(RUN(integers_of_all_lengths_are_written) RUN(widths_pad_left_right_and_with_zeros)
              RUN(strings_are_cut_by_their_precision)
                  RUN(pointers_characters_and_percent_signs_are_written)
                      RUN(a_text_that_does_not_fit_is_cut_and_terminated)
                          RUN(sizes_get_the_unit_that_fits))
