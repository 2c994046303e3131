// SPDX-License-Identifier: MIT
// The steps: find the allocator, find runtimes, take each over by code or by import tables, test it.
#pragma once

#include "redirect/ntapi.h"
#include "redirect/runtime.h"

// At the DLL's attach.
void rd_takeover_start(void);

// From the loader's notifications: a module is mapped and bound but not started, or is leaving.
void rd_takeover_module(const rd_ldr_entry_t *module);
void rd_takeover_module_gone(const void *base, size_t size);

// The exported switches: for all runtimes, or false.
bool rd_takeover_disable(void);
bool rd_takeover_enable(void);

// Before this DLL is unmapped: nothing leads into it any more, as far as that can be done.
void rd_takeover_stop(void);

// Tells the allocator about thread and process ends, while it is redirected.
void rd_takeover_forward(DWORD reason);
