// SPDX-License-Identifier: MIT
// Statistics as data: a struct, or JSON text.
#pragma once

#include "mimalloc.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MI_STAT_VERSION 1
#define MI_STAT_BINS    160 // room for every size class

// Amounts rise and fall; events only add up. Bytes where the name does not say otherwise.
#define MI_STAT_FIELDS(AMOUNT, EVENT)                                                              \
    AMOUNT(reserved)            /* address space from the system */                                \
    AMOUNT(committed)           /* accessible memory */                                            \
    AMOUNT(reset)               /* offered back to the system */                                   \
    AMOUNT(purged)              /* given back to the system */                                     \
    AMOUNT(malloc_normal)       /* blocks of size classes; debug builds count them */              \
    AMOUNT(malloc_huge)         /* blocks beyond the size classes */                               \
    AMOUNT(malloc_requested)    /* as asked for; debug builds count it */                          \
    AMOUNT(pages)               /* number of pages */                                              \
    AMOUNT(pages_abandoned)     /* number, of ended threads */                                     \
    AMOUNT(segments)            /* number of segments */                                           \
    AMOUNT(segments_abandoned)  /* number, of ended threads */                                     \
    AMOUNT(threads)             /* that have a heap */                                             \
    AMOUNT(heaps)               /* made by the program */                                          \
    AMOUNT(arenas)              /* number */                                                       \
    EVENT(mmap_calls)           /* reservations */                                                 \
    EVENT(commit_calls)         /* by the system */                                                \
    EVENT(reset_calls)          /* by the system */                                                \
    EVENT(purge_calls)          /* by the system */                                                \
    EVENT(malloc_normal_count)  /* blocks; debug builds */                                         \
    EVENT(malloc_huge_count)    /* blocks */                                                       \
    EVENT(malloc_guarded_count) /* blocks */                                                       \
    EVENT(arena_rollback_count) /* claims given up */                                              \
    EVENT(pages_extended)       /* more blocks carved */                                           \
    EVENT(pages_retired)        /* kept though empty */                                            \
    EVENT(page_searches)        /* for one with room */                                            \
    EVENT(generic_count)        /* slow paths */                                                   \
    EVENT(segments_reclaimed)   /* of ended threads */                                             \
    EVENT(foreign_free_count)   /* of other runtimes */

typedef struct mi_stat_count_s {
    int64_t total;   // all increases
    int64_t peak;    // highest current, as far as threads told
    int64_t current; // increases less decreases
} mi_stat_count_t;

typedef struct mi_stat_counter_s {
    int64_t total;
} mi_stat_counter_t;

// Pages of one size class.
typedef struct mi_stat_bin_s {
    int64_t total; // made so far
    int64_t current;
} mi_stat_bin_t;

typedef struct mi_stats_s {
    size_t size;    // set by the caller: sizeof(mi_stats_t)
    size_t version; // set by the caller: MI_STAT_VERSION
#define MI_STAT_AMOUNT(name) mi_stat_count_t name;
#define MI_STAT_EVENT(name)  mi_stat_counter_t name;
    MI_STAT_FIELDS(MI_STAT_AMOUNT, MI_STAT_EVENT)
#undef MI_STAT_AMOUNT
#undef MI_STAT_EVENT
    mi_stat_bin_t page_bins[MI_STAT_BINS];
} mi_stats_t;

// Fills *stats with the process's figures; false when its size or version is not known.
mi_decl_export bool mi_stats_get(mi_stats_t *stats) mi_decl_nothrow;
// The same as JSON into buf, cut to buf_size; with buf NULL into a new block, which the caller gives
// back with mi_free.
mi_decl_export char *mi_stats_get_json(size_t buf_size, char *buf) mi_decl_nothrow;

#ifdef __cplusplus
}
#endif
