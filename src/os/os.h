// SPDX-License-Identifier: MIT
// The whole contract with the operating system. Nothing outside src/os/ calls the system or tests
// which one it is. Two ports: os_linux.c, and the files of os_windows.h.
// All functions may be called before DllMain, under the loader lock, and after the C runtime's end;
// none allocates, none calls a C runtime on Windows, none changes errno or GetLastError() unless said.
#pragma once

#include "base/atomic.h"

// ---- what the system is like; constant after mi_os_init ----

typedef struct mi_os_config {
    size_t page_size;           // bytes, smallest unit of commit
    size_t large_page_size;     // bytes, 0 where the process may not use large pages
    size_t granularity;         // bytes, alignment that every reservation has
    bool has_overcommit;        // memory costs nothing until it is touched (Linux's default)
    size_t path_max;            // bytes, room that a caller's buffer for a path has
    bool has_wide_environment;  // variables are in UTF-16
    bool shares_zero_page;      // reading fresh memory gives no memory of its own yet (Linux)
    bool decommit_keeps_access; // decommitted memory reads as zero and needs no new commit (Linux)
} mi_os_config_t;

extern mi_os_config_t mi_os_config; // const after mi_os_init

// Fills mi_os_config and takes the thread-local slot. May be called any number of times; the first
// call must come from the only thread that allocates (process start guarantees it).
void mi_os_init(void);

// ---- memory: reserve, commit and purge are separate ----

typedef enum mi_os_page_kind {
    MI_OS_PAGES_NORMAL,
    MI_OS_PAGES_LARGE_ALLOWED // large (2 MiB) pages when they can be had, else normal ones
} mi_os_page_kind_t;

typedef struct mi_os_memory {
    void *start; // aligned as asked; NULL when the system refused
    size_t size; // bytes
    void *base;  // what mi_os_release needs; differs from start where alignment was made by hand
    size_t base_size;
    bool is_committed; // accessible from the start
    bool is_zero;
    bool is_large; // pinned: cannot be purged
} mi_os_memory_t;

// Reserves size bytes aligned to alignment (a power of two), wholly below 2^MI_ADDRESS_BITS (on
// Windows by trying addresses from 2 TiB upwards). is_committed of the result says whether
// it is accessible: always when commit, on systems with overcommit also without it.
mi_os_memory_t mi_os_reserve(size_t size, size_t alignment, bool commit, mi_os_page_kind_t kind);
// 1 GiB pages on a NUMA node (-1: any), as many as can be had within timeout_ms (0: no limit), at
// most page_count; start is NULL when not one can be had. *got is their number.
mi_os_memory_t mi_os_reserve_huge(size_t page_count, int numa_node, size_t timeout_ms, size_t *got);
// Gives a whole reservation back.
void mi_os_release(const mi_os_memory_t *memory);

// The range is whole OS pages inside one reservation. False: the system refused, nothing changed.
bool mi_os_commit(void *start, size_t size);
// Gives the memory back but keeps the addresses. The next use needs mi_os_commit, unless
// decommit_keeps_access. The content is lost; it reads as zero after the next commit.
bool mi_os_decommit(void *start, size_t size);
// Lets the system take the memory when it needs it; stays accessible, content undefined until written.
bool mi_os_reset(void *start, size_t size);
// Gives the memory back now; stays accessible, content undefined until written.
bool mi_os_discard(void *start, size_t size);
// No access at all, for guard pages; and read-write again.
bool mi_os_protect(void *start, size_t size);
bool mi_os_unprotect(void *start, size_t size);
// A refused commit is tried again for so long: the system may be enlarging its paging file (Windows).
void mi_os_set_retry_on_oom(size_t limit_ms);
// Memory reserved from now on is not made of transparent huge pages. Nothing on Windows.
void mi_os_disallow_thp(void);

// ---- threads ----

// The two words that malloc and free need are read in one or two instructions: see os_tls.h.

// Calls on_exit(heap) when the calling thread ends, heap being what mi_os_tls_heap() returns then.
// on_exit is the same at every call. Windows: DllMain in the DLL, a TLS callback in programs that link
// the static library; the call of this function is what links that callback.
void mi_os_on_thread_exit(void (*on_exit)(void *heap));
// True when the DLL that this copy of the allocator is linked into is being unloaded, while the process
// goes on. Not for our own DLL, which is never unloaded.
bool mi_os_image_is_unloading(void);
// Gives the thread-local slot back; the next use takes another one.
void mi_os_release_tls_slot(void);
void mi_os_yield(void);
size_t mi_os_thread_id(void); // for messages; may be reused by the system
// Starts a detached thread that runs main(arg). False when the system refused.
bool mi_os_start_thread(void (*main)(void *arg), void *arg);
void mi_os_sleep(size_t milliseconds);
// True once the process is ending and other threads may have been killed: take no lock then.
bool mi_os_process_is_ending(void);
void mi_os_set_process_ending(void);

// A lock for rare operations (registering callbacks, reserving by hand): never on a path of malloc
// or free. Zero is unlocked. Spins, then yields; gives up, returning false, when the process is
// ending, since the holder may have been killed.
typedef struct mi_os_lock {
    _Atomic(uint32_t) taken;
} mi_os_lock_t;
bool mi_os_lock(mi_os_lock_t *lock);
void mi_os_unlock(mi_os_lock_t *lock);

// ---- the rest ----

uint64_t mi_os_clock_ms(void); // monotonic
uint64_t mi_os_clock_us(void); // monotonic
uint64_t mi_os_cycles(void);   // of the processor, or the clock: something that changes fast
// Random bytes from the system; false where that is not possible (then only clock and addresses).
bool mi_os_random(void *buffer, size_t size);
// Calls visit for each variable whose name begins with prefix (ASCII, upper case; found in any case),
// with the rest of the name in upper case and the value; both are cut to fit and gone afterwards.
// False: there is no environment yet (Linux, before the C library's start).
#define MI_OS_ENV_MAX 256
typedef void mi_os_env_fun(const char *name, const char *value);
bool mi_os_each_env(const char *prefix, mi_os_env_fun *visit);
// Copies the value of a variable, when it fits, and returns its length with the terminating zero in
// characters; 0 when it is not set. The wide form only with has_wide_environment.
size_t mi_os_env_copy(const char *name, char *buffer, size_t size);
size_t mi_os_env_copy_wide(const wchar_t *name, wchar_t *buffer, size_t size);
// The absolute path of name; 0 or an errno value.
int mi_os_full_path(const char *name, char *buffer, size_t size);
void mi_os_stderr(const char *text);
size_t mi_os_numa_node_count(void);
size_t mi_os_numa_node(void); // of the calling thread

typedef struct mi_os_process_info {
    uint64_t elapsed_ms; // since the process was started
    uint64_t user_ms, system_ms;
    size_t current_rss, peak_rss;       // bytes
    size_t current_commit, peak_commit; // bytes, 0 where the system does not tell
    size_t page_faults;
} mi_os_process_info_t;
void mi_os_process_info(mi_os_process_info_t *info);

_Noreturn void mi_os_abort(void);
