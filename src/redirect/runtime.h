// SPDX-License-Identifier: MIT
// C runtimes in the process, and what each of them offers.
#pragma once

#include "pe/pe.h"
#include "redirect/ntapi.h"
#include "redirect/patch.h"

#define RD_RUNTIME_MAX 8

typedef struct rd_runtime {
    bool is_used;
    bool is_unloaded;
    bool is_redirected; // passed the self-test
    bool is_debug;      // its blocks have a header before them
    bool was_initialized;
    bool is_of_program; // the program itself imports it
    uint8_t slot;       // index in rd_runtimes
    uint8_t engine;     // mi_redirect_engine_t
    rd_status_t reason;
    char name[40];
    const rd_ldr_entry_t *module; // the loader's record, as long as it is not unloaded
    uint8_t *base;
    size_t image_size;
    uint8_t *relay; // page within reach, or NULL
    uint32_t relay_used;
    uint32_t import_patch_count;
    pe_view_t view;

    // How its aligned blocks are laid out, as it was seen to do it; see foreign.c.
    bool is_layout_known;
    bool has_gap;
    uint8_t extra_byte_count;

    // Its own services; NULL when not exported.
    void *(*old_new)(size_t size); // operator new before the patch, or NULL
    HANDLE (*get_heap)(void);
    int *(*errno_location)(void);
    int (*call_new_handler)(size_t size);
    int (*query_new_mode)(void);
    void (*invalid_parameter)(void);

    uint32_t entry_count;
    rd_entry_t entries[RD_TARGET_MAX];
} rd_runtime_t;

extern rd_runtime_t rd_runtimes[RD_RUNTIME_MAX];

// The runtime whose entries jump straight into the allocator and whose failure rules the allocator
// is told: the one that the program itself uses. Until one is found, a record without services.
extern rd_runtime_t *rd_primary_runtime;

// RD_OK and the record, if the module is a C runtime that shall be redirected; the record's entries
// have their addresses and nothing is changed yet. RD_NO_HEAP_EXPORTS: no C runtime.
rd_status_t rd_runtime_recognize(const rd_ldr_entry_t *module, rd_runtime_t **runtime);

// False: a runtime that the program has is linked into it, where nobody can see it.
bool rd_program_imports_runtime(void);

rd_runtime_t *rd_runtime_at(const void *base);

// Where its blocks are; NULL before the runtime's start-up, and for a debug runtime, whose blocks only
// the runtime itself may give back.
HANDLE rd_runtime_heap(const rd_runtime_t *runtime);
// Its start-up is over: it has a place for errno, and may call the program's handlers.
bool rd_runtime_is_up(const rd_runtime_t *runtime);

// The entry for a function's first, public name; NULL when the runtime lacks it.
const rd_entry_t *rd_runtime_entry(const rd_runtime_t *runtime, rd_function_t function);
