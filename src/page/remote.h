// SPDX-License-Identifier: MIT
// Blocks that other threads free: one word per page, a list that is pushed to with one exchange and
// taken whole by the owner. There is no state in the word: an owner looks at its full pages by
// itself, a few at a time, before it asks for fresh memory. Who pushes the first block of a list tells
// the owner (mi_thread_tell), which may have gone quiet.
#pragma once

#include "page/page.h"

// Any thread but the owner. The block must not be touched afterwards. Whom to tell, if it is the first
// of the list, or NULL.
mi_segments_t *mi_remote_push(mi_page_t *page, mi_block_t *block);
// Owner: takes all; NULL when there is none.
mi_block_t *mi_remote_take(mi_page_t *page);

// Some page of one block in the segment has been freed by another thread, or is just about to be.
mi_inline bool mi_segment_has_remote_single(mi_segment_t *segment)
{
    return mi_load_relaxed(&segment->remote_single) != 0;
}

mi_inline bool mi_remote_is_empty(const mi_page_t *page)
{
    return mi_load_relaxed(mi_page_remote(page)) == NULL;
}
