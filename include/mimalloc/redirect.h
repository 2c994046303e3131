// SPDX-License-Identifier: MIT
// The contract between mimalloc-redirect.dll and the allocator's DLL, and the redirect's status.
//
// The stock part, which any mimalloc.dll speaks and which needs no header:
//   the redirect exports   by ordinal 1 to 5  mi_allocator_done, mi_allocator_init,
//                          mi_redirect_disable, mi_redirect_enable, mi_redirect_enable_term
//   the allocator exports  void _mi_redirect_entry(DWORD reason) and the mi_ functions.
//
// Our extension is optional on both sides. An allocator that exports mi_redirect_register and the
// mi_crt_ functions below gets the runtime's entries patched to jump straight to them; for any
// other allocator the redirect supplies the runtime's semantics itself, on top of mi_malloc etc.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MI_REDIRECT_VERSION 1

// ---- What the redirect gives to the allocator ------------------------------------------------

// Every function may be called from any thread, at any time after registration, also before the
// runtime's start-up and after its end; none of them calls back into the allocator, except that
// new_handler and invalid_parameter run code of the program.
// "Foreign" means: mi_is_in_heap_region is false, and the pointer is not NULL.
struct mi_redirect_status;

typedef struct mi_redirect_host {
    uint32_t size;    // sizeof of the redirect's struct: fields beyond it are not there
    uint32_t version; // MI_REDIRECT_VERSION of the redirect; fields are only ever appended

    // Blocks of malloc and its family that the runtime itself made. They stay with the runtime:
    // a reallocated block is foreign again.
    void (*foreign_free)(void *block);
    void *(*foreign_realloc)(void *block, size_t size); // size > 0; NULL: out of memory, block kept
    void *(*foreign_expand)(void *block, size_t size);  // in place; NULL: not possible
    size_t (*foreign_msize)(void *block);               // exact; (size_t)-1: not a block

    // Blocks of the _aligned_ family that the runtime made (the raw pointer lies before them).
    // _aligned_realloc of such a block is: allocate, copy foreign_aligned_msize, foreign free.
    void (*foreign_aligned_free)(void *block);
    size_t (*foreign_aligned_msize)(void *block, size_t alignment, size_t offset);

    // The failure rules of the runtime, in the runtime that the program calls.
    // Does nothing before the runtime is up.
    void (*set_errno)(int value);
    // True: the program's new handler ran (new mode is 1 and it returned nonzero): try again.
    // False: give up with ENOMEM (not yet set).
    bool (*new_handler)(size_t size);
    // Sets errno and calls the program's invalid-parameter handler, which may not return.
    void (*invalid_parameter)(int errno_value);

    // The same as the redirect's export mi_redirect_get_status, for the allocator's statistics.
    bool (*get_status)(struct mi_redirect_status *status);
} mi_redirect_host_t;

// ---- What the allocator exports ----------------------------------------------------------------

// Called once, in the redirect's attach, before any entry is patched and so before the allocator's
// own DllMain: it may only store the pointer, which stays valid for the life of the process.
// False: this host is too old for the allocator; the redirect then uses the stock contract.
typedef bool mi_redirect_register_fun(const mi_redirect_host_t *host);
#define MI_REDIRECT_REGISTER_NAME "mi_redirect_register"

// One function per runtime entry, with the signature and the semantics of the runtime's function
// of that name (mi_crt_msize is _msize, and so on). All or none must be there.
#define MI_CRT_FUNCTIONS(X)                                                                        \
    X(malloc)                                                                                      \
    X(calloc)                                                                                      \
    X(realloc)                                                                                     \
    X(free)                                                                                        \
    X(msize)                                                                                       \
    X(expand)                                                                                      \
    X(recalloc)                                                                                    \
    X(aligned_malloc)                                                                              \
    X(aligned_realloc)                                                                             \
    X(aligned_recalloc)                                                                            \
    X(aligned_free)                                                                                \
    X(aligned_msize)                                                                               \
    X(aligned_offset_malloc)                                                                       \
    X(aligned_offset_realloc)                                                                      \
    X(aligned_offset_recalloc)

// ---- Status: exported by the redirect, by name ---------------------------------------------------

typedef enum mi_redirect_engine {
    MI_REDIRECT_ENGINE_NONE = 0,    // left alone
    MI_REDIRECT_ENGINE_CODE = 1,    // the function's first bytes jump to the replacement
    MI_REDIRECT_ENGINE_IMPORTS = 2, // import table entries point to the replacement
} mi_redirect_engine_t;

typedef struct mi_redirect_status {
    uint32_t size;    // set by the caller to sizeof(mi_redirect_status_t)
    uint32_t version; // MI_REDIRECT_VERSION of the redirect

    bool is_redirected;          // at least one runtime passed the self-test
    uint32_t runtime_count;      // runtimes seen, redirected or not
    uint32_t import_patch_count; // import table entries changed, all purposes
    uint32_t reason;             // why not redirected; 0 if it is
    const char *reason_text;     // the same in words, with what to do
    const char *allocator;       // file name of the allocator's DLL, or ""
    uint64_t foreign_free_count; // blocks of a runtime that were given back to it
    uint64_t foreign_realloc_count;
    uint64_t foreign_size_count;
    uint64_t heap_rescue_count; // HeapFree, LocalFree and the like of blocks that were ours
} mi_redirect_status_t;

typedef struct mi_redirect_runtime {
    uint32_t size;               // set by the caller to sizeof(mi_redirect_runtime_t)
    uint32_t engine;             // mi_redirect_engine_t
    uint32_t reason;             // why not redirected; 0 if it is
    uint32_t function_count;     // see mi_redirect_get_function
    uint32_t import_patch_count; // import table entries that lead to this runtime's functions
    bool is_redirected;          // passed the self-test
    bool is_unloaded;            // has left the process; the rest is history
    bool was_initialized;        // had been started when it was patched
    const void *base;
    const char *reason_text;
    char name[40];
} mi_redirect_runtime_t;

typedef struct mi_redirect_function {
    uint32_t size;           // set by the caller to sizeof(mi_redirect_function_t)
    uint32_t engine;         // mi_redirect_engine_t
    uint32_t reason;         // why it was left alone, or 0
    uint32_t byte_count;     // bytes changed at address; 0 when none were
    const char *name;        // as the runtime exports it
    const char *reason_text; // the reason in words
    const void *address;     // where the bytes were changed
    const void *replacement; // where a call ends up
    uint8_t bytes_before[16];
    uint8_t bytes_after[16];
} mi_redirect_function_t;

// All three return false when there is no such entry or when size is not one they know.
bool mi_redirect_get_status(mi_redirect_status_t *status);
bool mi_redirect_get_runtime(size_t index, mi_redirect_runtime_t *runtime);
bool mi_redirect_get_function(size_t runtime_index, size_t index, mi_redirect_function_t *function);

#ifdef __cplusplus
}
#endif
