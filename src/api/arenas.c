// SPDX-License-Identifier: MIT
// Arenas by hand: reserving, managing, asking and printing. memory/arena.c does the work.
#include "heap/heap.h"
#include "memory/arena.h"
#include "memory/bitmap.h"
#include "os/os.h"
#include "support/message.h"

// ---- reserving and managing ----

int mi_reserve_os_memory_ex(size_t size, bool commit, bool allow_large, bool exclusive,
                            mi_arena_id_t *arena_id)
{
    mi_process_init();
    return mi_arena_reserve(size, commit, allow_large, exclusive, arena_id);
}

int mi_reserve_os_memory(size_t size, bool commit, bool allow_large)
{
    return mi_reserve_os_memory_ex(size, commit, allow_large, false, NULL);
}

bool mi_manage_os_memory_ex(void *start, size_t size, bool is_committed, bool is_large,
                            bool is_zero, int numa_node, bool exclusive, mi_arena_id_t *arena_id)
{
    mi_process_init();
    return mi_arena_manage(start, size, is_committed, is_large, is_zero, numa_node, exclusive,
                           arena_id);
}

bool mi_manage_os_memory(void *start, size_t size, bool is_committed, bool is_large, bool is_zero,
                         int numa_node)
{
    return mi_manage_os_memory_ex(start, size, is_committed, is_large, is_zero, numa_node, false,
                                  NULL);
}

int mi_reserve_huge_os_pages_at_ex(size_t pages, int numa_node, size_t timeout_msecs,
                                   bool exclusive, mi_arena_id_t *arena_id)
{
    size_t reserved;
    mi_process_init();
    if (pages == 0)
        return 0;
    return mi_arena_reserve_huge(pages, numa_node, timeout_msecs, exclusive, &reserved, arena_id);
}

int mi_reserve_huge_os_pages_at(size_t pages, int numa_node, size_t timeout_msecs)
{
    return mi_reserve_huge_os_pages_at_ex(pages, numa_node, timeout_msecs, false, NULL);
}

static size_t usable_node_count(size_t wanted)
{
    size_t count = mi_os_numa_node_count();
    long limit = mi_option_get(mi_option_use_numa_nodes);
    if (limit > 0)
        count = mi_min(count, (size_t)limit);
    return wanted == 0 ? count : mi_min(count, wanted);
}

int mi_reserve_huge_os_pages_interleave(size_t pages, size_t numa_nodes, size_t timeout_msecs)
{
    mi_process_init();
    size_t nodes = usable_node_count(numa_nodes);
    size_t timeout_each = timeout_msecs == 0 ? 0 : timeout_msecs / nodes + 1;
    for (size_t node = 0; node < nodes; node++) {
        size_t share = pages / nodes + (node < pages % nodes);
        int error = mi_reserve_huge_os_pages_at(share, (int)node, timeout_each);
        if (error != 0)
            return error;
    }
    return 0;
}

int mi_reserve_huge_os_pages(size_t pages, double max_secs, size_t *pages_reserved)
{
    size_t reserved = 0;
    mi_process_init();
    int error = pages == 0 ? 0
                           : mi_arena_reserve_huge(pages, -1, (size_t)(max_secs * 1000.0), false,
                                                   &reserved, NULL);
    if (pages_reserved != NULL)
        *pages_reserved = reserved;
    return error;
}

// ---- asking ----

void *mi_arena_area(mi_arena_id_t arena_id, size_t *size)
{
    const mi_arena_t *arena = mi_arena_of_id(arena_id);
    if (size != NULL)
        *size = arena == NULL ? 0 : arena->part_count * MI_SEGMENT_SIZE;
    return arena == NULL ? NULL : (void *)arena->start;
}

static const char *kind_of(const mi_arena_t *arena)
{
    if (arena->is_dedicated)
        return ", one huge block";
    if (arena->is_exclusive)
        return ", exclusive";
    return arena->is_pinned ? ", large pages" : "";
}

static size_t used_segments(const mi_arena_t *arena)
{
    size_t count = 0;
    for (size_t part = 0; part < arena->part_count; part++)
        count += mi_bitmap_is_set(arena->in_use, part);
    return count;
}

static void print_arena(const mi_arena_t *arena)
{
    char size[32];
    mi_format_size(size, sizeof size, (int64_t)(arena->part_count * MI_SEGMENT_SIZE));
    mi_output_to(NULL, NULL, "mimalloc: arena %d: %p, %s, %zu of %zu segments in use%s\n",
                 arena->id, (void *)arena->start, size, used_segments(arena), arena->part_count,
                 kind_of(arena));
}

void mi_arenas_print(void)
{
    for (size_t i = 0; i < mi_arena_count(); i++)
        if (mi_arena_at(i) != NULL)
            print_arena(mi_arena_at(i));
}

// One character per segment: x in use, p waits for its purge, . free.
static void print_map(const mi_arena_t *arena)
{
    char row[65];
    for (size_t part = 0; part < arena->part_count;) {
        size_t column = 0;
        for (; column < 64 && part < arena->part_count; column++, part++) {
            row[column] = '.';
            if (mi_bitmap_is_set(arena->in_use, part))
                row[column] = 'x';
            else if (mi_bitmap_is_set(arena->purge, part))
                row[column] = 'p';
        }
        row[column] = 0;
        mi_output_to(NULL, NULL, "mimalloc:   %s\n", row);
    }
}

void mi_debug_show_arenas(void)
{
    for (size_t i = 0; i < mi_arena_count(); i++) {
        const mi_arena_t *arena = mi_arena_at(i);
        if (arena == NULL)
            continue;
        print_arena(arena);
        print_map(arena);
    }
}
