// SPDX-License-Identifier: MIT
// What work.c offers to work.cpp.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// The median of count mixed numbers; 0 when memory ends.
unsigned sorted_middle(unsigned count);

#ifdef __cplusplus
}
#endif
