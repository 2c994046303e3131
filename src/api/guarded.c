// SPDX-License-Identifier: MIT
// The guarded mode's settings. This build places no guard pages behind blocks, so that they have no
// effect, as the interface says.
#include "mimalloc.h"

void mi_heap_guarded_set_sample_rate(mi_heap_t *heap, size_t sample_rate, size_t seed)
{
    (void)heap;
    (void)sample_rate;
    (void)seed;
}

void mi_heap_guarded_set_size_bound(mi_heap_t *heap, size_t min, size_t max)
{
    (void)heap;
    (void)min;
    (void)max;
}
