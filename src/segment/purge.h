// SPDX-License-Identifier: MIT
// Delayed purge: slices that are given back keep their memory for a while, since they are often
// wanted again at once; after the delay of the options the system gets it.
#pragma once

#include "segment/segment.h"

// Purges all that waits in one segment, which the caller owns.
void mi_segment_purge_all(mi_segment_t *segment);

void mi_segment_schedule_purge(mi_segments_t *segments, mi_segment_t *segment, size_t slice,
                               size_t count);
