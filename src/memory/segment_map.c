// SPDX-License-Identifier: MIT
// The map itself. Zero-initialised data: untouched parts take no memory.
#include "memory/segment_map.h"

_Atomic(uintptr_t) mi_segment_map[MI_SEGMENT_MAP_ENTRIES];

void mi_segment_map_enter(const void *segment, size_t size, uintptr_t key)
{
    size_t first = mi_segment_map_index(segment);
    size_t count = size >> MI_SEGMENT_SHIFT;
    // release: pairs with the acquire in mi_segment_map_claim; a reader of other entries got the
    // pointer from the allocating thread, which orders these writes for it.
    for (size_t i = 1; i < count; i++)
        mi_store_release(&mi_segment_map[first + i], (uintptr_t)MI_OWNER_INTERIOR);
    mi_store_release(&mi_segment_map[first], key);
}

void mi_segment_map_rename(const void *segment, uintptr_t key)
{
    mi_store_release(&mi_segment_map[mi_segment_map_index(segment)], key);
}

void mi_segment_map_remove(const void *segment, size_t size)
{
    size_t first = mi_segment_map_index(segment);
    size_t count = size >> MI_SEGMENT_SHIFT;
    for (size_t i = 0; i < count; i++)
        mi_store_release(&mi_segment_map[first + i], (uintptr_t)MI_OWNER_NOT_OURS);
}

static void store_owner(const void *segment, uintptr_t owner)
{
    atomic_store_explicit(&mi_segment_map[mi_segment_map_index(segment)], owner,
                          memory_order_seq_cst);
}

void mi_segment_map_close(const void *segment)
{
    store_owner(segment, MI_OWNER_CLOSING);
}

void mi_segment_map_abandon(const void *segment)
{
    store_owner(segment, MI_OWNER_ABANDONED);
}

void mi_segment_map_kill(const void *segment, uintptr_t key)
{
    (void)mi_cas_strong_acq_rel(&mi_segment_map[mi_segment_map_index(segment)], &key,
                                (uintptr_t)MI_OWNER_KILLED);
}

bool mi_segment_map_claim(const void *segment, uintptr_t key)
{
    uintptr_t expected = MI_OWNER_ABANDONED;
    // acquire: pairs with the store of ABANDONED; what the former owner wrote is visible after it.
    return atomic_compare_exchange_strong_explicit(&mi_segment_map[mi_segment_map_index(segment)],
                                                   &expected, key, memory_order_seq_cst,
                                                   memory_order_relaxed);
}

void *mi_segment_map_start(const void *p)
{
    size_t index = mi_segment_map_index(p);
    while (mi_load_relaxed(&mi_segment_map[index]) == MI_OWNER_INTERIOR)
        index--;
    return (void *)(index << MI_SEGMENT_SHIFT);
}
