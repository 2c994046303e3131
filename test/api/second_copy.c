// SPDX-License-Identifier: MIT
// The DLL of second_copy.h: passes the calls on to its own copy of the allocator.
#include "second_copy.h"

#include "mimalloc-stats.h"
#include "mimalloc.h"

void *second_malloc(size_t size)
{
    return mi_malloc(size);
}

void second_free(void *block)
{
    mi_free(block);
}

bool second_owns(const void *block)
{
    return mi_is_in_heap_region(block);
}

int64_t second_live_threads(void)
{
    mi_stats_t stats = {.size = sizeof stats, .version = MI_STAT_VERSION};
    return mi_stats_get(&stats) ? stats.threads.current : -1;
}
