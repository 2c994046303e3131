// SPDX-License-Identifier: MIT
// Blocks that the runtime made before the patch are freed, reallocated and measured after it, by the
// runtime that made them: the redirect counts each that it hands back. The allocator is loaded by
// LoadLibrary, when classic_early.dll has long taken its blocks. The tests run in this order.
#include "check.h"

#include <malloc.h>
#include <stdlib.h>

#include "classic_ask.h"
#include "classic_early.h"

// mingw-w64's header lacks it.
__declspec(dllimport) size_t __cdecl _aligned_msize(void *block, size_t alignment, size_t offset);

TEST(blocks_are_there_before_the_allocator)
{
    REQUIRE(!ask_is_loaded("mimalloc-override.dll"));
    REQUIRE(!ask_is_loaded(MI_REDIRECT_DLL));
    CHECK_STR_EQ(early_get_blocks()->of_malloc, EARLY_TEXT);
    CHECK(early_get_blocks()->of_large != NULL);
}

TEST(an_allocator_that_is_loaded_late_is_redirected)
{
    REQUIRE(ask_load("mimalloc-override.dll"));
    CHECK(ask_is_redirected());
    void *block = malloc(64);
    CHECK(ask_is_ours(block));
    free(block);
}

TEST(earlier_blocks_are_known_to_be_foreign)
{
    const early_blocks_t *early = early_get_blocks();
    CHECK(!ask_is_ours(early->of_malloc));
    CHECK(!ask_is_ours(early->of_calloc));
    CHECK(!ask_is_ours(early->of_realloc));
    CHECK(!ask_is_ours(early->of_strdup));
    CHECK(!ask_is_ours(early->of_aligned));
    CHECK(!ask_is_ours(early->of_large));
}

TEST(an_earlier_block_has_its_size)
{
    const uint64_t before = ask_foreign_count();
    CHECK_EQ(_msize(early_get_blocks()->of_malloc), 64);
    CHECK_EQ(_msize(early_get_blocks()->of_large), EARLY_LARGE_SIZE);
    CHECK_EQ(ask_foreign_count() - before, 2);
}

TEST(an_earlier_block_can_be_freed)
{
    early_blocks_t *early = early_get_blocks();
    const uint64_t before = ask_foreign_count();
    free(early->of_malloc);
    free(early->of_calloc);
    CHECK_EQ(ask_foreign_count() - before, 2);
}

TEST(an_earlier_block_can_be_reallocated_and_keeps_its_content)
{
    early_blocks_t *early = early_get_blocks();
    const uint64_t before = ask_foreign_count();
    char *larger = realloc(early->of_realloc, 50000);
    REQUIRE(larger != NULL);
    CHECK_STR_EQ(larger, EARLY_TEXT);
    char *smaller = realloc(larger, 100);
    REQUIRE(smaller != NULL);
    CHECK_STR_EQ(smaller, EARLY_TEXT);
    free(smaller);
    char *large = realloc(early->of_large, 2 * EARLY_LARGE_SIZE);
    REQUIRE(large != NULL);
    CHECK_EQ(large[EARLY_LARGE_SIZE - 1], 'z');
    free(large);
    CHECK(ask_foreign_count() - before >= 2);
}

TEST(an_earlier_text_can_grow)
{
    early_blocks_t *early = early_get_blocks();
    char *text = realloc(early->of_strdup, 200);
    REQUIRE(text != NULL);
    memcpy(text + strlen(text), ", and after it", sizeof ", and after it");
    CHECK_STR_EQ(text, EARLY_TEXT ", and after it");
    free(text);
}

TEST(an_earlier_aligned_block_can_be_reallocated_and_freed)
{
    early_blocks_t *early = early_get_blocks();
    const uint64_t before = ask_foreign_count();
    // Wine's runtime asks its heap for one byte more than Microsoft's, and nothing tells that from a
    // block that is one byte larger.
    const size_t size = _aligned_msize(early->of_aligned, 128, 0);
    CHECK_EQ(size == 501 ? 500 : size, 500);
    char *larger = _aligned_realloc(early->of_aligned, 20000, 128);
    REQUIRE(larger != NULL);
    CHECK_EQ((uintptr_t)larger % 128, 0);
    CHECK_STR_EQ(larger, EARLY_TEXT);
    _aligned_free(larger);
    CHECK(ask_foreign_count() - before >= 2);
}

TEST_MAIN(RUN(blocks_are_there_before_the_allocator)
              RUN(an_allocator_that_is_loaded_late_is_redirected)
                  RUN(earlier_blocks_are_known_to_be_foreign) RUN(an_earlier_block_has_its_size)
                      RUN(an_earlier_block_can_be_freed)
                          RUN(an_earlier_block_can_be_reallocated_and_keeps_its_content)
                              RUN(an_earlier_text_can_grow)
                                  RUN(an_earlier_aligned_block_can_be_reallocated_and_freed))
