// SPDX-License-Identifier: MIT
// Promises of the plain and the aligned allocation functions.
#include "mimalloc.h"

#include "check.h"

#include <errno.h>

// SIZE_MAX, hidden from the compiler, which would refuse to ask for so much.
static volatile size_t max_size = SIZE_MAX;
#include <stdlib.h>

// Sizes around every kind of border: words, size classes, pages, segments.
static const size_t sizes[] = {0,    1,     7,     8,     15,      16,      17,      23,   64,
                               100,  128,   129,   1000,  1024,    1025,    4096,    8191, 8192,
                               8193, 60000, 65536, 65537, 1 << 20, 3 << 20, 20 << 20};
#define SIZE_COUNT (sizeof sizes / sizeof sizes[0])

static bool is_filled(const void *p, unsigned char value, size_t size)
{
    const unsigned char *bytes = p;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != value)
            return false;
    return true;
}

static bool is_aligned(const void *p, size_t alignment)
{
    return ((uintptr_t)p & (alignment - 1)) == 0;
}

TEST(malloc_of_zero_gives_unique_blocks)
{
    void *a = mi_malloc(0);
    void *b = mi_malloc(0);
    CHECK(a != NULL && b != NULL && a != b);
    mi_free(a);
    mi_free(b);
}

TEST(malloc_gives_aligned_blocks_of_at_least_the_size)
{
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        void *p = mi_malloc(sizes[i]);
        REQUIRE(p != NULL);
        CHECK(is_aligned(p, 16));
        CHECK(mi_usable_size(p) >= sizes[i]);
        memset(p, 0xab, sizes[i]);
        CHECK(is_filled(p, 0xab, sizes[i]));
        mi_free(p);
    }
}

TEST(zalloc_and_calloc_zero_blocks_that_were_used_before)
{
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        void *dirty = mi_malloc(sizes[i]);
        REQUIRE(dirty != NULL);
        memset(dirty, 0xff, sizes[i]);
        mi_free(dirty);
        void *z = mi_zalloc(sizes[i]);
        void *c = mi_calloc(1, sizes[i]);
        REQUIRE(z != NULL && c != NULL);
        CHECK(is_filled(z, 0, sizes[i]));
        CHECK(is_filled(c, 0, sizes[i]));
        mi_free(z);
        mi_free(c);
    }
}

TEST(a_product_that_overflows_is_out_of_memory)
{
    errno = 0;
    CHECK_EQ(mi_calloc(max_size / 2, 3), NULL);
    CHECK_EQ(errno, ENOMEM);
    errno = 0;
    CHECK_EQ(mi_mallocn(max_size / 2, 3), NULL);
    CHECK_EQ(errno, ENOMEM);
    errno = 0;
    CHECK_EQ(mi_heap_calloc(mi_heap_get_default(), max_size, 16), NULL);
    CHECK_EQ(errno, ENOMEM);
    errno = 0;
    CHECK_EQ(mi_reallocn(NULL, max_size, 16), NULL);
    CHECK_EQ(errno, ENOMEM);
    errno = 0;
    CHECK_EQ(mi_recalloc(NULL, max_size, 16), NULL);
    CHECK_EQ(errno, ENOMEM);
    errno = 0;
    CHECK_EQ(mi_calloc_aligned(max_size, 16, 64), NULL);
    CHECK_EQ(errno, ENOMEM);
}

TEST(sizes_that_cannot_be_had_give_null_and_enomem)
{
    size_t large[] = {max_size, max_size - 1, max_size - 4096, max_size / 2 + 1, max_size / 2};
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++) {
        errno = 0;
        CHECK_EQ(mi_malloc(large[i]), NULL);
        CHECK_EQ(errno, ENOMEM);
        errno = 0;
        CHECK_EQ(mi_zalloc(large[i]), NULL);
        CHECK_EQ(errno, ENOMEM);
        errno = 0;
        CHECK_EQ(mi_malloc_aligned(large[i], 4096), NULL);
        CHECK_EQ(errno, ENOMEM);
    }
}

TEST(free_of_null_does_nothing)
{
    errno = 7;
    mi_free(NULL);
    mi_cfree(NULL);
    mi_free_small(NULL);
    mi_free_size(NULL, 5);
    mi_free_size_aligned(NULL, 5, 64);
    mi_free_aligned(NULL, 64);
    mi_ufree(NULL, NULL);
    CHECK_EQ(errno, 7);
    CHECK_EQ(mi_usable_size(NULL), 0);
}

TEST(success_and_free_leave_errno_alone)
{
    errno = 7;
    void *p = mi_malloc(100000);
    p = mi_realloc(p, 3000000);
    mi_free(p);
    CHECK_EQ(errno, 7);
}

TEST(every_kind_of_free_takes_every_kind_of_block)
{
    mi_free_small(mi_malloc_small(MI_SMALL_SIZE_MAX));
    mi_free_size(mi_malloc(1000), 1000);
    mi_free_size_aligned(mi_malloc_aligned(1000, 128), 1000, 128);
    mi_free_aligned(mi_zalloc_aligned(1000, 4096), 4096);
    mi_cfree(mi_calloc(10, 10));
    size_t size = 0;
    mi_ufree(mi_malloc(77), &size);
    CHECK(size >= 77);
}

TEST(small_forms_serve_all_small_sizes)
{
    for (size_t size = 0; size <= MI_SMALL_SIZE_MAX; size += 13) {
        unsigned char *p = mi_malloc_small(size);
        unsigned char *z = mi_zalloc_small(size);
        REQUIRE(p != NULL && z != NULL);
        memset(p, 1, size);
        CHECK(is_filled(z, 0, size));
        mi_free_small(p);
        mi_free_small(z);
    }
}

TEST(good_size_is_what_a_block_really_gets)
{
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        void *p = mi_malloc(sizes[i]);
        CHECK(mi_good_size(sizes[i]) >= sizes[i]);
        CHECK(mi_good_size(sizes[i]) >= mi_usable_size(p));
        CHECK_EQ(mi_malloc_good_size(sizes[i]), mi_good_size(sizes[i]));
        CHECK_EQ(mi_malloc_size(p), mi_usable_size(p));
        CHECK_EQ(mi_malloc_usable_size(p), mi_usable_size(p));
        mi_free(p);
    }
}

// ---- aligned ----

TEST(aligned_blocks_are_aligned_for_all_sizes_and_alignments)
{
    for (size_t alignment = 1; alignment <= (size_t)1 << 21; alignment *= 2)
        for (size_t i = 0; i < SIZE_COUNT; i++) {
            char *p = mi_malloc_aligned(sizes[i], alignment);
            REQUIRE(p != NULL);
            CHECK(is_aligned(p, alignment));
            CHECK(mi_usable_size(p) >= sizes[i]);
            memset(p, 0x5a, sizes[i]);
            mi_free(p);
        }
}

TEST(zalloc_aligned_zeroes)
{
    for (size_t alignment = 16; alignment <= 65536; alignment *= 8) {
        char *dirty = mi_malloc_aligned(5000, alignment);
        memset(dirty, 0xff, 5000);
        mi_free(dirty);
        char *p = mi_zalloc_aligned(5000, alignment);
        char *q = mi_calloc_aligned(50, 100, alignment);
        CHECK(is_filled(p, 0, 5000) && is_filled(q, 0, 5000));
        mi_free(p);
        mi_free(q);
    }
}

TEST(an_offset_is_aligned_instead_of_the_start)
{
    const size_t offsets[] = {0, 1, 8, 24, 100, 4096, 5000};
    for (size_t alignment = 8; alignment <= (size_t)1 << 20; alignment *= 4)
        for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
            char *p = mi_malloc_aligned_at(9000, alignment, offsets[i]);
            char *z = mi_zalloc_aligned_at(9000, alignment, offsets[i]);
            char *c = mi_calloc_aligned_at(90, 100, alignment, offsets[i]);
            REQUIRE(p != NULL && z != NULL && c != NULL);
            CHECK(is_aligned(p + offsets[i], alignment));
            CHECK(is_aligned(z + offsets[i], alignment));
            CHECK(is_aligned(c + offsets[i], alignment));
            CHECK(is_filled(z, 0, 9000) && is_filled(c, 0, 9000));
            memset(p, 1, 9000);
            mi_free(p);
            mi_free(z);
            mi_free(c);
        }
}

TEST(a_bad_alignment_is_refused)
{
    size_t bad[] = {0, 3, 24, 48, max_size, max_size / 2 + 1};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        errno = 0;
        CHECK_EQ(mi_malloc_aligned(64, bad[i]), NULL);
        CHECK_EQ(errno, EINVAL);
        errno = 0;
        CHECK_EQ(mi_aligned_alloc(bad[i], 64), NULL);
        CHECK_EQ(errno, EINVAL);
        void *p = mi_malloc(10);
        CHECK_EQ(mi_realloc_aligned(p, 64, bad[i]), NULL);
        mi_free(p);
    }
}

TEST(posix_memalign_returns_its_errors_and_keeps_errno)
{
    void *p = &p;
    errno = 7;
    CHECK_EQ(mi_posix_memalign(&p, 3, 100), EINVAL);
    CHECK_EQ(mi_posix_memalign(&p, sizeof(void *) / 2, 100), EINVAL);
    CHECK_EQ(mi_posix_memalign(&p, 0, 100), EINVAL);
    CHECK_EQ(mi_posix_memalign(NULL, 64, 100), EINVAL);
    CHECK_EQ(mi_posix_memalign(&p, 64, max_size / 2), ENOMEM);
    CHECK_EQ(p, &p);
    CHECK_EQ(mi_posix_memalign(&p, 512, 100), 0);
    CHECK(is_aligned(p, 512));
    CHECK_EQ(errno, 7);
    mi_free(p);
}

TEST(valloc_and_pvalloc_are_aligned_to_a_page_of_the_system)
{
    char *v = mi_valloc(100);
    char *p = mi_pvalloc(100);
    CHECK(is_aligned(v, 4096) && is_aligned(p, 4096));
    CHECK(mi_usable_size(p) >= 4096);
    mi_free(v);
    mi_free(p);
    char *m = mi_memalign(256, 10);
    CHECK(is_aligned(m, 256));
    mi_free(m);
    CHECK_EQ(mi_pvalloc(max_size), NULL);
}

// ---- telling the size ----

TEST(the_u_forms_tell_the_usable_size)
{
    size_t size = 0, pre = 0, post = 0;
    void *p = mi_umalloc(100, &size);
    CHECK_EQ(size, mi_usable_size(p));
    p = mi_urealloc(p, 5000, &pre, &post);
    CHECK_EQ(pre, size);
    CHECK_EQ(post, mi_usable_size(p));
    mi_ufree(p, &size);
    CHECK_EQ(size, post);
    void *c = mi_ucalloc(3, 7, &size);
    CHECK(size >= 21 && is_filled(c, 0, 21));
    void *a = mi_umalloc_aligned(100, 256, &size);
    CHECK(size >= 100 && is_aligned(a, 256));
    void *z = mi_uzalloc_aligned(100, 256, &size);
    CHECK(size >= 100 && is_filled(z, 0, 100));
    void *s = mi_umalloc_small(24, &size);
    CHECK(size >= 24);
    void *y = mi_uzalloc_small(24, NULL);
    CHECK(is_filled(y, 0, 24));
    CHECK_EQ(mi_umalloc(max_size, &size), NULL);
    CHECK_EQ(size, 0);
    mi_free(c);
    mi_free(a);
    mi_free(z);
    mi_free(s);
    mi_free(y);
}

TEST_MAIN(
    RUN(malloc_of_zero_gives_unique_blocks) RUN(malloc_gives_aligned_blocks_of_at_least_the_size)
        RUN(zalloc_and_calloc_zero_blocks_that_were_used_before) RUN(
            a_product_that_overflows_is_out_of_memory)
            RUN(sizes_that_cannot_be_had_give_null_and_enomem) RUN(free_of_null_does_nothing) RUN(
                success_and_free_leave_errno_alone)
                RUN(every_kind_of_free_takes_every_kind_of_block) RUN(
                    small_forms_serve_all_small_sizes) RUN(good_size_is_what_a_block_really_gets)
                    RUN(aligned_blocks_are_aligned_for_all_sizes_and_alignments)
                        RUN(zalloc_aligned_zeroes) RUN(an_offset_is_aligned_instead_of_the_start)
                            RUN(a_bad_alignment_is_refused)
                                RUN(posix_memalign_returns_its_errors_and_keeps_errno)
                                    RUN(valloc_and_pvalloc_are_aligned_to_a_page_of_the_system)
                                        RUN(the_u_forms_tell_the_usable_size))
