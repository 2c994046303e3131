// SPDX-License-Identifier: MIT
// The memory functions of the DLL without a runtime, held against a byte by byte model: all sizes
// and distances around their thresholds. The file under test is built with its functions renamed.
#include "check.h"

#include <stdbool.h>

void *ours_memcpy(void *restrict to, const void *restrict from, size_t size);
void *ours_memmove(void *to, const void *from, size_t size);
void *ours_memset(void *to, int value, size_t size);
int ours_memcmp(const void *a, const void *b, size_t size);

enum { ROOM = 9000, GUARD = 64 };

static unsigned char buffer[ROOM + 2 * GUARD];
static unsigned char model[ROOM + 2 * GUARD];

static const size_t sizes[] = {0,  1,  2,  3,  4,  5,  7,   8,   9,    15,   16,   17,   31,  32,
                               33, 47, 48, 49, 63, 64, 100, 255, 1000, 2047, 2048, 2049, 4097};
#define SIZE_COUNT (sizeof sizes / sizeof sizes[0])

static void fill_both(void)
{
    for (size_t i = 0; i < sizeof buffer; i++)
        buffer[i] = model[i] = (unsigned char)(i * 31 + i / 256);
}

static bool is_same(void)
{
    for (size_t i = 0; i < sizeof buffer; i++)
        if (buffer[i] != model[i])
            return false;
    return true;
}

static void model_move(size_t to, size_t from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        size_t at = to <= from ? i : size - 1 - i;
        model[to + at] = model[from + at];
    }
}

TEST(memcpy_copies_exactly_the_bytes)
{
    for (size_t i = 0; i < SIZE_COUNT; i++)
        for (size_t shift = 0; shift < 16; shift += 5) {
            fill_both();
            size_t to = GUARD + shift;
            size_t from = GUARD + 4200 + shift * 3;
            CHECK_EQ(ours_memcpy(buffer + to, buffer + from, sizes[i]), buffer + to);
            model_move(to, from, sizes[i]);
            CHECK(is_same());
        }
}

TEST(memmove_moves_overlapping_bytes_both_ways)
{
    const size_t distances[] = {0, 1, 3, 7, 8, 15, 16, 17, 40, 3000};
    for (size_t i = 0; i < SIZE_COUNT; i++)
        for (size_t d = 0; d < sizeof distances / sizeof distances[0]; d++) {
            size_t low = GUARD + 3;
            size_t high = low + distances[d];
            fill_both();
            CHECK_EQ(ours_memmove(buffer + low, buffer + high, sizes[i]), buffer + low);
            model_move(low, high, sizes[i]);
            CHECK(is_same());
            fill_both();
            CHECK_EQ(ours_memmove(buffer + high, buffer + low, sizes[i]), buffer + high);
            model_move(high, low, sizes[i]);
            CHECK(is_same());
        }
}

TEST(memset_sets_exactly_the_bytes)
{
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        fill_both();
        CHECK_EQ(ours_memset(buffer + GUARD + 1, 0x1A5, sizes[i]), buffer + GUARD + 1);
        for (size_t k = 0; k < sizes[i]; k++)
            model[GUARD + 1 + k] = 0xA5;
        CHECK(is_same());
    }
}

TEST(memcmp_orders_by_the_first_difference)
{
    CHECK_EQ(ours_memcmp("abc", "abc", 3), 0);
    CHECK_EQ(ours_memcmp("abc", "abd", 2), 0);
    CHECK(ours_memcmp("abc", "abd", 3) < 0);
    CHECK(ours_memcmp("\xff", "\x01", 1) > 0);
}

TEST_MAIN(RUN(memcpy_copies_exactly_the_bytes) RUN(memmove_moves_overlapping_bytes_both_ways)
              RUN(memset_sets_exactly_the_bytes) RUN(memcmp_orders_by_the_first_difference))
