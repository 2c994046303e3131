// SPDX-License-Identifier: MIT
// A second record of which memory is in use: one bit for every 16 bytes. It is right whatever the
// allocator believes, so two live blocks that overlap are found. All operations are relaxed atomics:
// they order nothing between threads, so that a race in the allocator stays visible to a sanitizer.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// Marks the bytes as in use, and those that share their 16 bytes. False when some of them already were.
bool shadow_enter(const void *p, size_t size);
// Marks them as free. False when some were not in use.
bool shadow_leave(const void *p, size_t size);
// Bytes in use, in units of 16.
size_t shadow_bytes(void);
