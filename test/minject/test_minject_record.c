// SPDX-License-Identifier: MIT
// The record and what --remove makes of it: the original, or a refusal; never anything else.
#include "check.h"

#include <stdlib.h>

#include "inject.h"
#include "support/make_pe.h"

static uint8_t file[MAKE_PE_CAPACITY];
static uint32_t file_size;

static injected_t injected_default(void)
{
    make_pe_t spec = make_pe_default();
    mj_options_t options = options_of(NULL);
    file_size = make_pe(&spec, file);
    injected_t injected = inject_bytes(file, file_size, &options);
    REQUIRE(injected.status == MJ_OK);
    return injected;
}

static mj_status_t restore(injected_t *injected)
{
    pe_view_t view;
    uint32_t size;
    if (pe_view_init(&view, injected->bytes, injected->size, PE_LAYOUT_FILE) != PE_OK)
        return MJ_BAD_IMAGE;
    return mj_record_restore(&view, injected->bytes, &size);
}

TEST(a_plain_file_has_no_record)
{
    injected_t injected = injected_default();
    free(injected.bytes);
    injected.bytes = file;
    injected.size = file_size;
    CHECK_EQ(restore(&injected), MJ_NOT_INJECTED);
}

TEST(a_change_of_the_program_is_noticed)
{
    injected_t injected = injected_default();
    injected.bytes[file_size - 1] ^= 1;
    CHECK_EQ(restore(&injected), MJ_CHANGED_SINCE);
    injected_free(&injected);
}

TEST(a_change_of_the_headers_does_not_matter)
{
    // As signing does: it sets the checksum and the certificate directory, which are saved.
    injected_t injected = injected_default();
    injected.bytes[0xc0 + 24 + PE_OFF_CHECKSUM] ^= 0x55;
    CHECK_EQ(restore(&injected), MJ_OK);
    CHECK_EQ(memcmp(injected.bytes, file, file_size), 0);
    injected_free(&injected);
}

TEST(a_change_of_the_saved_bytes_is_noticed)
{
    injected_t injected = injected_default();
    uint32_t at = injected.plan.blob_off + injected.plan.saved_off + sizeof(mj_range_t);
    injected.bytes[at + 100] ^= 1;
    CHECK_EQ(restore(&injected), MJ_CHANGED_SINCE);
    injected_free(&injected);
}

// Every field of the record in turn gets wild values; nothing may be read or written out of bounds
// (the sanitizers watch), and nothing but the original may come out.
TEST(wild_records_are_refused)
{
    injected_t injected = injected_default();
    uint8_t *good = malloc(injected.size);
    unsigned wrong = 0;
    REQUIRE(good != NULL);
    memcpy(good, injected.bytes, injected.size);
    static const uint32_t values[] = {0, 1, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff};
    for (uint32_t off = 16; off < sizeof(mj_record_t); off += 4) {
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            memcpy(injected.bytes, good, injected.size);
            memcpy(injected.bytes + injected.plan.blob_off + off, &values[i], 4);
            mj_status_t status = restore(&injected);
            if (status == MJ_OK && memcmp(injected.bytes, file, file_size) != 0)
                wrong++;
            if (status != MJ_OK && status != MJ_BAD_RECORD && status != MJ_CHANGED_SINCE)
                wrong++;
        }
    }
    CHECK_EQ(wrong, 0);
    free(good);
    injected_free(&injected);
}

TEST(a_wild_range_is_refused)
{
    injected_t injected = injected_default();
    uint32_t at = injected.plan.blob_off + injected.plan.saved_off;
    mj_range_t range = {0xfffffff0, 0x20};
    memcpy(injected.bytes + at, &range, sizeof range);
    CHECK_EQ(restore(&injected), MJ_BAD_RECORD);
    injected_free(&injected);
}

TEST(the_hash_is_the_same_in_pieces)
{
    mj_hash_t hash;
    for (uint32_t i = 0; i < 1000; i++)
        file[i] = (uint8_t)(i * 7);
    uint64_t whole = mj_hash(file, 1000);
    for (uint32_t cut = 0; cut <= 100; cut++) {
        mj_hash_begin(&hash);
        mj_hash_add(&hash, file, cut);
        mj_hash_add(&hash, file + cut, 3);
        mj_hash_add(&hash, file + cut + 3, 1000 - cut - 3);
        CHECK_EQ(mj_hash_end(&hash), whole);
    }
    CHECK(mj_hash(file, 999) != whole);
    CHECK(mj_hash(file, 0) != mj_hash(file, 1));
}

// The sum that Microsoft's linker puts into a file, by its definition: 16-bit words, carries folded.
static uint32_t slow_checksum(const uint8_t *bytes, uint32_t size, uint32_t off)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < size; i++) {
        if (i >= off && i < off + 4)
            continue;
        sum += (uint32_t)bytes[i] << (8 * (i & 1));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (sum & 0xffff) + (sum >> 16) + size;
}

TEST(the_checksum_follows_its_definition)
{
    for (uint32_t i = 0; i < 5000; i++)
        file[i] = (uint8_t)(i * i >> 3 | i);
    for (uint32_t size = 200; size < 260; size++) {
        CHECK_EQ(mj_pe_checksum(file, size, 88), slow_checksum(file, size, 88));
        CHECK_EQ(mj_pe_checksum(file, size, 91), slow_checksum(file, size, 91));
    }
    memset(file, 0xff, 5000);
    CHECK_EQ(mj_pe_checksum(file, 4999, 128), slow_checksum(file, 4999, 128));
}

// clang-format off
TEST_MAIN(
    RUN(a_plain_file_has_no_record)
    RUN(a_change_of_the_program_is_noticed)
    RUN(a_change_of_the_headers_does_not_matter)
    RUN(a_change_of_the_saved_bytes_is_noticed)
    RUN(wild_records_are_refused)
    RUN(a_wild_range_is_refused)
    RUN(the_hash_is_the_same_in_pieces)
    RUN(the_checksum_follows_its_definition))
