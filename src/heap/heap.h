// SPDX-License-Identifier: MIT
// Heaps: a thread's pages by size class. Every thread has a backing heap in its record and may make
// more; all of them share the thread's segments. Owner-only, but where said.
#pragma once

#include "mimalloc.h"
#include "os/os_tls.h"
#include "memory/segment_map.h"
#include "page/page_queue.h"
#include "support/random.h"
#include "support/stats.h"

#define MI_DIRECT_COUNT (MI_SMALL_MAX / MI_BLOCK_ALIGN + 1)

#define MI_CLASS_WORDS ((MI_CLASS_COUNT + 63) / 64)

struct mi_thread;

// What malloc's fast path reads. A stub is a front alone, with no page that has a free block, but for
// that of the large block freed last: the fast path then ends in the slow path, which finds out what is
// to be done.
typedef struct mi_heap_front {
    // owner, but others may put mi_page_none there, see mi_thread_tell: (size + 15) / 16 -> current
    // page of its class
    _Atomic(mi_page_t *) direct[MI_DIRECT_COUNT];
    mi_page_t *current[MI_CLASS_COUNT]; // owner: never NULL: mi_page_none stands for none
    struct mi_thread *thread;           // const: NULL in the stub of threads without a heap
    bool is_stub;                       // const
} mi_heap_front_t;

// Which allocations of a heap get a guard page behind them: see guarded.c.
typedef struct mi_guarded {
    size_t rate;      // owner: one in so many; 0 for none
    size_t countdown; // owner: allocations until the next one
    size_t min, max;  // owner: bytes
} mi_guarded_t;

// When a heap gives back memory inside of partly used pages: see punch.c. A round looks at all its
// available pages, a few at a time.
typedef struct mi_punching {
    size_t at;           // owner: bytes of memory that the heap has when the next round begins
    size_t freed_slices; // owner: of pages that have come to have room since the last round
    size_t punched;      // owner: bytes that this round, or the last one, gave back
    size_t backoff;      // owner: log2 of how much rarer than usual
    size_t size_class;   // owner: where this round is; 0: none is under way
    mi_page_t
        *next; // owner: the page of that class that it looks at next; NULL: it is done with it
} mi_punching_t;

struct mi_heap_s {
    mi_heap_front_t front;
    mi_page_queue_t available[MI_CLASS_COUNT]; // owner: pages with free blocks and others in use
    mi_page_queue_t retained[MI_CLASS_COUNT];  // owner: empty pages, the last one first
    uint64_t retained_classes[MI_CLASS_WORDS]; // owner: a bit for each class that has any
    // owner: how many there are without; huge and dedicated ones too. These are in no queue.
    uint32_t full_count[MI_CLASS_COUNT];
    struct mi_heap_s *next; // owner: the thread's heaps
    size_t page_count;      // owner
    size_t slice_count;     // owner: slices of its pages
    size_t retained_slices; // owner: of those, in retained pages
    size_t unarmed_slices;  // owner: of these, what came since the last arming
    size_t hole_bytes;      // owner: bytes of the holes of its available and retained pages
    size_t
        filled_bytes; // owner: of those, what has been or is about to be filled since the last punch
    mi_punching_t punching;
    int arena_id;       // const: 0 for any
    int tag;            // const
    bool allow_destroy; // const
    mi_guarded_t guarded;
    mi_random_t random; // owner
};

typedef enum mi_record_state {
    MI_RECORD_FREE,
    MI_RECORD_IN_USE, // by a thread, or by who ends a parked one
    MI_RECORD_PARKED  // its thread has ended, its heap waits for the next one: see park.c
} mi_record_state_t;

// A thread's record. Never given back, but taken over by a later thread.
typedef struct mi_thread {
    mi_heap_t backing;
    mi_heap_front_t stub; // stands in for the default heap while a purge waits, see mi_thread_arm
    mi_heap_t *default_heap; // owner
    mi_heap_t *heaps;        // owner: list of all its heaps
    mi_segments_t segments;  // owner
    mi_thread_stats_t stats; // owner
    struct mi_thread *next;  // const: list of all records
    _Atomic(uint32_t) state; // any: mi_record_state_t; who exchanges it for IN_USE has the record
    _Atomic(uintptr_t) key;  // owner writes, any reads: whose record it is, 0 for nobody's
    mi_arena_range_t left;   // owner: where it freed last in what an ended thread left, or none
    struct mi_thread *left_parked; // owner: the parked record of that, or NULL
    _Atomic(uint64_t) parked_at;   // who has the record: clock; any: as a hint
    uint32_t slow_count;           // owner: slow paths, for the periodic work
    uint64_t heartbeat;            // owner
    uint64_t last_tick_ms;         // owner: clock of the last periodic work
    uint64_t next_step_ms;         // owner: clock of a busy thread's next purge
    uint64_t next_look_ms;         // owner: not before this for what others have freed
    mi_page_t *kept_large;         // owner: a current page of one large block that is or was empty
    uint32_t rearms_left;          // owner: armed calls until the next look at what may be purged
    bool is_armed;                 // owner: the stub stands in
    bool in_deferred_free;         // owner
    bool has_parked;               // owner: it started with a parked heap
    bool in_threadpool;            // owner
} mi_thread_t;

extern mi_page_t mi_page_none;
extern mi_heap_front_t mi_heap_none;  // the stub of threads that have no heap yet
extern mi_heap_front_t mi_heap_ended; // the same of threads that have ended

// ---- allocating ----

// The slow path of every allocation. heap may be NULL or a stub: then the calling thread's default
// heap, made if need be. NULL when there is no memory or size > MI_ALLOC_MAX.
void *mi_heap_alloc_slow(mi_heap_t *heap, size_t size, bool zero);
// alignment is a power of two; p + offset is a multiple of it.
void *mi_heap_alloc_aligned(mi_heap_t *heap, size_t size, size_t alignment, size_t offset,
                            bool zero);
// The real heap behind what mi_os_tls_heap() gave; makes the thread's. NULL: no memory.
mi_heap_t *mi_heap_resolve(mi_heap_t *heap);

mi_inline mi_heap_t *mi_heap_current(void)
{
    mi_heap_t *heap = mi_os_tls_heap();
    if (mi_likely(heap != NULL && !heap->front.is_stub))
        return heap;
    return mi_heap_resolve(heap);
}

// ---- freeing ----

// A free by the owner has counted the page's needed down to 0.
void mi_heap_page_event(mi_page_t *page);
// Puts a block of the calling thread's page back.
mi_inline void mi_page_push(mi_page_t *page, mi_block_t *block)
{
    mi_block_set_next(page, block, page->free);
    page->free = block;
    if (mi_unlikely(--page->needed == 0))
        mi_heap_page_event(page);
}

// Whether p lies in a segment of the calling thread; any pointer may be asked about.
mi_inline bool mi_is_own(const void *p)
{
    size_t index = mi_segment_map_index(p);
    return mi_likely(index < MI_SEGMENT_MAP_ENTRIES &&
                     mi_load_relaxed(&mi_segment_map[index]) == mi_os_thread_key());
}

// Frees a block of the calling thread. False, and nothing done, for any other pointer.
mi_inline bool mi_free_local(void *p)
{
    if (mi_unlikely(!mi_is_own(p)))
        return false;
    mi_page_push(mi_segment_page_at(mi_segment_of(p), p), p);
    return true;
}

// Gives back a page of which no block is in use.
void mi_heap_page_release(mi_heap_t *heap, mi_page_t *page);
// Puts a page that is in no queue into the queue where it belongs, after collecting; releases it
// when it is empty. A page of an exclusive arena that the heap does not name serves no more
// allocations: it waits until all its blocks have come back.
void mi_heap_page_adopt(mi_heap_t *heap, mi_page_t *page);
// Gives a page that is in no queue another class, in the statistics too.
void mi_heap_page_change_class(mi_heap_t *heap, mi_page_t *page, size_t size_class);
// Makes a page that is in no queue, and has no free block, a full one.
void mi_heap_page_to_full(mi_heap_t *heap, mi_page_t *page);
// Calls act for each page of the heap, in any state; act may release it.
typedef void mi_heap_page_action_t(mi_heap_t *heap, mi_page_t *page);
void mi_heap_for_pages(mi_heap_t *heap, mi_heap_page_action_t *act);
// Takes a page out of its queue or its place as current. Its free list is empty afterwards.
void mi_heap_page_detach(mi_heap_t *heap, mi_page_t *page);

typedef enum mi_collect_kind {
    MI_COLLECT_IDLE,  // pages that were empty at the last look too
    MI_COLLECT_EMPTY, // pages that are empty
    MI_COLLECT_FORCE  // everything that can be found empty
} mi_collect_kind_t;
void mi_heap_collect_pages(mi_heap_t *heap, mi_collect_kind_t kind);
// Slices of pages with blocks in use. Walks the free lists of the current pages.
size_t mi_heap_used_slices(const mi_heap_t *heap);
// Gives back memory inside of all partly used pages, see page/holes.h.
void mi_heap_punch(mi_heap_t *heap);
// The same, step by step, when the heap has grown enough since the last round for that to pay: so many
// bytes as it is about to grow by.
void mi_heap_punch_grown(mi_heap_t *heap, size_t wanted);
// Makes the current page of a class, if there is one, an available or full one.
void mi_heap_shelve(mi_heap_t *heap, size_t size_class);
// Lets the small sizes find their current pages again.
void mi_heap_repair_direct(mi_heap_t *heap);
void mi_heap_init(mi_heap_t *heap, struct mi_thread *thread, int tag, bool allow_destroy,
                  int arena_id);

// ---- threads ----

// The record of the calling thread, NULL when it has none.
mi_thread_t *mi_thread_current(void);
// Makes the next allocation take the slow path, so that a purge that waits happens at the next call
// of any size even if every size class has free blocks at hand.
void mi_thread_arm(mi_thread_t *thread);
void mi_thread_disarm(mi_thread_t *thread);
// The stub shows no page any more, and the next free of the one that it showed is counted.
void mi_heap_hide_kept(mi_thread_t *thread);
// A thread has freed the first block of a page of segments' owner since that one last looked: makes
// the owner's next small allocation take the slow path, and the caller's next one, since the owner
// may be resting for ever. Any thread.
void mi_thread_tell(mi_segments_t *segments);
// The owner has come by.
void mi_thread_hear(mi_thread_t *thread);
mi_inline bool mi_thread_is_told(mi_thread_t *thread)
{
    return mi_load_relaxed(&thread->segments.told) == MI_TOLD;
}
// Counts a slow path. True for one in so many: then the periodic work is to be done.
#define MI_TICK_INTERVAL 32
mi_inline bool mi_thread_count_slow(mi_thread_t *thread)
{
    mi_stat_count(&thread->stats, MI_STAT_generic_count);
    return ++thread->slow_count % MI_TICK_INTERVAL == 0;
}
// Periodic work: deferred frees, purges that are due.
void mi_thread_tick(mi_thread_t *thread);
// The end of the thread whose heap it is: parks the heap, or hands its memory over.
void mi_thread_end(mi_heap_t *heap);
// The same without parking, for the end of the process.
void mi_thread_end_for_good(mi_heap_t *heap);
// A thread without a heap frees a block of a parked record: starts it with that heap. False: too late,
// or it has ended.
bool mi_thread_start_with(mi_thread_t *parked);
// Calls the registered deferred free function of the program.
void mi_thread_deferred_free(mi_thread_t *thread, bool force);

// ---- abandoned segments ----

// Hands over all segments of the thread: the empty ones are freed, the others abandoned. What is
// free is purged at once, or after the usual delay.
void mi_abandon_all(mi_thread_t *thread, bool purges_at_once);
// Takes over one abandoned segment; false when there is none.
bool mi_abandon_reclaim(mi_thread_t *thread, int arena_id);
// Frees a block of an abandoned (or closing) segment, and the segment with it if it was the last.
// False: the segment has an owner by now; nothing was done.
bool mi_abandon_free(mi_thread_t *thread, mi_segment_t *segment, void *p);
// After a push to a segment that turned out to be abandoned: gives back what is empty in it.
void mi_abandon_look(mi_thread_t *thread, mi_segment_t *segment);
// Ends a claim with MI_OWNER_CLOSING: gives back what is empty, by then, and abandons the rest.
void mi_abandon_settle(mi_thread_t *thread, mi_segment_t *segment);
// Takes over all that the sub-process has; for a forced collect.
void mi_abandon_reclaim_all(mi_thread_t *thread);
// Purges what has waited in abandoned segments for the delay of arenas: nobody owns them, so any
// thread that is quiet does it.
void mi_abandon_purge(uint64_t now);
// Renames the sub-process of abandoned segments.
void mi_abandon_move(mi_thread_t *thread, void *from, void *to);
