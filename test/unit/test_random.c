// SPDX-License-Identifier: MIT
// Streams of random numbers: repeatable from a seed, different otherwise.
#include "support/random.h"

#include "check.h"
#include "os/os.h"

TEST(the_same_seed_gives_the_same_numbers)
{
    mi_random_t a = {0};
    mi_random_t b = {0};
    mi_random_seed(&a, 42);
    mi_random_seed(&b, 42);
    for (int i = 0; i < 100; i++)
        CHECK_EQ(mi_random_next(&a), mi_random_next(&b));
}

TEST(different_seeds_give_different_numbers)
{
    mi_random_t a = {0};
    mi_random_t b = {0};
    mi_random_seed(&a, 1);
    mi_random_seed(&b, 2);
    unsigned equal = 0;
    for (int i = 0; i < 100; i++)
        equal += mi_random_next(&a) == mi_random_next(&b);
    CHECK_EQ(equal, 0);
}

TEST(streams_without_a_seed_differ)
{
    mi_os_init();
    mi_random_t a = {0};
    mi_random_t b = {0};
    CHECK(mi_random_next(&a) != mi_random_next(&b));
}

// The first block of RFC 8439's cipher with a key of zeros would be fixed; here only the spread is
// looked at: each bit is set in about half of the numbers.
TEST(every_bit_is_set_in_about_half_of_the_numbers)
{
    enum { NUMBERS = 4096 };
    unsigned set[64] = {0};
    mi_random_t random = {0};
    mi_random_seed(&random, 7);
    for (int i = 0; i < NUMBERS; i++) {
        uint64_t number = mi_random_next(&random);
        for (int bit = 0; bit < 64; bit++)
            set[bit] += (unsigned)(number >> bit & 1);
    }
    // Six standard deviations of 32.
    for (int bit = 0; bit < 64; bit++)
        CHECK(set[bit] > NUMBERS / 2 - 192 && set[bit] < NUMBERS / 2 + 192);
}

TEST(numbers_below_a_bound_reach_all_values_and_no_more)
{
    bool seen[10] = {false};
    mi_random_t random = {0};
    mi_random_seed(&random, 3);
    for (int i = 0; i < 1000; i++) {
        uint32_t number = mi_random_below(&random, 10);
        REQUIRE(number < 10);
        seen[number] = true;
    }
    for (int i = 0; i < 10; i++)
        CHECK(seen[i]);
}

TEST_MAIN(RUN(the_same_seed_gives_the_same_numbers) RUN(different_seeds_give_different_numbers)
              RUN(streams_without_a_seed_differ) RUN(every_bit_is_set_in_about_half_of_the_numbers)
                  RUN(numbers_below_a_bound_reach_all_values_and_no_more))
