// SPDX-License-Identifier: MIT
// Arenas, the records' memory and the segment map, below segments.
#include "check.h"
#include "heap/init.h"
#include "memory/arena.h"
#include "memory/meta.h"
#include "memory/segment_map.h"
#include "mimalloc.h"
#include "support/threads.h"

#include <errno.h>

static int new_arena(size_t parts)
{
    int id = 0;
    mi_process_start();
    CHECK_EQ(mi_arena_reserve(parts * MI_SEGMENT_SIZE, false, false, true, &id), 0);
    CHECK(id > 0);
    return id;
}

TEST(an_exclusive_arena_serves_only_who_names_it)
{
    int id = new_arena(2);
    mi_arena_range_t first = mi_arena_alloc(1, id);
    mi_arena_range_t second = mi_arena_alloc(1, id);
    REQUIRE(first.arena != NULL && second.arena != NULL);
    CHECK(first.arena->id == id && second.arena->id == id);
    CHECK(first.part != second.part);
    CHECK_EQ(mi_arena_alloc(1, id).arena, NULL);
    mi_arena_range_t any = mi_arena_alloc(1, 0);
    REQUIRE(any.arena != NULL);
    CHECK(any.arena->id != id);
    mi_arena_free(any);
    mi_arena_free(first);
    mi_arena_free(second);
    mi_arena_range_t both = mi_arena_alloc(2, id);
    CHECK(both.arena != NULL);
    mi_arena_free(both);
}

TEST(a_range_is_aligned_and_reads_as_zero_until_it_is_used)
{
    int id = new_arena(1);
    mi_arena_range_t range = mi_arena_alloc(1, id);
    REQUIRE(range.arena != NULL);
    char *start = mi_arena_range_start(&range);
    CHECK(mi_is_aligned(start, MI_SEGMENT_SIZE));
    REQUIRE(mi_arena_commit(&range, 3, 2));
    CHECK(mi_arena_take_zero(&range, 3, 2));
    CHECK(!mi_arena_take_zero(&range, 3, 2));
    CHECK(!mi_arena_take_zero(&range, 4, 2));
    CHECK(mi_arena_is_zero(&range, 10, 3));
    CHECK(mi_arena_is_zero(&range, 10, 3));
    mi_arena_mark_dirty(&range, 12, 1);
    CHECK(!mi_arena_is_zero(&range, 10, 3));
    CHECK(mi_arena_is_zero(&range, 10, 2));
    start[3 * MI_SLICE_SIZE] = 1;
    mi_arena_purge(&range, 3, 3);
    CHECK(!mi_arena_is_dirty(&range, 3));
    REQUIRE(mi_arena_commit(&range, 3, 2));
    CHECK_EQ(start[3 * MI_SLICE_SIZE], 0);
    CHECK(mi_arena_take_zero(&range, 3, 2));
    mi_arena_free(range);
}

TEST(a_free_part_is_purged_after_its_delay_and_not_before)
{
    int id = new_arena(1);
    mi_arena_range_t range = mi_arena_alloc(1, id);
    REQUIRE(range.arena != NULL && mi_arena_commit(&range, 0, 1));
    CHECK(mi_arena_take_zero(&range, 0, 1));
    mi_arenas_purge(0, true);
    mi_arena_free(range);
    CHECK(mi_arenas_want_purge(0));
    mi_arenas_purge(1, false); // long before
    CHECK(mi_arena_is_dirty(&range, 0));
    CHECK(mi_arenas_want_purge(0));
    mi_arenas_purge(UINT64_MAX, false);
    CHECK(!mi_arena_is_dirty(&range, 0));
    CHECK(!mi_arenas_want_purge(0));
}

TEST(memory_of_the_user_becomes_an_arena_where_it_is_aligned)
{
    int id = -1;
    mi_os_memory_t memory = mi_os_reserve(3 * MI_SEGMENT_SIZE, MI_SEGMENT_SIZE, true, 0);
    REQUIRE(memory.start != NULL);
    char *odd = (char *)memory.start + MI_SLICE_SIZE;
    REQUIRE(mi_arena_manage(odd, 3 * MI_SEGMENT_SIZE - MI_SLICE_SIZE, true, false, true, -1, true,
                            &id));
    mi_arena_range_t range = mi_arena_alloc(2, id);
    REQUIRE(range.arena != NULL);
    CHECK_EQ(mi_arena_range_start(&range), (char *)memory.start + MI_SEGMENT_SIZE);
    mi_arena_free(range);
    CHECK(!mi_arena_manage(odd, MI_SEGMENT_SIZE, true, false, true, -1, true, &id));
    CHECK_EQ(id, 0);
}

TEST(an_impossible_arena_is_refused)
{
    int id = -1;
    CHECK_EQ(mi_arena_reserve(SIZE_MAX / 2, false, false, true, &id), ENOMEM);
    CHECK_EQ(id, 0);
    CHECK_EQ(mi_arena_of_id(0), NULL);
    CHECK_EQ(mi_arena_of_id(100000), NULL);
}

// ---- records ----

static void *records[4][300];

static void take_records(void *arg)
{
    void **mine = arg;
    for (int i = 0; i < 300; i++) {
        mine[i] = mi_meta_alloc(200);
        if (mine[i] != NULL)
            memset(mine[i], (int)((void **)arg - records[0]) / 300 + 1, 200);
    }
}

TEST(records_are_zero_aligned_and_apart)
{
    thread_t threads[4];
    size_t wrong = 0;
    unsigned char *p = mi_meta_alloc(100000);
    REQUIRE(p != NULL);
    CHECK(mi_is_aligned(p, MI_CACHE_LINE));
    for (size_t i = 0; i < 100000; i++)
        wrong += p[i] != 0;
    for (int i = 0; i < 4; i++)
        thread_start(&threads[i], take_records, records[i]);
    for (int i = 0; i < 4; i++)
        thread_join(&threads[i]);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 300; j++)
            for (int k = 0; k < 200; k++)
                wrong += records[i][j] == NULL || ((unsigned char *)records[i][j])[k] != i + 1;
    CHECK_EQ(wrong, 0);
}

// ---- the map ----

TEST(the_map_knows_every_part_of_a_segment)
{
    char *segment = (char *)(MI_SEGMENT_SIZE * 7);
    mi_segment_map_enter(segment, 3 * MI_SEGMENT_SIZE, 0x1000);
    CHECK_EQ(mi_segment_map_owner(segment + 5), 0x1000);
    CHECK_EQ(mi_segment_map_owner(segment + MI_SEGMENT_SIZE), MI_OWNER_INTERIOR);
    CHECK_EQ(mi_segment_map_start(segment + 3 * MI_SEGMENT_SIZE - 1), segment);
    CHECK_EQ(mi_segment_map_owner(segment - 1), MI_OWNER_NOT_OURS);
    CHECK_EQ(mi_segment_map_owner(segment + 3 * MI_SEGMENT_SIZE), MI_OWNER_NOT_OURS);
    CHECK_EQ(mi_segment_map_owner((void *)UINTPTR_MAX), MI_OWNER_NOT_OURS);
    CHECK_EQ(mi_segment_map_owner(NULL), MI_OWNER_NOT_OURS);
    CHECK(!mi_segment_map_claim(segment, 0x2000));
    mi_segment_map_close(segment);
    CHECK(!mi_segment_map_claim(segment, 0x2000));
    mi_segment_map_abandon(segment);
    CHECK(mi_segment_map_claim(segment, 0x2000));
    CHECK(!mi_segment_map_claim(segment, 0x3000));
    mi_segment_map_kill(segment, 0x1000);
    CHECK_EQ(mi_segment_map_owner_now(segment), 0x2000);
    mi_segment_map_kill(segment, 0x2000);
    CHECK_EQ(mi_segment_map_owner_now(segment), MI_OWNER_KILLED);
    mi_segment_map_remove(segment, 3 * MI_SEGMENT_SIZE);
    CHECK_EQ(mi_segment_map_owner(segment + 2 * MI_SEGMENT_SIZE), MI_OWNER_NOT_OURS);
}

TEST_MAIN(RUN(an_exclusive_arena_serves_only_who_names_it)
              RUN(a_range_is_aligned_and_reads_as_zero_until_it_is_used)
                  RUN(a_free_part_is_purged_after_its_delay_and_not_before)
                      RUN(memory_of_the_user_becomes_an_arena_where_it_is_aligned)
                          RUN(an_impossible_arena_is_refused)
                              RUN(records_are_zero_aligned_and_apart)
                                  RUN(the_map_knows_every_part_of_a_segment))
