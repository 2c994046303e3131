// SPDX-License-Identifier: MIT
// Arenas: large regions of reserved addresses, cut into parts of one segment each. An arena knows of
// each slice whether it is committed and whether it may hold old content; whoever holds a part's
// bit owns that knowledge. Parts that are given back are purged after a delay. Any thread, no lock.
#pragma once

#include "memory/bitmap.h"
#include "memory/slice_mask.h"
#include "os/os.h"

// One part: a segment's worth of addresses.
typedef struct mi_arena_part {
    mi_slice_mask_t committed; // holder of the part: slices that may be accessed
    mi_slice_mask_t dirty;     // holder of the part: slices that may not be zero
    bool is_known; // holder of the part: the two are filled in, as its first holder does
} mi_arena_part_t;

typedef struct mi_arena {
    mi_os_memory_t memory;       // const: memory.base is NULL when the user keeps the ownership
    uintptr_t start;             // const
    size_t part_count;           // const
    int id;                      // const: from 1
    int numa_node;               // const: -1 for any
    bool is_exclusive;           // const: only for heaps that name it
    bool is_pinned;              // const: large pages, cannot be purged
    bool is_dedicated;           // const: made for one huge block
    _Atomic(uint64_t) purge_at;  // any: clock of the next purge, 0 when nothing waits
    mi_bitmap_word_t *in_use;    // any
    mi_bitmap_word_t *abandoned; // any: parts whose segment has no owner; a hint, the map decides
    mi_bitmap_word_t *offered;   // any: of these, the ones with much room; a hint
    mi_bitmap_word_t *purge;     // any: free parts with memory to give back
    mi_arena_part_t *parts;
} mi_arena_t;

#define MI_ARENAS_MAX 1024

// A run of parts of one arena.
typedef struct mi_arena_range {
    mi_arena_t *arena; // NULL: none
    size_t part;
    size_t part_count;
} mi_arena_range_t;

// Claims part_count parts in a row, from arena_id or, when that is 0, from any arena that is not
// exclusive, making a new arena when there is no room. arena is NULL in the result on failure.
mi_arena_range_t mi_arena_alloc(size_t part_count, int arena_id);
// Gives them back; what they hold is purged after the delay of the options.
void mi_arena_free(mi_arena_range_t range);

void *mi_arena_range_start(const mi_arena_range_t *range);
// Makes slices accessible (slice 0 is the start of the range). False: the system refused.
bool mi_arena_commit(const mi_arena_range_t *range, size_t slice, size_t count);
// True when none of the slices can hold anything but zeros; marks them as dirty in any case.
bool mi_arena_take_zero(const mi_arena_range_t *range, size_t slice, size_t count);
// The same in two steps, for slices of which only a part may come to be written.
bool mi_arena_is_zero(const mi_arena_range_t *range, size_t slice, size_t count);
void mi_arena_mark_dirty(const mi_arena_range_t *range, size_t slice, size_t count);
// Gives the memory of the slices back to the system, as far as it was touched.
void mi_arena_purge(const mi_arena_range_t *range, size_t slice, size_t count);
// The slices of the range's first part that may hold something, and so have memory behind them.
const uint64_t *mi_arena_dirty_mask(const mi_arena_range_t *range);
// True when a slice of the range may have memory behind it.
bool mi_arena_is_dirty(const mi_arena_range_t *range, size_t slice);

// True when parts wait for their purge and their time has come at now (0: asks only if any waits).
bool mi_arenas_want_purge(uint64_t now);
// Purges what is due; everything that waits when force.
void mi_arenas_purge(uint64_t now, bool force);

// Reserving and managing by hand. 0 or an errno value; *arena_id may be NULL.
int mi_arena_reserve(size_t size, bool commit, bool allow_large, bool exclusive, int *arena_id);
int mi_arena_reserve_huge(size_t page_count, int numa_node, size_t timeout_ms, bool exclusive,
                          size_t *reserved, int *arena_id);
bool mi_arena_manage(void *start, size_t size, bool is_committed, bool is_large, bool is_zero,
                     int numa_node, bool exclusive, int *arena_id);

size_t mi_arena_count(void);
// index < mi_arena_count(); may be NULL for one that is just being made.
mi_arena_t *mi_arena_at(size_t index);
mi_arena_t *mi_arena_of_id(int id);
// Unmaps the arenas of which no part is in use, for good. No other thread may allocate meanwhile.
void mi_arenas_release_unused(void);
// Unmaps every arena; the process must not use the allocator any more (option destroy_on_exit).
void mi_arenas_release_all(void);
