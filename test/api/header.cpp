// SPDX-License-Identifier: MIT
// Compiled for each C++ standard from 11 to 20: the headers must compile, without a warning.
#include "mimalloc-stats.h"
#include "mimalloc-new-delete.h"
#include "mimalloc.h"

template struct mi_stl_allocator<int>;
template struct mi_heap_stl_allocator<int>;
template struct mi_heap_destroy_stl_allocator<int>;
