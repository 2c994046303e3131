// SPDX-License-Identifier: MIT
// A program against the universal C runtime; it is built in each of the classic ways to bring in the
// allocator, and in each, every kind of block that it takes from the runtime lies in our memory.
// MI_WAY_LINK: it calls mi_version() itself. Otherwise nothing in this source names the allocator.
#include "check.h"
#include "classic_ask.h"

#include <direct.h>
#include <malloc.h>
#include <stdlib.h>

#include <memory>
#include <string>
#include <vector>

#include "mimalloc.h"

namespace
{
// Ours, and gone again without harm.
void check_block(void *block, void (*release)(void *))
{
    CHECK(block != nullptr);
    CHECK(ask_is_ours(block));
    release(block);
}

struct large_t {
    char bytes[5000];
};
} // namespace

TEST(the_allocator_says_that_it_is_redirected)
{
    CHECK(ask_is_redirected());
}

TEST(the_allocator_is_of_the_version_of_the_header)
{
#if MI_WAY_LINK
    CHECK_EQ(mi_version(), MI_MALLOC_VERSION);
#endif
    CHECK_EQ(ask_version(), MI_MALLOC_VERSION);
}

TEST(a_block_of_malloc_is_ours)
{
    check_block(malloc(100), free);
    check_block(malloc(5000000), free);
}

TEST(a_block_of_calloc_is_ours_and_zero)
{
    char *block = static_cast<char *>(calloc(10, 100));
    REQUIRE(block != nullptr);
    CHECK_EQ(std::string(block, 1000) == std::string(1000, '\0'), true);
    check_block(block, free);
}

TEST(a_block_of_realloc_is_ours_and_keeps_its_content)
{
    char *block = static_cast<char *>(malloc(8));
    REQUIRE(block != nullptr);
    memcpy(block, "content", 8);
    char *larger = static_cast<char *>(realloc(block, 100000));
    REQUIRE(larger != nullptr);
    CHECK_STR_EQ(larger, "content");
    check_block(larger, free);
}

TEST(a_block_of_strdup_is_ours)
{
    char *copy = _strdup("a text that the runtime copies");
    CHECK_STR_EQ(copy, "a text that the runtime copies");
    check_block(copy, free);
}

TEST(a_block_of_aligned_malloc_is_ours_and_aligned)
{
    void *block = _aligned_malloc(1000, 256);
    CHECK_EQ(reinterpret_cast<uintptr_t>(block) % 256, 0);
    check_block(block, _aligned_free);
}

TEST(a_block_that_getcwd_makes_inside_the_runtime_is_ours)
{
    char *folder = _getcwd(nullptr, 300);
    REQUIRE(folder != nullptr);
    CHECK(strlen(folder) > 2);
    check_block(folder, free);
}

TEST(an_object_of_new_is_ours)
{
    auto small = std::make_unique<int>(7);
    auto large = std::make_unique<large_t>();
    auto array = std::make_unique<int[]>(100);
    CHECK(ask_is_ours(small.get()));
    CHECK(ask_is_ours(large.get()));
    CHECK(ask_is_ours(array.get()));
}

TEST(the_text_of_a_string_is_ours)
{
    const std::string text(1000, 'x');
    CHECK(ask_is_ours(text.data()));
    std::vector<std::string> copies(100, text);
    CHECK(ask_is_ours(copies.data()));
    CHECK(ask_is_ours(copies.back().data()));
}

TEST_MAIN(RUN(the_allocator_says_that_it_is_redirected)
              RUN(the_allocator_is_of_the_version_of_the_header) RUN(a_block_of_malloc_is_ours)
                  RUN(a_block_of_calloc_is_ours_and_zero)
                      RUN(a_block_of_realloc_is_ours_and_keeps_its_content)
                          RUN(a_block_of_strdup_is_ours)
                              RUN(a_block_of_aligned_malloc_is_ours_and_aligned)
                                  RUN(a_block_that_getcwd_makes_inside_the_runtime_is_ours)
                                      RUN(an_object_of_new_is_ours)
                                          RUN(the_text_of_a_string_is_ours))
