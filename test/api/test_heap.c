// SPDX-License-Identifier: MIT
// Promises of heaps as objects: life, ownership, visiting, default, arenas.
#include "mimalloc.h"

#include "check.h"

typedef struct tally {
    size_t areas;
    size_t blocks;
    size_t bytes;
    const void *wanted;
    bool is_wanted_seen;
    size_t stop_after; // blocks; 0: never
} tally_t;

static bool mi_cdecl count_block(const mi_heap_t *heap, const mi_heap_area_t *area, void *block,
                                 size_t block_size, void *arg)
{
    tally_t *tally = arg;
    (void)heap;
    if (block == NULL) {
        tally->areas++;
        return area->used * area->full_block_size <= area->committed;
    }
    tally->blocks++;
    tally->bytes += block_size;
    tally->is_wanted_seen |= block == tally->wanted;
    return tally->stop_after == 0 || tally->blocks < tally->stop_after;
}

TEST(a_heap_owns_its_blocks_and_no_others)
{
    mi_heap_t *heap = mi_heap_new();
    void *p = mi_heap_malloc(heap, 100);
    void *q = mi_malloc(100);
    CHECK(mi_heap_contains_block(heap, p));
    CHECK(!mi_heap_contains_block(heap, q));
    CHECK(mi_heap_check_owned(heap, p));
    CHECK(!mi_heap_check_owned(heap, q));
    CHECK(!mi_heap_check_owned(heap, &heap));
    CHECK(mi_check_owned(q));
    CHECK(mi_is_in_heap_region(p) && !mi_is_in_heap_region(&heap));
    mi_free(q);
    mi_heap_destroy(heap);
}

TEST(delete_keeps_the_blocks_alive)
{
    mi_heap_t *heap = mi_heap_new();
    char *p = mi_heap_strdup(heap, "survives");
    char *large = mi_heap_zalloc(heap, 3000000);
    mi_heap_delete(heap);
    CHECK_STR_EQ(p, "survives");
    CHECK_EQ(large[2999999], 0);
    CHECK(mi_heap_contains_block(mi_heap_get_backing(), p));
    mi_free(p);
    mi_free(large);
}

TEST(destroy_frees_thousands_of_blocks_at_once)
{
    for (int round = 0; round < 20; round++) {
        mi_heap_t *heap = mi_heap_new();
        REQUIRE(heap != NULL);
        for (size_t i = 0; i < 1000; i++)
            memset(mi_heap_malloc(heap, i * 3), 0x55, i * 3);
        mi_heap_destroy(heap);
    }
    CHECK(mi_malloc(1) != NULL);
}

TEST(the_default_heap_can_be_changed)
{
    mi_heap_t *heap = mi_heap_new();
    mi_heap_t *old = mi_heap_set_default(heap);
    CHECK_EQ(mi_heap_get_default(), heap);
    void *p = mi_malloc(64);
    CHECK(mi_heap_contains_block(heap, p));
    CHECK_EQ(mi_heap_set_default(old), heap);
    CHECK_EQ(mi_heap_get_default(), old);
    void *q = mi_malloc(64);
    CHECK(!mi_heap_contains_block(heap, q));
    mi_free(q);
    mi_heap_destroy(heap);
}

TEST(visiting_finds_exactly_the_live_blocks)
{
    mi_heap_t *heap = mi_heap_new();
    void *blocks[300];
    for (size_t i = 0; i < 300; i++)
        blocks[i] = mi_heap_malloc(heap, 1 + i * 37 % 5000);
    for (size_t i = 0; i < 300; i += 3)
        mi_free(blocks[i]);
    tally_t tally = {.wanted = blocks[100]};
    CHECK(mi_heap_visit_blocks(heap, true, count_block, &tally));
    CHECK_EQ(tally.blocks, 200);
    CHECK(tally.areas > 1);
    CHECK(tally.is_wanted_seen);
    mi_heap_destroy(heap);
}

TEST(visiting_areas_alone_calls_no_block)
{
    mi_heap_t *heap = mi_heap_new();
    void *p = mi_heap_malloc(heap, 10);
    tally_t tally = {0};
    CHECK(mi_heap_visit_blocks(heap, false, count_block, &tally));
    CHECK_EQ(tally.blocks, 0);
    CHECK_EQ(tally.areas, 1);
    mi_free(p);
    mi_heap_destroy(heap);
}

TEST(a_visitor_can_stop_the_walk)
{
    mi_heap_t *heap = mi_heap_new();
    for (size_t i = 0; i < 50; i++)
        CHECK(mi_heap_malloc(heap, 100) != NULL);
    tally_t tally = {.stop_after = 7};
    CHECK(!mi_heap_visit_blocks(heap, true, count_block, &tally));
    CHECK_EQ(tally.blocks, 7);
    mi_heap_destroy(heap);
}

TEST(tags_reach_the_visitors)
{
    mi_heap_t *heap = mi_heap_new_ex(42, true, 0);
    void *p = mi_heap_malloc(heap, 10);
    tally_t tally = {.wanted = p};
    CHECK(mi_heap_visit_blocks(heap, true, count_block, &tally));
    CHECK(tally.is_wanted_seen);
    mi_heap_destroy(heap);
}

TEST(a_heap_without_destroy_keeps_its_blocks)
{
    mi_heap_t *heap = mi_heap_new_ex(0, false, 0);
    char *p = mi_heap_strdup(heap, "kept");
    mi_heap_destroy(heap);
    CHECK_STR_EQ(p, "kept");
    mi_free(p);
}

static char *full_path(mi_heap_t *heap)
{
    // Under the emulated Wine for ARM64 asking for a path takes x18 away (docs/testing.md).
#ifdef HEAP_EMULATED
    return mi_heap_strdup(heap, "a path");
#else
    return mi_heap_realpath(heap, ".", NULL);
#endif
}

TEST(heap_forms_serve_from_their_heap)
{
    mi_heap_t *heap = mi_heap_new();
    void *blocks[] = {mi_heap_malloc(heap, 10),
                      mi_heap_zalloc(heap, 10),
                      mi_heap_calloc(heap, 2, 10),
                      mi_heap_mallocn(heap, 2, 10),
                      mi_heap_malloc_small(heap, 10),
                      mi_heap_zalloc_small(heap, 10),
                      mi_heap_realloc(heap, NULL, 10),
                      mi_heap_reallocn(heap, NULL, 2, 10),
                      mi_heap_reallocf(heap, NULL, 10),
                      mi_heap_strdup(heap, "s"),
                      mi_heap_strndup(heap, "string", 3),
                      full_path(heap),
                      mi_heap_malloc_aligned(heap, 100, 64),
                      mi_heap_malloc_aligned_at(heap, 100, 64, 8),
                      mi_heap_zalloc_aligned(heap, 100, 64),
                      mi_heap_zalloc_aligned_at(heap, 100, 64, 8),
                      mi_heap_calloc_aligned(heap, 2, 100, 64),
                      mi_heap_calloc_aligned_at(heap, 2, 100, 64, 8),
                      mi_heap_realloc_aligned(heap, NULL, 100, 64),
                      mi_heap_realloc_aligned_at(heap, NULL, 100, 64, 8),
                      mi_heap_rezalloc(heap, NULL, 10),
                      mi_heap_recalloc(heap, NULL, 2, 10),
                      mi_heap_rezalloc_aligned(heap, NULL, 100, 64),
                      mi_heap_rezalloc_aligned_at(heap, NULL, 100, 64, 8),
                      mi_heap_recalloc_aligned(heap, NULL, 2, 100, 64),
                      mi_heap_recalloc_aligned_at(heap, NULL, 2, 100, 64, 8),
                      mi_heap_alloc_new(heap, 10),
                      mi_heap_alloc_new_n(heap, 2, 10)};
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        CHECK(blocks[i] != NULL && mi_heap_contains_block(heap, blocks[i]));
        mi_free(blocks[i]);
    }
    mi_heap_destroy(heap);
}

TEST(a_page_with_one_block_of_many_is_under_utilized)
{
    mi_heap_t *heap = mi_heap_new();
    void *blocks[64];
    for (size_t i = 0; i < 64; i++)
        blocks[i] = mi_heap_malloc(heap, 32);
    CHECK(mi_unsafe_heap_page_is_under_utilized(heap, blocks[0], 50));
    CHECK(!mi_unsafe_heap_page_is_under_utilized(heap, blocks[0], 0));
    CHECK(!mi_unsafe_heap_page_is_under_utilized(heap, &heap, 50));
    mi_heap_destroy(heap);
}

TEST(a_heap_in_an_arena_takes_its_memory_there)
{
    mi_arena_id_t arena = 0;
    size_t size = 0;
    REQUIRE(mi_reserve_os_memory_ex((size_t)96 << 20, false, false, true, &arena) == 0);
    char *start = mi_arena_area(arena, &size);
    REQUIRE(start != NULL);
    CHECK(size >= (size_t)32 << 20);
    mi_heap_t *heap = mi_heap_new_in_arena(arena);
    REQUIRE(heap != NULL);
    char *small = mi_heap_malloc(heap, 100);
    char *large = mi_heap_malloc(heap, 1000000);
    CHECK(small >= start && small < start + size);
    CHECK(large >= start && large < start + size);
    char *other = mi_malloc(1000000);
    CHECK(other < start || other >= start + size);
    mi_free(other);
    mi_free(small);
    mi_free(large);
    mi_heap_delete(heap);
}

TEST(memory_of_the_program_becomes_an_arena)
{
    static char region[(size_t)72 << 20]; // room for an aligned part of 32 MiB, wherever it lies
    mi_arena_id_t arena = 0;
    size_t size = 0;
    REQUIRE(mi_manage_os_memory_ex(region, sizeof region, true, false, true, -1, true, &arena));
    char *start = mi_arena_area(arena, &size);
    REQUIRE(start >= region && size >= (size_t)32 << 20 && start + size <= region + sizeof region);
    mi_heap_t *heap = mi_heap_new_in_arena(arena);
    char *block = mi_heap_zalloc(heap, 1000000);
    REQUIRE(block >= start && block < start + size);
    CHECK(block[0] == 0 && block[999999] == 0);
    memset(block, 1, 1000000);
    // It ends where the memory ends, and serves again what was given back.
    CHECK_EQ(mi_heap_malloc(heap, sizeof region), NULL);
    mi_free(block);
    mi_collect(true);
    block = mi_heap_zalloc(heap, 1000000);
    REQUIRE(block >= start && block < start + size);
    CHECK(block[0] == 0 && block[999999] == 0);
    mi_free(block);
    mi_heap_delete(heap);
}

TEST(bad_arenas_are_refused)
{
    size_t size = 1;
    CHECK_EQ(mi_arena_area(12345, &size), NULL);
    CHECK_EQ(size, 0);
    CHECK(mi_reserve_os_memory(SIZE_MAX / 8 * 7, false, false) != 0);
    CHECK(!mi_manage_os_memory(NULL, 1 << 20, true, false, true, -1));
}

TEST(huge_pages_are_had_or_refused_cleanly)
{
    size_t reserved = 99;
    int error = mi_reserve_huge_os_pages(1, 0.5, &reserved);
    CHECK((error == 0) == (reserved == 1));
    CHECK_EQ(mi_reserve_huge_os_pages_at(0, -1, 100), 0);
    CHECK_EQ(mi_reserve_huge_os_pages_interleave(0, 0, 100), 0);
}

TEST(collecting_keeps_live_blocks)
{
    char *p = mi_strdup("alive");
    for (int i = 0; i < 1000; i++)
        mi_free(mi_malloc(5000));
    mi_collect(false);
    mi_collect(true);
    mi_heap_collect(mi_heap_get_default(), true);
    mi_collect_reduce(0);
    CHECK_STR_EQ(p, "alive");
    mi_free(p);
}

// A large block that was freed is kept at hand for the next of its size, but not for another heap's.
TEST(a_large_block_comes_from_the_heap_that_is_the_default_now)
{
    const size_t size = 300000;
    mi_heap_t *heap = mi_heap_new();
    for (int pairs = 1; pairs < 40; pairs++) {
        for (int i = 0; i < pairs; i++)
            mi_free(mi_malloc(size));
        mi_heap_t *old = mi_heap_set_default(heap);
        void *block = mi_malloc(size);
        CHECK(mi_heap_contains_block(heap, block));
        mi_free(block);
        CHECK_EQ(mi_heap_set_default(old), heap);
        block = mi_malloc(size);
        CHECK(mi_heap_contains_block(old, block));
        mi_free(block);
    }
    mi_heap_delete(heap);
    void *block = mi_malloc(size);
    CHECK(mi_heap_contains_block(mi_heap_get_default(), block));
    mi_free(block);
}

TEST_MAIN(RUN(a_heap_owns_its_blocks_and_no_others) RUN(delete_keeps_the_blocks_alive)
              RUN(destroy_frees_thousands_of_blocks_at_once) RUN(the_default_heap_can_be_changed)
                  RUN(a_large_block_comes_from_the_heap_that_is_the_default_now)
                      RUN(visiting_finds_exactly_the_live_blocks)
                          RUN(visiting_areas_alone_calls_no_block) RUN(a_visitor_can_stop_the_walk)
                              RUN(tags_reach_the_visitors)
                                  RUN(a_heap_without_destroy_keeps_its_blocks)
                                      RUN(heap_forms_serve_from_their_heap)
                                          RUN(a_page_with_one_block_of_many_is_under_utilized)
                                              RUN(a_heap_in_an_arena_takes_its_memory_there)
                                                  RUN(memory_of_the_program_becomes_an_arena)
                                                      RUN(bad_arenas_are_refused)
                                                          RUN(huge_pages_are_had_or_refused_cleanly)
                                                              RUN(collecting_keeps_live_blocks))
