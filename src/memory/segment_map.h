// SPDX-License-Identifier: MIT
// Whose memory is it? One word for each possible segment of the address space: 0 where the memory
// is not ours, else the key of the thread that owns the segment. free asks "ours, and this thread's?"
// with one load and one compare; any pointer may be asked about, it is never dereferenced.
#pragma once

#include "base/atomic.h"

enum {
    MI_OWNER_NOT_OURS = 0,
    MI_OWNER_ABANDONED = 1, // the owner ended; who exchanges it for its own key owns the segment
    MI_OWNER_INTERIOR = 2,  // a further part of a segment that began in a lower entry
    MI_OWNER_CLOSING = 3,   // the owner is about to abandon it
    MI_OWNER_KILLED = 4,    // the owner was killed; nobody can own the segment any more
    MI_OWNER_PARKED = 5     // the owner ended, but not its record: see heap/park.c
    // otherwise: the owner's mi_os_thread_key()
};

// any: an entry is written by the owner of the segment, by who took the record of a parked one, or by
// the winner of an exchange of ABANDONED.
extern _Atomic(uintptr_t) mi_segment_map[MI_SEGMENT_MAP_ENTRIES];

// Not below MI_SEGMENT_MAP_ENTRIES for addresses where we have no memory. Where a process has no others
// (47 bits are all of Linux's), what is above is cut off: such a pointer is none, and faults.
mi_inline size_t mi_segment_map_index(const void *p)
{
    size_t index = (size_t)((uintptr_t)p >> MI_SEGMENT_SHIFT);
    return MI_ADDRESS_BITS == 47 ? index & (MI_SEGMENT_MAP_ENTRIES - 1) : index;
}

// relaxed: a thread sees its own entries; for others' memory the hand-over of the pointer itself
// has ordered the entry's first write before this read.
mi_inline uintptr_t mi_segment_map_owner(const void *p)
{
    size_t index = mi_segment_map_index(p);
    if (mi_unlikely(index >= MI_SEGMENT_MAP_ENTRIES))
        return MI_OWNER_NOT_OURS;
    return mi_load_relaxed(&mi_segment_map[index]);
}

// Enters a new segment of size bytes (whole segments), owned by key.
void mi_segment_map_enter(const void *segment, size_t size, uintptr_t key);
// Gives it another owner, or the mark PARKED; only by who holds its record.
void mi_segment_map_rename(const void *segment, uintptr_t key);
// Removes it, before its memory can be used for anything else.
void mi_segment_map_remove(const void *segment, size_t size);
// The two steps of giving a segment up, seq_cst. A thread that pushes a block to a remote list looks
// at the owner once more afterwards: either it pushed before CLOSING was stored, and then the owner,
// who collects after that, finds the block; or it sees the mark, and takes care of it by itself.
void mi_segment_map_close(const void *segment);
void mi_segment_map_abandon(const void *segment);
// For the look after a push.
mi_inline uintptr_t mi_segment_map_owner_now(const void *segment)
{
    return atomic_load_explicit(&mi_segment_map[mi_segment_map_index(segment)],
                                memory_order_seq_cst);
}
// The owner was killed.
void mi_segment_map_kill(const void *segment, uintptr_t key);
// True for the one thread that gets the abandoned segment.
bool mi_segment_map_claim(const void *segment, uintptr_t key);
// Start of the segment that p lies in; p must be ours.
void *mi_segment_map_start(const void *p);
