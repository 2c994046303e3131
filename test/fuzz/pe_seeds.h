// SPDX-License-Identifier: MIT
// The seed corpus for targets that take PE files: made files, one for each peculiarity.
#pragma once

#include <stdint.h>

// Writes seed number index to bytes (MAKE_PE_CAPACITY) and gives its size, 0 behind the last.
uint32_t pe_seed(uint32_t index, uint8_t *bytes);
