// SPDX-License-Identifier: MIT
// Making arenas: on demand, reserved by hand, of huge pages, or of memory that the user brings.
// An arena's record is never given back, so that a reader may hold it for as long as it likes.
#include <errno.h>

#include "memory/arena.h"

#include "memory/arena_table.h"
#include "memory/meta.h"
#include "support/message.h"
#include "support/options.h"
#include "support/stats.h"

static _Atomic(mi_arena_t *) arenas[MI_ARENAS_MAX];
static _Atomic(size_t) arena_count; // any: entries taken; the last ones may still be NULL

size_t mi_arena_count(void)
{
    return mi_min(mi_load_acquire(&arena_count), MI_ARENAS_MAX);
}

mi_arena_t *mi_arena_at(size_t index)
{
    // acquire: pairs with the release in publish.
    return mi_load_acquire(&arenas[index]);
}

mi_arena_t *mi_arena_of_id(int id)
{
    return id > 0 && (size_t)id <= mi_arena_count() ? mi_arena_at((size_t)id - 1) : NULL;
}

static mi_arena_t *make_record(size_t part_count)
{
    size_t words = mi_div_up(part_count, 64);
    size_t maps = words * 4 * sizeof(mi_bitmap_word_t);
    size_t head = mi_align_up(sizeof(mi_arena_t), MI_CACHE_LINE);
    size_t maps_size = mi_align_up(maps, MI_CACHE_LINE);
    mi_arena_t *arena = mi_meta_alloc(head + maps_size + part_count * sizeof(mi_arena_part_t));
    if (arena == NULL)
        return NULL;
    arena->in_use = mi_offset(arena, head);
    arena->abandoned = arena->in_use + words;
    arena->offered = arena->abandoned + words;
    arena->purge = arena->offered + words;
    arena->parts = mi_offset(arena, head + maps_size);
    arena->part_count = part_count;
    return arena;
}

// Gives the arena its number and shows it to all threads. False when the table is full.
static bool publish(mi_arena_t *arena)
{
    size_t index = mi_load_relaxed(&arena_count);
    do {
        if (index >= MI_ARENAS_MAX)
            return false;
    } while (!mi_cas_weak_acq_rel(&arena_count, &index, index + 1));
    arena->id = (int)index + 1;
    // release: pairs with the acquire in mi_arena_at; publishes the record.
    mi_store_release(&arenas[index], arena);
    return true;
}

static mi_arena_t *make_arena(const mi_os_memory_t *memory, int numa_node, bool exclusive)
{
    if (memory->size < MI_SEGMENT_SIZE ||
        ((uintptr_t)memory->start + memory->size - 1) >> MI_SEGMENT_SHIFT >= MI_SEGMENT_MAP_ENTRIES)
        return NULL;
    mi_arena_t *arena = make_record(memory->size / MI_SEGMENT_SIZE);
    if (arena == NULL)
        return NULL;
    arena->memory = *memory;
    arena->start = (uintptr_t)memory->start;
    arena->numa_node = numa_node;
    arena->is_exclusive = exclusive;
    arena->is_pinned = memory->is_large;
    return arena;
}

static mi_arena_t *make_from_os(size_t size, bool commit, bool allow_large, bool exclusive)
{
    size = mi_align_up(size, MI_SEGMENT_SIZE);
    mi_os_memory_t memory =
        mi_os_reserve(size, MI_SEGMENT_SIZE, commit,
                      allow_large ? MI_OS_PAGES_LARGE_ALLOWED : MI_OS_PAGES_NORMAL);
    if (memory.start == NULL)
        return NULL;
    mi_arena_t *arena = make_arena(&memory, -1, exclusive);
    if (arena == NULL) {
        mi_os_release(&memory);
        return NULL;
    }
    mi_stat_process_increase(MI_STAT_reserved, memory.size);
    if (memory.is_committed && !mi_os_config.has_overcommit)
        mi_stat_process_increase(MI_STAT_committed, memory.size);
    return arena;
}

static int finish(mi_arena_t *arena, int *arena_id)
{
    if (arena == NULL)
        return ENOMEM;
    if (!publish(arena)) {
        if (arena->memory.base != NULL)
            mi_os_release(&arena->memory);
        return ENOMEM;
    }
    if (arena_id != NULL)
        *arena_id = arena->id;
    return 0;
}

// Doubled every eight arenas: the table lasts for any amount of memory.
static size_t next_arena_size(void)
{
    size_t size = ((size_t)mi_option_value(mi_option_arena_reserve) * MI_KIB);
    size_t doublings = mi_min(mi_arena_count() / 8, 12);
    return mi_align_up(mi_max(size, MI_SEGMENT_SIZE), MI_SEGMENT_SIZE) << doublings;
}

bool mi_arena_grow(size_t part_count)
{
    size_t needed = part_count * MI_SEGMENT_SIZE;
    long eager = mi_option_value(mi_option_arena_eager_commit);
    bool commit = eager == 1 || (eager == 2 && mi_os_config.has_overcommit);
    bool allow_large = mi_option_value(mi_option_allow_large_os_pages) != 0;
    // A smaller reserve when addresses are short: half, and half again.
    for (size_t size = mi_max(next_arena_size(), needed);; size = mi_max(size / 2, needed)) {
        mi_arena_t *arena = make_from_os(size, commit, allow_large, false);
        if (arena != NULL) {
            arena->is_dedicated = size == needed;
            return finish(arena, NULL) == 0;
        }
        if (size == needed)
            return false;
    }
}

int mi_arena_reserve(size_t size, bool commit, bool allow_large, bool exclusive, int *arena_id)
{
    if (arena_id != NULL)
        *arena_id = 0;
    if (size > MI_ALLOC_MAX)
        return ENOMEM;
    return finish(make_from_os(size, commit, allow_large, exclusive), arena_id);
}

int mi_arena_reserve_huge(size_t page_count, int numa_node, size_t timeout_ms, bool exclusive,
                          size_t *reserved, int *arena_id)
{
    size_t got = 0;
    if (arena_id != NULL)
        *arena_id = 0;
    if (reserved != NULL)
        *reserved = 0;
    if (page_count == 0)
        return 0;
    mi_os_memory_t memory = mi_os_reserve_huge(page_count, numa_node, timeout_ms, &got);
    if (memory.start == NULL) {
        mi_warning("could not reserve %zu huge pages of 1 GiB: the system has none free, "
                   "or this process may not use them",
                   page_count);
        return ENOMEM;
    }
    int error = finish(make_arena(&memory, numa_node, exclusive), arena_id);
    if (error == 0 && reserved != NULL)
        *reserved = got;
    return error;
}

bool mi_arena_manage(void *start, size_t size, bool is_committed, bool is_large, bool is_zero,
                     int numa_node, bool exclusive, int *arena_id)
{
    uintptr_t from = mi_align_up((uintptr_t)start, MI_SEGMENT_SIZE);
    if (arena_id != NULL)
        *arena_id = 0;
    if (start == NULL || size < from - (uintptr_t)start ||
        size - (from - (uintptr_t)start) < MI_SEGMENT_SIZE) {
        mi_warning("cannot manage %zu bytes at %p: less than one segment of %zu bytes "
                   "when aligned",
                   size, start, MI_SEGMENT_SIZE);
        return false;
    }
    mi_os_memory_t memory = {
        .start = (void *)from,
        .size = mi_align_down(size - (from - (uintptr_t)start), MI_SEGMENT_SIZE),
        .is_committed = is_committed || is_large,
        .is_zero = is_zero,
        .is_large = is_large,
    };
    return finish(make_arena(&memory, numa_node, exclusive), arena_id) == 0;
}

void mi_arenas_release_unused(void)
{
    for (size_t i = 0; i < mi_arena_count(); i++) {
        mi_arena_t *arena = mi_arena_at(i);
        if (arena == NULL || arena->memory.base == NULL ||
            !mi_bitmap_claim_at(arena->in_use, 0, arena->part_count))
            continue;
        (void)mi_exchange_acq_rel(&arenas[i], NULL);
        mi_os_release(&arena->memory);
    }
}

void mi_arenas_release_all(void)
{
    for (size_t i = 0; i < mi_arena_count(); i++) {
        mi_arena_t *arena = mi_exchange_acq_rel(&arenas[i], NULL);
        if (arena != NULL && arena->memory.base != NULL)
            mi_os_release(&arena->memory);
    }
}
