// SPDX-License-Identifier: MIT
// Segments: naturally aligned parts of the address space, cut into slices. The header in
// slice 0 holds the records of all pages, so that a pointer leads to its page by masking it. A segment
// belongs to one thread (or to none: abandoned); only its owner cuts pages out of it.
// A huge segment spans several parts of an arena and holds one page with one block.
#pragma once

#include "memory/arena.h"
#include "memory/segment_map.h"
#include "support/random.h"

struct mi_heap_s;
struct mi_thread;

// A free block; the link is encoded in secure and debug builds, see page/page.h.
// Packed: a block that an odd offset was asked for may begin at any address.
#pragma pack(push, 1)
typedef struct mi_block {
    struct mi_block *next;
} mi_block_t;
#pragma pack(pop)

typedef enum mi_page_state {
    MI_PAGE_UNUSED,    // not cut
    MI_PAGE_CURRENT,   // its heap allocates from it
    MI_PAGE_AVAILABLE, // in its class's queue of pages with free blocks
    MI_PAGE_RETAINED,  // in its class's queue of pages without a block in use
    MI_PAGE_FULL,      // without (enough) free blocks: in no queue, its heap counts it
    MI_PAGE_DETACHED   // in no heap: its segment is abandoned
} mi_page_state_t;

typedef struct mi_page_link {
    struct mi_page_link *next;
    struct mi_page_link *prev;
} mi_page_link_t;

// The record of a page. Free blocks are on two lists: free, and the segment's remote word of this
// page. See page/page.h.
typedef struct mi_page {
    _Alignas(MI_CACHE_LINE) mi_block_t *free; // owner: allocate from here, free to here
    struct mi_heap_s *heap;                   // owner
    mi_page_link_t link;                      // owner: neighbours in a queue (circular)
    uint32_t needed;                          // owner: frees until free must take its slow path
    uint32_t block_size;   // const: bytes; 0 for a huge block, whose size is in the segment
    uint32_t start_offset; // const: bytes from the page's first slice to block 0
    uint16_t capacity;     // owner: blocks carved so far
    uint16_t reserved;     // const: blocks that fit
    uint16_t wake_rest;    // owner: further frees, after the needed ones of a full page
    uint16_t slice_count;  // const
    uint8_t size_class;    // const
    uint8_t state;         // owner: mi_page_state_t
    uint8_t fresh_is_zero; // owner: memory that is not carved yet reads as zero
    uint8_t is_idle;       // owner: was empty at the last look, and has not been used since
    uint8_t has_guard;     // owner: the last OS page of the slices is protected
    uint16_t used_before;  // const: its first slices, as many as have been written to before
    uint16_t holes;        // owner: parts whose memory was given back, see page/holes.h
    uint16_t used_at_look; // owner: blocks in use when holes were looked for, 0: not yet
#if MI_PADDING
    uintptr_t key[2]; // const: encodes links and canaries of this page
#endif
} mi_page_t;

// A page's list of blocks that other threads freed: see page/remote.h.
typedef _Atomic(uintptr_t) mi_remote_t;

// One bit for each page by its index, and one for each word of these that is not 0. Hints: see
// page/remote.h.
#define MI_PENDING_WORD_BITS (sizeof(uintptr_t) * 8)
#define MI_PENDING_WORDS     (MI_SLICES_PER_SEGMENT / MI_PENDING_WORD_BITS)
typedef struct mi_pending {
    _Atomic(uintptr_t) words;
    _Atomic(uintptr_t) pages[MI_PENDING_WORDS];
} mi_pending_t;
_Static_assert(MI_PENDING_WORDS <= MI_PENDING_WORD_BITS, "a word has room for a bit of each word");

// Bytes from a segment's start to a page's record.
typedef uint32_t mi_page_offset_t;

typedef struct mi_segment {
    mi_page_t invalid;        // stands in for "no page here": its needed is 1, so that free stops
    struct mi_segments *list; // owner: the owner's list that this segment is in
    // owner writes, any reads: the list as a hint, even after the segment has left it. The lists lie in
    // records of threads, which are never freed.
    _Atomic(struct mi_segments *) owner_hint;
    struct mi_segment *next; // owner
    struct mi_segment *prev;
    mi_arena_range_t range; // const
    size_t size;            // const: bytes, whole segments
    size_t huge_size;       // const: bytes of the one block; 0 in a normal segment
    size_t huge_lead;       // const: bytes from here to the huge block
    void *subproc;          // owner: only threads of the same sub-process may reclaim it
    uint32_t used_pages;    // owner
    uint32_t free_slices;   // owner
    uint32_t longest_free;  // owner: no run of free slices is longer
    uint32_t longest_used;  // owner: nor one of those that were used before
    // owner, or who closes it: while it is abandoned, bytes in use beyond half of its memory
    ptrdiff_t crowd;
    uint64_t purge_at;                  // owner: clock, 0 when no slice waits
    uint64_t free_mask[MI_SLICE_WORDS]; // owner: slices in no page
    uint64_t
        idle_mask[MI_SLICE_WORDS]; // owner: of the free ones, those that waited at the last look
    uint64_t purge_mask[MI_SLICE_WORDS]; // owner: of those, the ones to give back to the system
    mi_page_offset_t
        page_offset[MI_SLICES_PER_SEGMENT];    // owner: slice -> bytes from here to its page, or 0
    mi_pending_t pending;                      // any: pages whose remote list is worth a look
    mi_remote_t remote[MI_SLICES_PER_SEGMENT]; // any: blocks freed by other threads, by page index
    mi_page_t pages[MI_SLICES_PER_SEGMENT];    // owner
} mi_segment_t;

#define MI_SEGMENT_INFO_SLICES (mi_div_up(sizeof(mi_segment_t), MI_SLICE_SIZE))

// Whether an owner knows that others have freed blocks of its pages.
typedef enum mi_told {
    MI_NOT_TOLD,
    MI_TOLD, // since its last look
    MI_HEARD // and it will look when the purge delay is over
} mi_told_t;

// The segments of one thread, and what it needs to get more.
typedef struct mi_segments {
    // In a cache line of its own: others ask it often.
    _Alignas(MI_CACHE_LINE) _Atomic(uint32_t) told; // any: mi_told_t
    _Atomic(bool) has_pending;                      // any: a segment may have a pending page
    _Atomic(uint64_t) told_at;                      // any: clock of the last change of told to TOLD
    _Alignas(MI_CACHE_LINE) mi_segment_t *first;    // owner: circular list
    mi_segment_t *cached;       // owner: one empty segment, kept to save making it anew
    size_t count;               // owner: segments in the list
    uintptr_t key;              // const while a thread has it: mi_os_thread_key()
    _Atomic(uint64_t) purge_at; // owner, or purger under lock: earliest of the segments, or 0
    _Atomic(bool) is_shared;    // owner sets it: the background purge may come, under the lock
    mi_os_lock_t lock;          // any: held while slices change hands, if is_shared
    void *subproc;              // const
    bool purges_at_once;        // owner: what is given back now has been idle for long enough
#if MI_PADDING
    mi_random_t random; // owner: keys of its pages
#endif
} mi_segments_t;

mi_inline mi_segment_t *mi_segment_of(const void *p)
{
    return (mi_segment_t *)((uintptr_t)p & ~MI_SEGMENT_MASK);
}

mi_inline mi_segment_t *mi_segment_of_page(const mi_page_t *page)
{
    return mi_segment_of(page);
}

mi_inline size_t mi_page_index(const mi_page_t *page)
{
    return (size_t)(page - mi_segment_of_page(page)->pages);
}

// The page of a pointer into segment; &segment->invalid where no page is.
mi_inline mi_page_t *mi_segment_page_at(const mi_segment_t *segment, const void *p)
{
    size_t slice = ((uintptr_t)p >> MI_SLICE_SHIFT) & (MI_SLICES_PER_SEGMENT - 1);
    return mi_offset(segment, segment->page_offset[slice]);
}

// The same where segment may be a huge one, whose block may begin in a later part.
mi_inline mi_page_t *mi_segment_page_of(mi_segment_t *segment, const void *p)
{
    return segment->huge_size != 0 ? &segment->pages[MI_SEGMENT_INFO_SLICES]
                                   : mi_segment_page_at(segment, p);
}

mi_inline mi_remote_t *mi_segment_remote(mi_segment_t *segment, size_t page_index)
{
    return &segment->remote[page_index];
}

mi_inline mi_remote_t *mi_page_remote(const mi_page_t *page)
{
    return mi_segment_remote(mi_segment_of_page(page), mi_page_index(page));
}

mi_inline bool mi_page_is_huge(const mi_page_t *page)
{
    return page->block_size == 0;
}

// Where the slices of a new page may come from.
typedef enum mi_page_source {
    MI_SOURCE_USED,  // the thread's segments, and only what was written to before
    MI_SOURCE_OWNED, // the thread's segments
    MI_SOURCE_ANY    // these, or else a new segment
} mi_page_source_t;

// What a new page should be.
typedef struct mi_page_wish {
    size_t slices; // wanted
    size_t least;  // fewer will do if they were used before: memory that is there comes first
    int arena_id;  // 0: any
} mi_page_wish_t;

// Makes a page in one of the thread's segments. Its memory is committed; slices, state and what is
// said about its contents are set, the rest is the caller's. NULL when there is no such memory.
mi_page_t *mi_segment_page_alloc(mi_segments_t *segments, mi_page_source_t source,
                                 const mi_page_wish_t *wish);
// The page of a new huge segment: one block of at least size bytes whose address is a multiple of
// alignment (a power of two), minus offset.
mi_page_t *mi_segment_huge_alloc(mi_segments_t *segments, size_t size, size_t alignment,
                                 size_t offset, int arena_id);
// An empty page of the same slices again, as if it had been given back and cut anew. It is in no queue.
void mi_segment_page_renew(mi_page_t *page);
// What the page's slices hold is not known any more. Its segment is in a list.
void mi_segment_page_mark_used(mi_page_t *page);
// Adds the free slices behind the page to it. False: they are in use, or there is no memory.
bool mi_segment_page_extend(mi_segments_t *segments, mi_page_t *page, size_t slice_count);
// Gives the slices back; the segment too when it was the last page. The page is in no queue.
void mi_segment_page_free(mi_segments_t *segments, mi_page_t *page);

// Slices that have memory behind them, as far as is known; 0 for a huge segment, whose block others may
// be purging. The segment is in a list.
size_t mi_segment_touched_slices(const mi_segment_t *segment);
// Slices that wait for their purge.
size_t mi_segments_waiting(mi_segments_t *segments);
// Asks for a purge after the usual delay, for pages that are empty but not given back yet.
void mi_segments_want_purge(mi_segments_t *segments);
typedef enum mi_purge {
    MI_PURGE_DUE, // where the time has come: what has waited for a whole delay
    MI_PURGE_ALL  // everything that waits
} mi_purge_t;
void mi_segments_purge(mi_segments_t *segments, uint64_t now, mi_purge_t which);
// The background purge: the owner calls share once; from then on all its changes of slices are made
// under the lock, and another thread may purge what has waited long enough.
void mi_segments_share(mi_segments_t *segments);
void mi_segments_purge_from_outside(mi_segments_t *segments, uint64_t now);
// Around changes of slices, when shared. Returns what unlock needs.
bool mi_segments_lock(mi_segments_t *segments);
void mi_segments_unlock(mi_segments_t *segments, bool is_locked);
// Gives all segments another owner: a key, or MI_OWNER_PARKED.
void mi_segments_rename(mi_segments_t *segments, uintptr_t key);
// Makes the struct ready for a new owner.
void mi_segments_init(mi_segments_t *segments, uintptr_t key, void *subproc);

// Gives the cached empty segment back.
void mi_segments_drop_cached(mi_segments_t *segments);

// Takes a segment out of the thread's list and shows it to others as abandoned. All its pages are
// detached. What other threads have freed meanwhile is for the next owner: the caller must look
// once more (see heap/abandon.c).
void mi_segment_owned_to_abandoned(mi_segments_t *segments, mi_segment_t *segment);
// After mi_segment_map_claim: puts the segment into the thread's list.
void mi_segment_abandoned_to_owned(mi_segments_t *segments, mi_segment_t *segment);

mi_inline void *mi_page_slices_start(const mi_page_t *page)
{
    return mi_offset(mi_segment_of_page(page), mi_page_index(page) << MI_SLICE_SHIFT);
}

// Block 0 of the page.
mi_inline void *mi_page_start(const mi_page_t *page)
{
    if (mi_page_is_huge(page))
        return mi_offset(mi_segment_of_page(page), mi_segment_of_page(page)->huge_lead);
    return mi_offset(mi_page_slices_start(page), page->start_offset);
}

// Bytes of each block.
mi_inline size_t mi_page_block_size(const mi_page_t *page)
{
    return mi_page_is_huge(page) ? mi_segment_of_page(page)->huge_size : page->block_size;
}

// Calls visit for every page in use; visit may free the page it is given.
typedef void mi_page_visit_t(mi_page_t *page, void *arg);
void mi_segment_visit_pages(mi_segment_t *segment, mi_page_visit_t *visit, void *arg);

bool mi_segment_is_valid(const mi_segment_t *segment);
