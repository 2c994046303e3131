// SPDX-License-Identifier: MIT
// second_copy.dll: the static library once more, in a DLL, as test_two_copies sees it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *second_malloc(size_t size);
void second_free(void *block);
bool second_owns(const void *block);
int64_t second_live_threads(void);
