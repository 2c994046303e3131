// SPDX-License-Identifier: MIT
// Claiming, committing and purging parts of arenas. Making arenas is in arena_reserve.c.
// A part is claimed by its bit in in_use; the purge claims a part just as an allocation does, so
// the two never meet.
#include "memory/arena.h"

#include "memory/arena_table.h"
#include "support/options.h"
#include "support/stats.h"

// any: earliest purge_at of all arenas, 0 when nothing waits. A hint; arenas are asked one by one.
static _Atomic(uint64_t) next_purge_at;

static bool may_serve(const mi_arena_t *arena, int arena_id)
{
    if (arena_id != 0)
        return arena->id == arena_id;
    return !arena->is_exclusive;
}

// What an arena knows of a part is written when the part is first needed: most parts never are.
static void get_to_know(const mi_arena_t *arena, size_t part)
{
    mi_arena_part_t *state = &arena->parts[part];
    if (state->is_known)
        return;
    state->is_known = true;
    for (size_t i = 0; i < MI_SLICE_WORDS; i++) {
        state->committed[i] = arena->memory.is_committed ? ~UINT64_C(0) : 0;
        state->dirty[i] = arena->memory.is_zero ? 0 : ~UINT64_C(0);
    }
}

static bool claim_in(mi_arena_t *arena, size_t part_count, mi_arena_range_t *range)
{
    size_t part;
    if (!mi_bitmap_claim(arena->in_use, arena->part_count, 0, part_count, &part))
        return false;
    for (size_t i = 0; i < part_count; i++) {
        get_to_know(arena, part + i);
        (void)mi_bitmap_take_one(arena->purge, part + i);
    }
    *range = (mi_arena_range_t){arena, part, part_count};
    return true;
}

static bool claim_in_any(size_t part_count, int arena_id, mi_arena_range_t *range)
{
    size_t count = mi_arena_count();
    for (size_t i = 0; i < count; i++) {
        mi_arena_t *arena = mi_arena_at(i);
        if (arena != NULL && may_serve(arena, arena_id) && claim_in(arena, part_count, range))
            return true;
    }
    return false;
}

mi_arena_range_t mi_arena_alloc(size_t part_count, int arena_id)
{
    mi_arena_range_t range = {NULL, 0, 0};
    if (claim_in_any(part_count, arena_id, &range))
        return range;
    if (arena_id != 0 || mi_option_value(mi_option_disallow_os_alloc) != 0)
        return range;
    if (mi_arena_grow(part_count))
        (void)claim_in_any(part_count, arena_id, &range);
    return range;
}

void *mi_arena_range_start(const mi_arena_range_t *range)
{
    return (void *)(range->arena->start + range->part * MI_SEGMENT_SIZE);
}

static void schedule_purge(mi_arena_t *arena)
{
    int64_t delay = (int64_t)mi_option_value(mi_option_purge_delay) *
                    (int64_t)mi_option_value(mi_option_arena_purge_mult);
    if (delay < 0)
        return;
    uint64_t at = mi_os_clock_ms() + (uint64_t)delay + 1;
    uint64_t none = 0;
    (void)mi_cas_strong_acq_rel(&arena->purge_at, &none, at);
    none = 0;
    (void)mi_cas_strong_acq_rel(&next_purge_at, &none, at);
}

void mi_arena_free(mi_arena_range_t range)
{
    mi_arena_t *arena = range.arena;
    if (!arena->is_pinned) {
        for (size_t i = 0; i < range.part_count; i++)
            mi_bitmap_set_one(arena->purge, range.part + i);
    }
    mi_bitmap_release(arena->in_use, range.part, range.part_count);
    if (!arena->is_pinned)
        schedule_purge(arena);
}

// ---- slices of a range ----

// Calls act for each part that the slices touch, with the slices as an interval of that part.
typedef bool part_action_t(const mi_arena_range_t *range, size_t part, size_t from, size_t to);

static bool for_parts(const mi_arena_range_t *range, size_t slice, size_t count, part_action_t *act)
{
    bool result = true;
    size_t end = slice + count;
    while (slice < end) {
        size_t part = slice / MI_SLICES_PER_SEGMENT;
        size_t from = slice % MI_SLICES_PER_SEGMENT;
        size_t to = mi_min(from + (end - slice), MI_SLICES_PER_SEGMENT);
        if (!act(range, range->part + part, from, to))
            result = false;
        slice += to - from;
    }
    return result;
}

static void *slice_address(const mi_arena_range_t *range, size_t part, size_t slice)
{
    return (void *)(range->arena->start + part * MI_SEGMENT_SIZE + slice * MI_SLICE_SIZE);
}

static bool commit_in_part(const mi_arena_range_t *range, size_t part, size_t from, size_t to)
{
    uint64_t *committed = range->arena->parts[part].committed;
    while (!mi_slice_mask_all(committed, from, to - from)) {
        size_t start = mi_slice_mask_next(committed, false, from, to);
        size_t end = mi_slice_mask_next(committed, true, start, to);
        size_t size = (end - start) * MI_SLICE_SIZE;
        if (!mi_os_commit(slice_address(range, part, start), size))
            return false;
        mi_stat_process_increase(MI_STAT_committed, size);
        mi_slice_mask_set(committed, start, end - start);
        from = end;
    }
    return true;
}

// A system call for so many slices at least: what is committed ahead costs no memory yet.
#define COMMIT_SLICES (MI_RESERVE_GRANULARITY / MI_SLICE_SIZE)

bool mi_arena_commit(const mi_arena_range_t *range, size_t slice, size_t count)
{
    size_t first = slice & ~(COMMIT_SLICES - 1);
    size_t end = mi_align_up(slice + count, COMMIT_SLICES);
    return for_parts(range, first, end - first, commit_in_part);
}

static bool is_zero_in_part(const mi_arena_range_t *range, size_t part, size_t from, size_t to)
{
    return !mi_slice_mask_any(range->arena->parts[part].dirty, from, to - from);
}

static bool mark_dirty_in_part(const mi_arena_range_t *range, size_t part, size_t from, size_t to)
{
    mi_slice_mask_set(range->arena->parts[part].dirty, from, to - from);
    return true;
}

bool mi_arena_is_zero(const mi_arena_range_t *range, size_t slice, size_t count)
{
    return for_parts(range, slice, count, is_zero_in_part);
}

void mi_arena_mark_dirty(const mi_arena_range_t *range, size_t slice, size_t count)
{
    (void)for_parts(range, slice, count, mark_dirty_in_part);
}

bool mi_arena_take_zero(const mi_arena_range_t *range, size_t slice, size_t count)
{
    bool is_zero = mi_arena_is_zero(range, slice, count);
    mi_arena_mark_dirty(range, slice, count);
    return is_zero;
}

const uint64_t *mi_arena_dirty_mask(const mi_arena_range_t *range)
{
    return range->arena->parts[range->part].dirty;
}

bool mi_arena_is_dirty(const mi_arena_range_t *range, size_t slice)
{
    size_t part = range->part + slice / MI_SLICES_PER_SEGMENT;
    return mi_slice_mask_any(range->arena->parts[part].dirty, slice % MI_SLICES_PER_SEGMENT, 1);
}

static void decommit_run(const mi_arena_range_t *range, size_t part, size_t from, size_t to)
{
    mi_arena_part_t *state = &range->arena->parts[part];
    size_t size = (to - from) * MI_SLICE_SIZE;
    if (!mi_os_decommit(slice_address(range, part, from), size))
        return;
    mi_stat_process_increase(MI_STAT_purged, size);
    mi_slice_mask_clear(state->dirty, from, to - from);
    if (!mi_os_config.decommit_keeps_access) {
        mi_slice_mask_clear(state->committed, from, to - from);
        mi_stat_process_decrease(MI_STAT_committed, size);
    }
}

static bool purge_in_part(const mi_arena_range_t *range, size_t part, size_t from, size_t to)
{
    mi_arena_part_t *state = &range->arena->parts[part];
    bool decommits = mi_option_value(mi_option_purge_decommits) != 0;
    // What was committed but never handed out counts as well: it is charged to the process.
    uint64_t *touched = mi_os_config.decommit_keeps_access ? state->dirty : state->committed;
    size_t start = mi_slice_mask_next(touched, true, from, to);
    for (size_t end; start < to; start = mi_slice_mask_next(touched, true, end, to)) {
        end = mi_slice_mask_next(touched, false, start, to);
        if (decommits)
            decommit_run(range, part, start, end);
        else
            (void)mi_os_reset(slice_address(range, part, start), (end - start) * MI_SLICE_SIZE);
    }
    return true;
}

void mi_arena_purge(const mi_arena_range_t *range, size_t slice, size_t count)
{
    if (!range->arena->is_pinned)
        (void)for_parts(range, slice, count, purge_in_part);
}

// ---- delayed purge of free parts ----

bool mi_arenas_want_purge(uint64_t now)
{
    uint64_t at = mi_load_relaxed(&next_purge_at);
    return at != 0 && (now == 0 || now >= at);
}

static void purge_arena(mi_arena_t *arena)
{
    for (size_t part = 0; part < arena->part_count; part++) {
        if (!mi_bitmap_is_set(arena->purge, part) || !mi_bitmap_claim_at(arena->in_use, part, 1))
            continue;
        if (mi_bitmap_take_one(arena->purge, part)) {
            mi_arena_range_t range = {arena, part, 1};
            mi_arena_purge(&range, 0, MI_SLICES_PER_SEGMENT);
        }
        mi_bitmap_release(arena->in_use, part, 1);
    }
}

void mi_arenas_purge(uint64_t now, bool force)
{
    uint64_t earliest = 0;
    // Zero first: a part that is freed from now on sets it anew.
    mi_store_relaxed(&next_purge_at, 0);
    for (size_t i = 0; i < mi_arena_count(); i++) {
        mi_arena_t *arena = mi_arena_at(i);
        uint64_t at = arena == NULL ? 0 : mi_load_relaxed(&arena->purge_at);
        if (at == 0)
            continue;
        if (force || now >= at) {
            mi_store_relaxed(&arena->purge_at, 0);
            purge_arena(arena);
        } else if (earliest == 0 || at < earliest) {
            earliest = at;
        }
    }
    uint64_t none = 0;
    if (earliest != 0)
        (void)mi_cas_strong_acq_rel(&next_purge_at, &none, earliest);
}
