// SPDX-License-Identifier: MIT
// The C++ allocators in the standard containers.
#include "mimalloc.h"

#include "check.h"

#include <list>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <unordered_map>
#include <vector>

struct alignas(64) Wide {
    double values[8];
};

template <template <class> class Allocator> static void use_vector()
{
    std::vector<int, Allocator<int>> numbers;
    for (int i = 0; i < 10000; i++)
        numbers.push_back(i);
    CHECK(mi_is_in_heap_region(numbers.data()));
    std::vector<int, Allocator<int>> copy = numbers;
    std::vector<int, Allocator<int>> moved = std::move(numbers);
    CHECK(copy == moved);
    CHECK_EQ(moved[9999], 9999);
    copy.swap(moved);
    CHECK_EQ(copy.size(), 10000);
    std::vector<Wide, Allocator<Wide>> wide(100);
    CHECK_EQ(reinterpret_cast<uintptr_t>(wide.data()) % 64, 0);
}

template <template <class> class Allocator> static void use_map()
{
    typedef std::pair<const int, std::string> entry;
    std::map<int, std::string, std::less<int>, Allocator<entry>> words;
    for (int i = 0; i < 1000; i++)
        words[i] = "a word that is longer than the small-string buffer " + std::to_string(i);
    for (int i = 0; i < 1000; i += 2)
        words.erase(i);
    CHECK_EQ(words.size(), 500);
    CHECK(mi_is_in_heap_region(&*words.begin()));
    std::unordered_map<int, int, std::hash<int>, std::equal_to<int>,
                       Allocator<std::pair<const int, int>>>
        squares;
    for (int i = 0; i < 1000; i++)
        squares.emplace(i, i * i);
    CHECK_EQ(squares[31], 961);
    CHECK(mi_is_in_heap_region(&*squares.find(31)));
}

template <template <class> class Allocator> static void use_list()
{
    std::list<int, Allocator<int>> numbers;
    for (int i = 0; i < 100; i++)
        numbers.push_front(i);
    CHECK_EQ(numbers.front(), 99);
    std::list<int, Allocator<int>> other(numbers.get_allocator());
    other.splice(other.begin(), numbers);
    CHECK_EQ(other.size(), 100);
}

template <template <class> class Allocator> static void use_shared_ptr()
{
    std::weak_ptr<Wide> weak;
    {
        std::shared_ptr<Wide> shared = std::allocate_shared<Wide>(Allocator<Wide>());
        std::shared_ptr<Wide> second = shared;
        weak = second;
        CHECK(mi_is_in_heap_region(shared.get()));
        CHECK_EQ(shared.use_count(), 2);
    }
    CHECK(weak.expired());
}

template <template <class> class Allocator> static void use_all()
{
    use_vector<Allocator>();
    use_map<Allocator>();
    use_list<Allocator>();
    use_shared_ptr<Allocator>();
}

TEST(containers_work_with_the_plain_allocator)
{
    use_all<mi_stl_allocator>();
}

TEST(containers_work_with_the_heap_allocator)
{
    use_all<mi_heap_stl_allocator>();
}

TEST(containers_work_with_the_destroying_allocator)
{
    use_all<mi_heap_destroy_stl_allocator>();
}

TEST(plain_allocators_are_all_equal)
{
    CHECK(mi_stl_allocator<int>() == mi_stl_allocator<char>());
    CHECK(!(mi_stl_allocator<int>() != mi_stl_allocator<int>()));
}

TEST(heap_allocators_are_equal_when_they_share_the_heap)
{
    mi_heap_stl_allocator<int> a;
    mi_heap_stl_allocator<int> b;
    mi_heap_stl_allocator<char> rebound(a);
    CHECK(a != b);
    CHECK(a == rebound);
}

TEST(a_heap_of_the_caller_stays_alive)
{
    mi_heap_t *heap = mi_heap_new();
    {
        std::vector<int, mi_heap_stl_allocator<int>> numbers{mi_heap_stl_allocator<int>(heap)};
        numbers.resize(1000);
        CHECK(mi_heap_contains_block(heap, numbers.data()));
    }
    void *p = mi_heap_malloc(heap, 10);
    CHECK(p != nullptr);
    mi_heap_destroy(heap);
}

TEST(too_many_objects_throw_bad_alloc)
{
    volatile size_t many = SIZE_MAX / 2;
    bool is_thrown = false;
    try {
        mi_free(mi_stl_allocator<Wide>().allocate(many));
    } catch (const std::bad_alloc &) {
        is_thrown = true;
    }
    CHECK(is_thrown);
    is_thrown = false;
    try {
        mi_free(mi_heap_stl_allocator<int>().allocate(many));
    } catch (const std::bad_alloc &) {
        is_thrown = true;
    }
    CHECK(is_thrown);
}

TEST_MAIN(RUN(containers_work_with_the_plain_allocator) RUN(containers_work_with_the_heap_allocator)
              RUN(containers_work_with_the_destroying_allocator) RUN(plain_allocators_are_all_equal)
                  RUN(heap_allocators_are_equal_when_they_share_the_heap)
                      RUN(a_heap_of_the_caller_stays_alive) RUN(too_many_objects_throw_bad_alloc))
