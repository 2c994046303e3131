// SPDX-License-Identifier: MIT
// Size classes, for every size that has one.
#include "check.h"
#include "page/size_class.h"

// The sizes around every class, and all of the small ones.
static bool is_worth_a_look(size_t size)
{
    return size <= 70000 || size % 1024 < 2 || size % 1024 == 1023;
}

TEST(every_size_fits_its_class_and_not_the_one_below)
{
    size_t wrong = 0;
    for (size_t size = 1; size <= MI_LARGE_MAX; size++) {
        if (!is_worth_a_look(size))
            continue;
        size_t size_class = mi_size_class(size);
        wrong += size_class < 1 || size_class > MI_CLASS_LARGEST;
        wrong += mi_class_size(size_class) < size;
        wrong += size_class > 1 && mi_class_size(size_class - 1) >= size;
    }
    CHECK_EQ(wrong, 0);
    CHECK_EQ(mi_size_class(0), mi_size_class(1));
    CHECK_EQ(mi_class_size(MI_CLASS_LARGEST), MI_LARGE_MAX);
}

TEST(a_class_is_the_class_of_its_own_size)
{
    for (size_t size_class = 1; size_class <= MI_CLASS_LARGEST; size_class++) {
        CHECK_EQ(mi_size_class(mi_class_size(size_class)), size_class);
        CHECK_EQ(mi_class_size(size_class) % MI_BLOCK_ALIGN, 0);
    }
}

TEST(at_most_an_eighth_is_lost_by_rounding_up)
{
    for (size_t size_class = 9; size_class <= MI_CLASS_LARGEST; size_class++) {
        size_t smallest = mi_class_size(size_class - 1) + 1;
        CHECK((mi_class_size(size_class) - smallest) * 8 <= mi_class_size(size_class));
    }
}

TEST(a_page_of_every_class_holds_its_blocks)
{
    for (size_t size_class = 1; size_class <= MI_CLASS_LARGEST; size_class++) {
        size_t page = mi_class_slices(size_class, 4) * MI_SLICE_SIZE;
        size_t first_page = mi_class_slices(size_class, 0) * MI_SLICE_SIZE;
        size_t block = mi_class_size(size_class);
        CHECK(first_page >= block);
        CHECK(first_page <= page);
        CHECK(page < MI_SEGMENT_SIZE);
        CHECK(page / block <= UINT16_MAX);
        if (block <= MI_MEDIUM_PAGE_BLOCK_MAX) {
            CHECK(page / block >= 8);
            CHECK(first_page / block >= 2);
        }
    }
}

TEST_MAIN(RUN(every_size_fits_its_class_and_not_the_one_below)
              RUN(a_class_is_the_class_of_its_own_size)
                  RUN(at_most_an_eighth_is_lost_by_rounding_up)
                      RUN(a_page_of_every_class_holds_its_blocks))
