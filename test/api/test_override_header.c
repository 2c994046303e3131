// SPDX-License-Identifier: MIT
// mimalloc-override.h: the usual names, in a file that includes it, are ours.
#include "check.h"

#include <stdlib.h>

#include "mimalloc-override.h"

TEST(standard_names_give_blocks_of_ours)
{
    void *blocks[] = {malloc(10),
                      calloc(3, 4),
                      realloc(NULL, 20),
                      strdup("text"),
                      strndup("text", 2),
                      memalign(64, 100),
                      valloc(10),
                      pvalloc(10),
                      aligned_alloc(64, 64),
                      reallocarray(NULL, 2, 3),
                      reallocf(NULL, 5)};
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        CHECK(mi_is_in_heap_region(blocks[i]));
        CHECK(malloc_usable_size(blocks[i]) > 0);
        free(blocks[i]);
    }
}

TEST(names_of_the_windows_runtime_give_blocks_of_ours)
{
    void *p = _aligned_offset_malloc(100, 64, 8);
    CHECK_EQ(((uintptr_t)p + 8) % 64, 0);
    p = _aligned_offset_realloc(p, 500, 64, 8);
    CHECK_EQ(((uintptr_t)p + 8) % 64, 0);
    CHECK(_aligned_msize(p, 64, 8) >= 500);
    _aligned_free(p);
    wchar_t *wide = _wcsdup(L"wide");
    CHECK(mi_is_in_heap_region(wide));
    CHECK_EQ(wide[3], L'e');
    free(wide);
    char *text = _strdup("text");
    CHECK_STR_EQ(text, "text");
    CHECK(_msize(text) >= 5);
    free(text);
    unsigned char *bytes = _mbsdup((const unsigned char *)"bytes");
    CHECK_STR_EQ((char *)bytes, "bytes");
    free(bytes);
}

TEST_MAIN(RUN(standard_names_give_blocks_of_ours)
              RUN(names_of_the_windows_runtime_give_blocks_of_ours))
