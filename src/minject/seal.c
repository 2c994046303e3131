// SPDX-License-Identifier: MIT
// The seal: the hash of the original for the record, and the checksum of the result, from one pass over
// the original. output.c writes each piece to the new file in the same pass, while it is in the cache.
// The pass also holds the saved bytes against the original's; outside of the saved ranges the new file
// has the original's bytes because it is made from them.
#include "minject/minject.h"

#include <string.h>

#define BLOCK_SIZE 0x2000U // both sums go over a block while the nearest cache holds it

void mj_seal_begin(mj_seal_t *seal, const uint8_t *bytes, const mj_plan_t *plan)
{
    *seal = (mj_seal_t){.plan = plan, .bytes = bytes, .is_saved_right = true};
    seal->saved_off =
        plan->blob_off + plan->saved_off + plan->saved_count * (uint32_t)sizeof plan->saved[0];
    mj_hash_begin(&seal->hash);
}

static void take_kept(mj_seal_t *seal, const uint8_t *original, uint32_t size)
{
    while (size != 0) {
        uint32_t step = size < BLOCK_SIZE ? size : BLOCK_SIZE;
        mj_hash_add(&seal->hash, original, step);
        if (seal->plan->checksum_off != 0)
            seal->sum += mj_sum(original, step, seal->at);
        seal->at += step;
        original += step;
        size -= step;
    }
}

static void take_saved(mj_seal_t *seal, const uint8_t *original, uint32_t size)
{
    mj_hash_add(&seal->hash, original, size);
    seal->is_saved_right &= memcmp(seal->bytes + seal->saved_off, original, size) == 0;
    seal->saved_off += size;
    seal->at += size;
}

static uint32_t smaller(size_t a, uint32_t b)
{
    return a < b ? (uint32_t)a : b;
}

void mj_seal_take(mj_seal_t *seal, const uint8_t *original, size_t size)
{
    const mj_plan_t *plan = seal->plan;
    while (size != 0) {
        mj_range_t range = {plan->old_size, 0};
        uint32_t step;
        if (seal->range < plan->saved_count)
            range = plan->saved[seal->range];
        if (seal->at < range.off) {
            step = smaller(size, range.off - seal->at);
            take_kept(seal, original, step);
        } else {
            step = smaller(size, range.off + range.size - seal->at);
            take_saved(seal, original, step);
            if (seal->at == range.off + range.size)
                seal->range++;
        }
        original += step;
        size -= step;
    }
}

static uint64_t sum_of_changes(const uint8_t *bytes, const mj_plan_t *plan)
{
    uint64_t sum = mj_sum(bytes + plan->old_size, plan->new_size - plan->old_size, plan->old_size);
    for (uint32_t i = 0; i < plan->saved_count; i++)
        sum += mj_sum(bytes + plan->saved[i].off, plan->saved[i].size, plan->saved[i].off);
    return sum;
}

void mj_seal_end(mj_seal_t *seal, uint8_t *bytes)
{
    const mj_plan_t *plan = seal->plan;
    uint64_t hash = mj_hash_end(&seal->hash);
    memcpy(bytes + plan->blob_off + offsetof(mj_record_t, original_hash), &hash, sizeof hash);
    if (plan->checksum_off == 0)
        return;
    // The field itself counts as zero.
    memset(bytes + plan->checksum_off, 0, 4);
    uint32_t checksum = mj_sum_end(seal->sum + sum_of_changes(bytes, plan), plan->new_size);
    memcpy(bytes + plan->checksum_off, &checksum, sizeof checksum);
}
