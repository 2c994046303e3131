// SPDX-License-Identifier: MIT
// Claiming and releasing runs of bits, within and across words, by one thread and by several.
#include "check.h"
#include "memory/bitmap.h"
#include "support/rng.h"
#include "support/threads.h"

#define BITS    200
#define THREADS 4
#define ROUNDS  5000

static mi_bitmap_word_t map[4];

static void clear(void)
{
    for (int i = 0; i < 4; i++)
        mi_store_relaxed(&map[i], 0);
}

static size_t set_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < 256; i++)
        count += mi_bitmap_is_set(map, i);
    return count;
}

TEST(a_claim_takes_the_lowest_run)
{
    size_t index = 99;
    clear();
    REQUIRE(mi_bitmap_claim(map, BITS, 0, 3, &index));
    CHECK_EQ(index, 0);
    REQUIRE(mi_bitmap_claim(map, BITS, 0, 1, &index));
    CHECK_EQ(index, 3);
    mi_bitmap_release(map, 1, 1);
    REQUIRE(mi_bitmap_claim(map, BITS, 0, 2, &index));
    CHECK_EQ(index, 4);
    REQUIRE(mi_bitmap_claim(map, BITS, 0, 1, &index));
    CHECK_EQ(index, 1);
    CHECK_EQ(set_count(), 6);
}

TEST(a_run_may_cross_words)
{
    for (size_t count = 1; count <= BITS; count++) {
        for (size_t start = 0; start + count <= BITS; start += 13) {
            clear();
            REQUIRE(mi_bitmap_claim_at(map, start, count));
            CHECK_EQ(set_count(), count);
            CHECK(mi_bitmap_is_set(map, start) && mi_bitmap_is_set(map, start + count - 1));
            mi_bitmap_release(map, start, count);
            CHECK_EQ(set_count(), 0);
        }
    }
}

TEST(a_claim_never_leaves_its_bits)
{
    size_t index;
    clear();
    CHECK(!mi_bitmap_claim(map, BITS, 0, BITS + 1, &index));
    REQUIRE(mi_bitmap_claim(map, BITS, 0, BITS, &index));
    CHECK(!mi_bitmap_claim(map, BITS, 0, 1, &index));
    mi_bitmap_release(map, BITS - 1, 1);
    CHECK(!mi_bitmap_claim(map, BITS, 0, 2, &index));
    CHECK_EQ(set_count(), BITS - 1);
}

TEST(a_refused_claim_changes_nothing)
{
    clear();
    REQUIRE(mi_bitmap_claim_at(map, 130, 1));
    CHECK(!mi_bitmap_claim_at(map, 10, 150));
    CHECK_EQ(set_count(), 1);
}

TEST(one_bit_is_taken_once)
{
    clear();
    mi_bitmap_set_one(map, 70);
    CHECK(mi_bitmap_take_one(map, 70));
    CHECK(!mi_bitmap_take_one(map, 70));
    CHECK_EQ(set_count(), 0);
}

static unsigned char owner[BITS]; // written only by the holder of the bit

static _Atomic(int) wrong;

static void claim_quietly(void *arg)
{
    rng_t rng = rng_from_seed((uint64_t)(uintptr_t)arg);
    for (int i = 0; i < ROUNDS; i++) {
        size_t index;
        size_t count = 1 + rng_below(&rng, 70);
        if (!mi_bitmap_claim(map, BITS, rng_below(&rng, BITS), count, &index))
            continue;
        for (size_t j = 0; j < count; j++)
            owner[index + j] = (unsigned char)(uintptr_t)arg;
        for (size_t j = 0; j < count; j++)
            if (owner[index + j] != (unsigned char)(uintptr_t)arg)
                mi_add_relaxed(&wrong, 1);
        mi_bitmap_release(map, index, count);
    }
}

TEST(threads_never_hold_the_same_bit)
{
    thread_t threads[THREADS];
    clear();
    for (uintptr_t i = 0; i < THREADS; i++)
        thread_start(&threads[i], claim_quietly, (void *)(i + 1));
    for (int i = 0; i < THREADS; i++)
        thread_join(&threads[i]);
    CHECK_EQ(mi_load_relaxed(&wrong), 0);
    CHECK_EQ(set_count(), 0);
}

TEST_MAIN(RUN(a_claim_takes_the_lowest_run) RUN(a_run_may_cross_words)
              RUN(a_claim_never_leaves_its_bits) RUN(a_refused_claim_changes_nothing)
                  RUN(one_bit_is_taken_once) RUN(threads_never_hold_the_same_bit))
