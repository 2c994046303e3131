// SPDX-License-Identifier: MIT
// What arena.c needs of arena_reserve.c: making an arena when there is no room.
#pragma once

#include "memory/arena.h"

// Reserves an arena with room for at least part_count parts. False when the system refused.
bool mi_arena_grow(size_t part_count);
