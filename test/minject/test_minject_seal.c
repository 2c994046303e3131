// SPDX-License-Identifier: MIT
// The seal: both sums come out whatever pieces the original is taken in, and verification finds what a
// wrong rewrite would do.
#include "check.h"

#include <stdlib.h>

#include "inject.h"
#include "support/make_pe.h"

static uint8_t file[MAKE_PE_CAPACITY];
static uint8_t result[2 * MAKE_PE_CAPACITY];
static mj_plan_t plan;
static mj_options_t options; // the plan points into it

// A file with every kind of saved range: headers, flags in the load configuration, a zip's length.
static uint32_t planned(void)
{
    pe_view_t view;
    mj_facts_t facts;
    make_pe_t spec = make_pe_default();
    options = options_of("--force", NULL);
    spec.checksum = 1;
    spec.load_flags = 0x800;
    spec.overlay = "PK\005\006\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    spec.overlay_size = 22;
    uint32_t size = make_pe(&spec, file);
    REQUIRE(pe_view_init(&view, file, size, PE_LAYOUT_FILE) == PE_OK);
    REQUIRE(mj_facts_gather(&view, &facts) == PE_OK);
    REQUIRE(mj_plan_make(&view, &facts, &options, &plan) == MJ_OK);
    CHECK_EQ(plan.saved_count, 3);
    memset(result, 0xa5, sizeof result);
    memcpy(result, file, size);
    mj_rewrite(result, &plan);
    return size;
}

static mj_status_t sealed(uint32_t size, uint32_t step, const char **what)
{
    mj_seal_t seal;
    mj_seal_begin(&seal, result, &plan);
    for (uint32_t off = 0; off < size; off += step)
        mj_seal_take(&seal, file + off, size - off < step ? size - off : step);
    mj_seal_end(&seal, result);
    return mj_verify(result, &plan, &seal, what);
}

static uint64_t hash_in_record(void)
{
    uint64_t hash;
    memcpy(&hash, result + plan.blob_off + offsetof(mj_record_t, original_hash), sizeof hash);
    return hash;
}

TEST(the_sums_are_the_same_in_pieces_of_any_size)
{
    const char *what = NULL;
    uint32_t size = planned();
    for (uint32_t step = 1; step < 600; step++) {
        uint32_t checksum;
        REQUIRE(sealed(size, step, &what) == MJ_OK);
        memcpy(&checksum, result + plan.checksum_off, sizeof checksum);
        CHECK_EQ(checksum, mj_pe_checksum(result, plan.new_size, plan.checksum_off));
        CHECK_EQ(hash_in_record(), mj_hash(file, size));
    }
    mj_plan_free(&plan);
}

TEST(a_saved_byte_that_is_not_the_originals_is_found)
{
    const char *what = NULL;
    uint32_t size = planned();
    uint32_t first = plan.blob_off + plan.saved_off + plan.saved_count * 8;
    for (uint32_t at = first; at < plan.blob_off + plan.blob_size; at++) {
        result[at] ^= 1;
        CHECK_EQ(sealed(size, 0x1000, &what), MJ_VERIFY_FAILED);
        result[at] ^= 1;
    }
    CHECK_STR_EQ(what, "the original could not be restored");
    mj_plan_free(&plan);
}

TEST(a_pass_that_ends_early_is_found)
{
    const char *what = NULL;
    uint32_t size = planned();
    CHECK_EQ(sealed(size - 1, 0x1000, &what), MJ_VERIFY_FAILED);
    mj_plan_free(&plan);
}

TEST(a_change_outside_of_the_saved_ranges_is_found)
{
    const char *what = NULL;
    uint32_t size = planned();
    plan.zip_comment_off++; // its second byte is the file's end, and not saved
    CHECK_EQ(sealed(size, 0x1000, &what), MJ_VERIFY_FAILED);
    CHECK_STR_EQ(what, "a change outside of the saved ranges");
    mj_plan_free(&plan);
}

TEST(an_import_that_is_not_as_planned_is_found)
{
    const char *what = NULL;
    uint32_t size = planned();
    result[plan.blob_off + sizeof(mj_record_t)] ^= 1;
    CHECK_EQ(sealed(size, 0x1000, &what), MJ_VERIFY_FAILED);
    mj_plan_free(&plan);
}

// clang-format off
TEST_MAIN(
    RUN(the_sums_are_the_same_in_pieces_of_any_size)
    RUN(a_saved_byte_that_is_not_the_originals_is_found)
    RUN(a_pass_that_ends_early_is_found)
    RUN(a_change_outside_of_the_saved_ranges_is_found)
    RUN(an_import_that_is_not_as_planned_is_found))
