// SPDX-License-Identifier: MIT
// Masks of slices against the same done bit by bit.
#include "check.h"
#include "memory/slice_mask.h"
#include "support/rng.h"

#define SLICES MI_SLICES_PER_SEGMENT

static mi_slice_mask_t mask;
static bool model[SLICES];

static bool is_set(size_t slice)
{
    return (mask[slice / 64] >> (slice % 64) & 1) != 0;
}

static void check_same(void)
{
    size_t wrong = 0;
    bool any = false;
    for (size_t i = 0; i < SLICES; i++) {
        wrong += is_set(i) != model[i];
        any = any || model[i];
    }
    CHECK_EQ(wrong, 0);
    CHECK_EQ(mi_slice_mask_is_empty(mask), !any);
}

static size_t model_run(size_t from, size_t *count)
{
    while (from < SLICES && !model[from])
        from++;
    *count = 0;
    while (from + *count < SLICES && model[from + *count])
        ++*count;
    return from;
}

static size_t model_next(bool value, size_t from, size_t to)
{
    while (from < to && model[from] != value)
        from++;
    return from;
}

static size_t model_find(size_t count)
{
    size_t run;
    for (size_t from = 0; from < SLICES; from++) {
        size_t start = model_run(from, &run);
        if (start == from && run >= count)
            return from;
    }
    return SLICES;
}

TEST(random_changes_agree_with_the_model)
{
    rng_t rng = rng_from_seed(3);
    for (int i = 0; i < 400; i++) {
        size_t slice = rng_below(&rng, SLICES);
        size_t count = 1 + rng_size(&rng, SLICES - slice - 1);
        bool value = rng_below(&rng, 2) == 0;
        if (value)
            mi_slice_mask_set(mask, slice, count);
        else
            mi_slice_mask_clear(mask, slice, count);
        for (size_t j = slice; j < slice + count; j++)
            model[j] = value;
        check_same();
        size_t run;
        size_t model_count;
        size_t from = rng_below(&rng, SLICES);
        CHECK_EQ(mi_slice_mask_next_run(mask, from, &run), model_run(from, &model_count));
        CHECK_EQ(run, model_count);
        size_t to = from + rng_below(&rng, SLICES - from + 1);
        CHECK_EQ(mi_slice_mask_next(mask, value, from, to), model_next(value, from, to));
        CHECK_EQ(mi_slice_mask_any(mask, from, to - from), model_next(true, from, to) < to);
        CHECK_EQ(mi_slice_mask_all(mask, from, to - from), model_next(false, from, to) == to);
        size_t wanted = 1 + rng_size(&rng, 100);
        CHECK_EQ(mi_slice_mask_find(mask, wanted), model_find(wanted));
    }
}

TEST(all_slices_are_one_run)
{
    size_t run;
    mi_slice_mask_set(mask, 0, SLICES);
    CHECK_EQ(mi_slice_mask_next_run(mask, 0, &run), 0);
    CHECK_EQ(run, SLICES);
    CHECK_EQ(mi_slice_mask_find(mask, SLICES), 0);
    mi_slice_mask_clear(mask, 0, SLICES);
    CHECK(mi_slice_mask_is_empty(mask));
    CHECK_EQ(mi_slice_mask_find(mask, 1), SLICES);
}

TEST_MAIN(RUN(random_changes_agree_with_the_model) RUN(all_slices_are_one_run))
