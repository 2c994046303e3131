// SPDX-License-Identifier: MIT
// Promises of the reallocation functions.
#include "mimalloc.h"

#include "check.h"

#include <errno.h>

// SIZE_MAX, hidden from the compiler, which would refuse to ask for so much.
static volatile size_t max_size = SIZE_MAX;

static void fill(void *p, size_t size)
{
    unsigned char *bytes = p;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(i * 7 + 1);
}

static bool is_kept(const void *p, size_t size)
{
    const unsigned char *bytes = p;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != (unsigned char)(i * 7 + 1))
            return false;
    return true;
}

static bool is_zero(const void *p, size_t from, size_t to)
{
    const unsigned char *bytes = p;
    for (size_t i = from; i < to; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

TEST(content_survives_growing_and_shrinking)
{
    const size_t sizes[] = {1,       16,       17,     100,   1000, 5000, 70000,
                            1000000, 40000000, 900000, 60000, 900,  33,   5};
    size_t size = 10;
    void *p = mi_malloc(size);
    fill(p, size);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        p = mi_realloc(p, sizes[i]);
        REQUIRE(p != NULL);
        CHECK(is_kept(p, size < sizes[i] ? size : sizes[i]));
        CHECK(mi_usable_size(p) >= sizes[i]);
        size = sizes[i];
        fill(p, size);
    }
    mi_free(p);
}

// The release build grows large blocks where they are, if what follows is free; all builds keep the
// contents, and leave the neighbours alone.
TEST(a_large_block_grows_over_free_memory_only)
{
    const size_t old_size = 100000;
    const size_t new_size = 1500000;
    char *p = mi_malloc(old_size);
    char *neighbour = mi_malloc(old_size);
    fill(p, old_size);
    fill(neighbour, old_size);
    char *q = mi_realloc(neighbour, new_size);
    CHECK(is_kept(q, old_size));
    memset(q + old_size, 0x77, new_size - old_size);
    CHECK(is_kept(p, old_size));
    p = mi_realloc(p, new_size);
    CHECK(is_kept(p, old_size));
    memset(p + old_size, 0x55, new_size - old_size);
    CHECK(is_kept(q, old_size));
    CHECK_EQ(q[new_size - 1], 0x77);
    mi_free(q);
    mi_free(p);
}

TEST(what_comes_to_a_large_block_is_zeroed_if_asked)
{
    char *dirty = mi_malloc(3000000);
    memset(dirty, 0x33, 3000000);
    mi_free(dirty);
    char *p = mi_zalloc(200000);
    for (size_t size = 300000; size < 2500000; size += 200000) {
        p = mi_rezalloc(p, size);
        REQUIRE(p != NULL);
        CHECK(is_zero(p, 0, mi_usable_size(p)));
    }
    mi_free(p);
}

TEST(realloc_of_null_allocates)
{
    void *p = mi_realloc(NULL, 100);
    CHECK(p != NULL);
    mi_free(p);
    unsigned char *z = mi_rezalloc(NULL, 100);
    CHECK(is_zero(z, 0, 100));
    mi_free(z);
}

TEST(realloc_to_zero_gives_a_live_block)
{
    void *p = mi_realloc(mi_malloc(100), 0);
    CHECK(p != NULL);
    mi_free(p);
}

TEST(a_block_that_fits_stays)
{
    void *p = mi_malloc(1000);
    CHECK_EQ(mi_realloc(p, 999), p);
    CHECK_EQ(mi_expand(p, 900), p);
    CHECK_EQ(mi__expand(p, mi_usable_size(p)), p);
    mi_free(p);
}

// Small blocks of the thread's own go the short way, whatever they come from and become.
TEST(content_and_neighbours_survive_each_small_move)
{
    for (size_t from = 1; from <= 3000; from += 1 + from / 3) {
        for (size_t to = 1; to <= 1200; to += 1 + to / 3) {
            char *p = mi_malloc(from);
            char *freed = mi_malloc(to);
            char *next = mi_malloc(to);
            fill(p, from);
            fill(next, to);
            mi_free(freed);
            p = mi_realloc(p, to);
            CHECK(is_kept(p, from < to ? from : to) && is_kept(next, to));
            CHECK(mi_usable_size(p) >= to);
            mi_free(p);
            mi_free(next);
        }
    }
}

// Before a page that nobody may touch, and with an offset: blocks whose size is no whole number of
// units.
TEST(odd_blocks_become_small_ones)
{
    mi_heap_t *heap = mi_heap_get_default();
    for (size_t size = 1; size < 1000; size += 1 + size / 2) {
        mi_heap_guarded_set_size_bound(heap, 0, 1000);
        mi_heap_guarded_set_sample_rate(heap, 1, 0);
        char *guarded = mi_malloc(size);
        mi_heap_guarded_set_sample_rate(heap, 0, 0);
        char *odd = mi_malloc_aligned_at(size, 64, 5);
        fill(guarded, size);
        fill(odd, size);
        guarded = mi_realloc(guarded, size + 300);
        odd = mi_realloc(odd, size + 300);
        odd = mi_realloc(odd, size / 3 + 1);
        CHECK(is_kept(guarded, size) && is_kept(odd, size / 3 + 1));
        mi_free(guarded);
        mi_free(odd);
    }
}

TEST(a_failed_realloc_keeps_the_block)
{
    void *p = mi_malloc(100);
    fill(p, 100);
    errno = 0;
    CHECK_EQ(mi_realloc(p, max_size / 2 + 1), NULL);
    CHECK_EQ(errno, ENOMEM);
    CHECK_EQ(mi_reallocarray(p, max_size, 2), NULL);
    CHECK_EQ(errno, EOVERFLOW);
    CHECK_EQ(mi_expand(p, 1000000), NULL);
    CHECK_EQ(errno, ENOMEM);
    CHECK(is_kept(p, 100));
    mi_free(p);
}

TEST(reallocf_frees_when_it_fails)
{
    mi_heap_t *heap = mi_heap_new();
    void *p = mi_heap_malloc(heap, 100);
    CHECK(mi_heap_check_owned(heap, p));
    CHECK_EQ(mi_reallocf(p, max_size), NULL);
    CHECK(!mi_heap_check_owned(heap, p));
    mi_heap_destroy(heap);
}

TEST(expand_of_null_is_null)
{
    CHECK_EQ(mi_expand(NULL, 10), NULL);
}

TEST(rezalloc_zeroes_what_it_adds)
{
    size_t size = 1;
    unsigned char *p = mi_zalloc(size);
    while (size < 100000) {
        size_t larger = size + size / 3 + 1;
        memset(p, 0xee, size);
        p = mi_rezalloc(p, larger);
        REQUIRE(p != NULL);
        CHECK(is_zero(p, size, larger));
        size = larger;
    }
    mi_free(p);
}

TEST(recalloc_zeroes_after_shrinking_in_place)
{
    unsigned char *p = mi_calloc(10, 100);
    memset(p, 0xee, 1000);
    p = mi_recalloc(p, 9, 100);
    p = mi_recalloc(p, 10, 100);
    CHECK(is_zero(p, 900, 1000));
    CHECK_EQ(p[899], 0xee);
    mi_free(p);
}

TEST(aligned_forms_keep_content_and_alignment)
{
    for (size_t alignment = 8; alignment <= 65536; alignment *= 8) {
        size_t size = 100;
        char *p = mi_malloc_aligned(size, alignment);
        fill(p, size);
        for (int i = 0; i < 12; i++) {
            size_t larger = size * 2 + 1;
            p = mi_realloc_aligned(p, larger, alignment);
            REQUIRE(p != NULL);
            CHECK_EQ((uintptr_t)p % alignment, 0);
            CHECK(is_kept(p, size));
            size = larger;
            fill(p, size);
        }
        mi_free(p);
    }
}

TEST(aligned_at_forms_keep_content_and_alignment)
{
    char *p = mi_malloc_aligned_at(100, 4096, 40);
    fill(p, 100);
    p = mi_realloc_aligned_at(p, 20000, 4096, 40);
    CHECK_EQ(((uintptr_t)p + 40) % 4096, 0);
    CHECK(is_kept(p, 100));
    mi_free(p);
    char *z = mi_zalloc_aligned_at(100, 256, 8);
    z = mi_rezalloc_aligned_at(z, 5000, 256, 8);
    CHECK_EQ(((uintptr_t)z + 8) % 256, 0);
    CHECK(is_zero(z, 0, 5000));
    z = mi_recalloc_aligned_at(z, 100, 100, 256, 8);
    CHECK(is_zero(z, 0, 10000));
    z = mi_aligned_offset_recalloc(z, 200, 100, 256, 8);
    CHECK(is_zero(z, 0, 20000));
    mi_free(z);
    char *r = mi_rezalloc_aligned(NULL, 50, 128);
    r = mi_recalloc_aligned(r, 50, 10, 128);
    r = mi_aligned_recalloc(r, 50, 20, 128);
    CHECK(is_zero(r, 0, 1000));
    CHECK_EQ((uintptr_t)r % 128, 0);
    mi_free(r);
}

TEST(reallocarr_changes_the_pointer_only_on_success)
{
    int *numbers = NULL;
    CHECK_EQ(mi_reallocarr(&numbers, 10, sizeof *numbers), 0);
    REQUIRE(numbers != NULL);
    int *before = numbers;
    CHECK_EQ(mi_reallocarr(&numbers, max_size, sizeof *numbers), EOVERFLOW);
    CHECK_EQ(mi_reallocarr(&numbers, max_size / 8, sizeof *numbers), ENOMEM);
    CHECK_EQ(numbers, before);
    CHECK_EQ(mi_reallocarr(NULL, 1, 1), EINVAL);
    mi_free(numbers);
}

TEST(a_pointer_that_is_not_ours_is_left_alone)
{
    char local[64] = "still here";
    CHECK_EQ(mi_realloc(local, 100), NULL);
    mi_free(local);
    CHECK_STR_EQ(local, "still here");
    CHECK_EQ(mi_usable_size(local), 0);
}

TEST_MAIN(RUN(content_survives_growing_and_shrinking) RUN(a_large_block_grows_over_free_memory_only)
              RUN(what_comes_to_a_large_block_is_zeroed_if_asked) RUN(realloc_of_null_allocates)
                  RUN(realloc_to_zero_gives_a_live_block) RUN(a_block_that_fits_stays)
                      RUN(content_and_neighbours_survive_each_small_move)
                          RUN(odd_blocks_become_small_ones) RUN(a_failed_realloc_keeps_the_block)
                              RUN(reallocf_frees_when_it_fails) RUN(expand_of_null_is_null)
                                  RUN(rezalloc_zeroes_what_it_adds)
                                      RUN(recalloc_zeroes_after_shrinking_in_place)
                                          RUN(aligned_forms_keep_content_and_alignment)
                                              RUN(aligned_at_forms_keep_content_and_alignment) RUN(
                                                  reallocarr_changes_the_pointer_only_on_success)
                                                  RUN(a_pointer_that_is_not_ours_is_left_alone))
