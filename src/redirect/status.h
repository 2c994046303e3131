// SPDX-License-Identifier: MIT
// Why a function, a runtime or the whole process is not redirected.
#pragma once

typedef enum rd_status {
    RD_OK = 0,

    // One function.
    RD_NOT_EXPORTED,    // the runtime does not have it
    RD_FORWARDED,       // the export leads to another module
    RD_NOT_CODE,        // the entry lies outside the executable sections
    RD_UNKNOWN_CODE,    // bytes that the decoder does not know
    RD_TOO_SHORT,       // less room than a jump needs
    RD_NEXT_FUNCTION,   // another function starts within the bytes to be replaced
    RD_BRANCH_INSIDE,   // a branch leads into the bytes to be replaced
    RD_CALL_INSIDE,     // a call returns into the bytes to be replaced
    RD_LANDING_PAD,     // a jump there would take a landing pad of indirect branches away
    RD_OTHER_PROCESSOR, // the code there is not of the processor that the module is for
    RD_HOOKED,          // somebody else's jump is there
    RD_UNPROVEN,        // too large to be followed
    RD_SHARED_CODE,     // the same address under a name of another meaning
    RD_ALREADY_PLANNED, // the same address under another name
    RD_NO_RELAY,        // no memory within reach of a jump
    RD_PROTECT_REFUSED, // the system does not let code be changed
    RD_WRITE_FAILED,    // the bytes are not what was written
    RD_THREAD_INSIDE,   // a thread stays within the bytes to be replaced

    // One runtime.
    RD_BAD_MODULE,       // the module's headers are damaged
    RD_NO_HEAP_EXPORTS,  // no malloc, free and so on among its exports
    RD_TOO_MANY,         // more than the tables hold
    RD_SELF_TEST_FAILED, // a block did not come from the allocator
    RD_IMPORTS_REFUSED,  // the system does not let import tables be changed
    RD_NOT_SELECTED,     // not asked for

    // The process.
    RD_DISABLED,      // by the environment
    RD_NO_ALLOCATOR,  // no module with _mi_redirect_entry is loaded
    RD_OLD_ALLOCATOR, // it lacks functions that are needed
    RD_NO_RUNTIME,    // the program has no C runtime that can be seen
    RD_TURNED_OFF,    // by mi_redirect_disable

    RD_STATUS_COUNT
} rd_status_t;

// The reason in a few words.
const char *rd_status_text(rd_status_t status);

// What a user should do about it, as a full sentence; "" when there is nothing to do.
const char *rd_status_advice(rd_status_t status);
