// SPDX-License-Identifier: MIT
// A page of far jumps within reach of a module's near ones.
#pragma once

#include "redirect/runtime.h"

#define RD_RELAY_SIZE 0x1000u

// Gives the runtime an empty writable page that a near jump from anywhere in the module reaches.
rd_status_t rd_relay_create(rd_runtime_t *runtime);

// The relay that jumps to `to`: an earlier one or a new one; NULL when the page is full.
uint8_t *rd_relay_to(rd_runtime_t *runtime, const void *to);

// Makes the page executable and no longer writable. Nothing may be added after that.
rd_status_t rd_relay_seal(const rd_runtime_t *runtime);

// Only while nothing jumps there.
void rd_relay_destroy(rd_runtime_t *runtime);
