// SPDX-License-Identifier: MIT
// Where aligned blocks begin, what lies around them, and that they keep to themselves.
#include "check.h"
#include "heap/heap.h"
#include "mimalloc.h"

#include <errno.h>

static bool is_at(const void *p, size_t alignment, size_t offset)
{
    return ((uintptr_t)p + offset) % alignment == 0;
}

TEST(every_alignment_and_offset_is_met)
{
    static const size_t sizes[] = {0, 1, 7, 8, 100, 4096, 70000, 1 << 20};
    for (size_t alignment = 1; alignment <= MI_MIB; alignment *= 2) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            size_t offset = i % 2 == 0 ? sizes[i] : alignment / 2 + 1;
            void *p = mi_malloc_aligned_at(sizes[i], alignment, offset);
            REQUIRE(p != NULL);
            CHECK(is_at(p, alignment, offset));
            CHECK(mi_usable_size(p) >= sizes[i]);
            memset(p, 1, sizes[i]);
            mi_free(p);
        }
    }
}

TEST(alignments_above_a_segment_are_met)
{
    for (size_t alignment = MI_SEGMENT_SIZE / 2; alignment <= 4 * MI_SEGMENT_SIZE; alignment *= 2) {
        unsigned char *p = mi_zalloc_aligned_at(100, alignment, 24);
        REQUIRE(p != NULL);
        CHECK(is_at(p, alignment, 24));
        CHECK_EQ(p[0] | p[99], 0);
        p[0] = p[99] = 1;
        mi_free(p);
    }
}

// A free block holds a link of eight bytes, also one of which only one byte was wanted.
TEST(a_freed_block_at_the_end_of_a_page_leaves_the_next_page_alone)
{
    enum { COUNT = 40 };
    void *last_byte[COUNT];
    unsigned char *slice[COUNT];
    for (int i = 0; i < COUNT; i++) {
        last_byte[i] = mi_malloc_aligned_at(1, MI_SLICE_SIZE, 1);
        slice[i] = mi_malloc_aligned(MI_SLICE_SIZE, MI_SLICE_SIZE);
        REQUIRE(last_byte[i] != NULL && slice[i] != NULL);
        memset(slice[i], 0x5a, 16);
    }
    for (int i = 0; i < COUNT; i++)
        mi_free(last_byte[i]);
    for (int i = 0; i < COUNT; i++) {
        for (int j = 0; j < 16; j++)
            CHECK_EQ(slice[i][j], 0x5a);
        mi_free(slice[i]);
    }
}

TEST(a_guarded_block_of_one_byte_can_be_freed)
{
    mi_option_enable(mi_option_guarded_precise);
    mi_heap_t *heap = mi_heap_new();
    mi_heap_guarded_set_sample_rate(heap, 1, 1);
    mi_heap_guarded_set_size_bound(heap, 0, 1000);
    for (size_t size = 0; size < 20; size++) {
        char *p = mi_heap_malloc(heap, size);
        REQUIRE(p != NULL);
        memset(p, 1, size);
        CHECK(mi_usable_size(p) >= size);
        mi_free(p);
    }
    mi_heap_delete(heap);
    mi_option_disable(mi_option_guarded_precise);
}

TEST(bad_alignments_are_refused_with_einval)
{
    static const volatile size_t bad[] = {0, 3, 24, MI_ALIGN_MAX * 2}; // not for the compiler
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        errno = 0;
        CHECK_EQ(mi_malloc_aligned(10, bad[i]), NULL);
        CHECK_EQ(errno, EINVAL);
    }
}

TEST_MAIN(RUN(every_alignment_and_offset_is_met) RUN(alignments_above_a_segment_are_met)
              RUN(a_freed_block_at_the_end_of_a_page_leaves_the_next_page_alone)
                  RUN(a_guarded_block_of_one_byte_can_be_freed)
                      RUN(bad_alignments_are_refused_with_einval))
