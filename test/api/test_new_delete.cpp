// SPDX-License-Identifier: MIT
// mimalloc-new-delete.h: every form of new gives memory of ours, and failing is as C++ says.
#include "mimalloc-new-delete.h"

#include "check.h"

#include <cstddef>
#include <new>

struct alignas(256) Wide {
    char bytes[256];
};

static volatile std::size_t too_much = PTRDIFF_MAX;
static int handler_calls;

static void give_up_the_third_time()
{
    if (++handler_calls == 3)
        std::set_new_handler(nullptr);
}

TEST(plain_and_array_new_are_ours)
{
    int *one = new int(5);
    int *many = new int[1000];
    CHECK(mi_is_in_heap_region(one) && mi_is_in_heap_region(many));
    delete one;
    delete[] many;
}

TEST(nothrow_new_is_ours_and_gives_null)
{
    char *p = new (std::nothrow) char[100];
    CHECK(mi_is_in_heap_region(p));
    delete[] p;
    CHECK(::operator new(too_much, std::nothrow) == nullptr);
    CHECK(::operator new(too_much, std::align_val_t(256), std::nothrow) == nullptr);
}

TEST(over_aligned_types_are_aligned)
{
    Wide *one = new Wide;
    Wide *many = new Wide[3];
    CHECK_EQ(reinterpret_cast<uintptr_t>(one) % 256, 0);
    CHECK_EQ(reinterpret_cast<uintptr_t>(many) % 256, 0);
    CHECK(mi_is_in_heap_region(one) && mi_is_in_heap_region(many));
    delete one;
    delete[] many;
}

TEST(failing_calls_the_handler_and_then_throws)
{
    bool is_thrown = false;
    handler_calls = 0;
    std::set_new_handler(give_up_the_third_time);
    try {
        ::operator delete(::operator new(too_much));
    } catch (const std::bad_alloc &) {
        is_thrown = true;
    }
    CHECK(is_thrown);
    CHECK_EQ(handler_calls, 3);
}

TEST_MAIN(RUN(plain_and_array_new_are_ours) RUN(nothrow_new_is_ours_and_gives_null)
              RUN(over_aligned_types_are_aligned) RUN(failing_calls_the_handler_and_then_throws))
