// SPDX-License-Identifier: MIT
// The public interface, source and binary compatible with version 2 of mimalloc's.
//
// Rules for all functions, unless a line says otherwise:
//   sizes and offsets are bytes; alignments are powers of two;
//   a size of 0 gives a unique block that can be freed;
//   failure gives NULL and errno ENOMEM, also for a count * size that overflows;
//   a returned block belongs to the caller, who gives it back with mi_free from any thread;
//   NULL may be freed and reallocated; every block is aligned to at least 16 bytes;
//   a function with a heap may only be called by the heap's own thread;
//   any function may be called at any time, also before main and while the process ends.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#if defined(_MSC_VER)
#include <sal.h> // _Check_return_
#endif

// The interface level: what mi_version returns.
#define MI_MALLOC_VERSION 20401
// Our own release.
#define MI_RELEASE_VERSION "0.1.0"

#ifdef __cplusplus
#define mi_decl_nothrow noexcept
#else
#define mi_decl_nothrow
#endif

#if defined(_MSC_VER) || defined(__MINGW32__)
#define mi_cdecl __cdecl
#else
#define mi_cdecl
#endif

#if defined(_WIN32) && defined(MI_SHARED_LIB_EXPORT)
#define mi_decl_export __declspec(dllexport)
#elif defined(_WIN32) && defined(MI_SHARED_LIB)
#define mi_decl_export __declspec(dllimport)
#elif defined(__GNUC__) && !defined(_WIN32)
#define mi_decl_export __attribute__((visibility("default")))
#else
#define mi_decl_export
#endif

#if defined(__GNUC__)
#define mi_attr_malloc      __attribute__((malloc))
#define mi_attr_size(i)     __attribute__((alloc_size(i)))
#define mi_attr_size2(i, j) __attribute__((alloc_size(i, j)))
#define mi_attr_align(i)    __attribute__((alloc_align(i)))
#define mi_decl_nodiscard   __attribute__((warn_unused_result))
#define mi_decl_restrict
#elif defined(_MSC_VER)
#define mi_attr_malloc
#define mi_attr_size(i)
#define mi_attr_size2(i, j)
#define mi_attr_align(i)
#define mi_decl_nodiscard _Check_return_
#define mi_decl_restrict  __declspec(restrict)
#else
#define mi_attr_malloc
#define mi_attr_size(i)
#define mi_attr_size2(i, j)
#define mi_attr_align(i)
#define mi_decl_nodiscard
#define mi_decl_restrict
#endif

// A function that returns a new block.
#define mi_decl_alloc mi_decl_nodiscard mi_decl_export mi_decl_restrict

#ifdef __cplusplus
extern "C" {
#endif

// ---- types -------------------------------------------------------------------------------------

typedef struct mi_heap_s mi_heap_t; // a first-class heap; belongs to the thread that made it
typedef mi_heap_t mi_theap_t;       // the same under its version 3 name
typedef int mi_arena_id_t;          // 0 is none
typedef void *mi_subproc_id_t;      // a group of threads that share abandoned memory

#define MI_SMALL_WSIZE_MAX 128
#define MI_SMALL_SIZE_MAX  (MI_SMALL_WSIZE_MAX * sizeof(void *))

// A run of blocks of one size, as the visitors see it.
typedef struct mi_heap_area_s {
    void *blocks;           // the first block
    size_t reserved;        // bytes of address space
    size_t committed;       // bytes in use by blocks made so far
    size_t used;            // blocks in use
    size_t block_size;      // bytes that a block's user may use
    size_t full_block_size; // bytes from block to block
    int heap_tag;
} mi_heap_area_t;

typedef void(mi_cdecl mi_deferred_free_fun)(bool force, unsigned long long heartbeat, void *arg);
typedef void(mi_cdecl mi_output_fun)(const char *msg, void *arg);
typedef void(mi_cdecl mi_error_fun)(int err, void *arg);
// block is NULL when an area is announced; returning false stops the walk.
typedef bool(mi_cdecl mi_block_visit_fun)(const mi_heap_t *heap, const mi_heap_area_t *area,
                                          void *block, size_t block_size, void *arg);

// ---- allocation --------------------------------------------------------------------------------

// size bytes, content undefined.
mi_decl_alloc void *mi_malloc(size_t size) mi_decl_nothrow mi_attr_malloc mi_attr_size(1);
// count * size bytes, all zero.
mi_decl_alloc void *mi_calloc(size_t count, size_t size) mi_decl_nothrow mi_attr_malloc
    mi_attr_size2(1, 2);
// Resizes p, moving it if needed; on failure p stays as it was. A newsize of 0 gives a live block.
mi_decl_nodiscard mi_decl_export void *mi_realloc(void *p, size_t newsize) mi_decl_nothrow
    mi_attr_size(2);
// p if newsize bytes fit where it lies, else NULL; never moves.
mi_decl_nodiscard mi_decl_export void *mi_expand(void *p, size_t newsize) mi_decl_nothrow;
// Gives a block back; NULL does nothing. A pointer that is not ours is reported and left alone.
mi_decl_export void mi_free(void *p) mi_decl_nothrow;
// A copy of the string s; NULL for NULL.
mi_decl_alloc char *mi_strdup(const char *s) mi_decl_nothrow mi_attr_malloc;
// A copy of at most n characters of s, always terminated.
mi_decl_alloc char *mi_strndup(const char *s, size_t n) mi_decl_nothrow mi_attr_malloc;
// The absolute path of fname, in resolved_name if that is not NULL; NULL and errno on failure.
mi_decl_nodiscard mi_decl_export char *mi_realpath(const char *fname,
                                                   char *resolved_name) mi_decl_nothrow;

// mi_malloc for sizes of at most MI_SMALL_SIZE_MAX.
mi_decl_alloc void *mi_malloc_small(size_t size) mi_decl_nothrow mi_attr_malloc mi_attr_size(1);
// mi_zalloc for sizes of at most MI_SMALL_SIZE_MAX.
mi_decl_alloc void *mi_zalloc_small(size_t size) mi_decl_nothrow mi_attr_malloc mi_attr_size(1);
// size bytes, all zero.
mi_decl_alloc void *mi_zalloc(size_t size) mi_decl_nothrow mi_attr_malloc mi_attr_size(1);
// count * size bytes, content undefined.
mi_decl_alloc void *mi_mallocn(size_t count, size_t size) mi_decl_nothrow mi_attr_malloc
    mi_attr_size2(1, 2);
// mi_realloc to count * size bytes.
mi_decl_nodiscard mi_decl_export void *mi_reallocn(void *p, size_t count,
                                                   size_t size) mi_decl_nothrow mi_attr_size2(2, 3);
// mi_realloc that frees p when it fails.
mi_decl_nodiscard mi_decl_export void *mi_reallocf(void *p, size_t newsize) mi_decl_nothrow
    mi_attr_size(2);
// Bytes that may be used at p, at least what was asked for; 0 for NULL and for foreign pointers.
mi_decl_nodiscard mi_decl_export size_t mi_usable_size(const void *p) mi_decl_nothrow;
// Bytes that a request of size bytes would really get.
mi_decl_nodiscard mi_decl_export size_t mi_good_size(size_t size) mi_decl_nothrow;
// mi_free for blocks of at most MI_SMALL_SIZE_MAX.
mi_decl_export void mi_free_small(void *p) mi_decl_nothrow;

// ---- callbacks and process ---------------------------------------------------------------------

// Calls deferred_free on slow paths, now and then, on the allocating thread; NULL takes it away.
mi_decl_export void mi_register_deferred_free(mi_deferred_free_fun *deferred_free,
                                              void *arg) mi_decl_nothrow;
// Sends all messages to out; NULL: to stderr again.
mi_decl_export void mi_register_output(mi_output_fun *out, void *arg) mi_decl_nothrow;
// Calls fun on every error: EAGAIN double free, EFAULT damaged memory, ENOMEM out of memory,
// EOVERFLOW count * size too large, EINVAL bad pointer or argument. Without a function, the debug and
// secure builds end the process on EAGAIN and EFAULT, after a message; all else is survived.
mi_decl_export void mi_register_error(mi_error_fun *fun, void *arg) mi_decl_nothrow;
// Frees what the calling thread's heap does not use; force: also gives memory back to the system.
mi_decl_export void mi_collect(bool force) mi_decl_nothrow;
// MI_MALLOC_VERSION of the library.
mi_decl_export int mi_version(void) mi_decl_nothrow;
// Times in milliseconds, memory in bytes; any pointer may be NULL.
mi_decl_export void mi_process_info(size_t *elapsed_msecs, size_t *user_msecs, size_t *system_msecs,
                                    size_t *current_rss, size_t *peak_rss, size_t *current_commit,
                                    size_t *peak_commit, size_t *page_faults) mi_decl_nothrow;
// Starts the allocator; happens by itself on first use.
mi_decl_export void mi_process_init(void) mi_decl_nothrow;
// Ends the allocator; happens by itself at exit. Allocation still works afterwards.
mi_decl_export void mi_process_done(void) mi_decl_nothrow;
// Makes the calling thread's heap; happens by itself on first use.
mi_decl_export void mi_thread_init(void) mi_decl_nothrow;
// Hands the calling thread's memory over; happens by itself when a thread ends.
mi_decl_export void mi_thread_done(void) mi_decl_nothrow;
// Tells that the calling thread lives in a thread pool: it does not reclaim other threads' memory.
mi_decl_export void mi_thread_set_in_threadpool(void) mi_decl_nothrow;
// Gives back what the calling thread owns beyond target_thread_owned bytes, if it can.
mi_decl_export void mi_collect_reduce(size_t target_thread_owned) mi_decl_nothrow;

// ---- statistics --------------------------------------------------------------------------------

// Forgets the statistics so far.
mi_decl_export void mi_stats_reset(void) mi_decl_nothrow;
// Adds the calling thread's figures to the process's.
mi_decl_export void mi_stats_merge(void) mi_decl_nothrow;
// Prints to stderr or the registered output; out is ignored (NULL, kept for old programs).
mi_decl_export void mi_stats_print(void *out) mi_decl_nothrow;
// Prints to out, line by line; NULL: as mi_stats_print.
mi_decl_export void mi_stats_print_out(mi_output_fun *out, void *arg) mi_decl_nothrow;
// The same for the calling thread alone.
mi_decl_export void mi_thread_stats_print_out(mi_output_fun *out, void *arg) mi_decl_nothrow;
// Prints every option with its value.
mi_decl_export void mi_options_print(void) mi_decl_nothrow;
// Prints a map of the arenas.
mi_decl_export void mi_debug_show_arenas(void) mi_decl_nothrow;
// Prints one line per arena.
mi_decl_export void mi_arenas_print(void) mi_decl_nothrow;

// ---- aligned allocation ------------------------------------------------------------------------
// The block (with _at: block + offset) is a multiple of alignment. A bad alignment gives NULL and errno
// EINVAL.

mi_decl_alloc void *mi_malloc_aligned(size_t size, size_t alignment) mi_decl_nothrow mi_attr_malloc
    mi_attr_size(1) mi_attr_align(2);
mi_decl_alloc void *mi_malloc_aligned_at(size_t size, size_t alignment,
                                         size_t offset) mi_decl_nothrow mi_attr_malloc
    mi_attr_size(1);
// Zero-filled.
mi_decl_alloc void *mi_zalloc_aligned(size_t size, size_t alignment) mi_decl_nothrow mi_attr_malloc
    mi_attr_size(1) mi_attr_align(2);
mi_decl_alloc void *mi_zalloc_aligned_at(size_t size, size_t alignment,
                                         size_t offset) mi_decl_nothrow mi_attr_malloc
    mi_attr_size(1);
// count * size bytes, zero-filled.
mi_decl_alloc void *mi_calloc_aligned(size_t count, size_t size,
                                      size_t alignment) mi_decl_nothrow mi_attr_malloc
    mi_attr_size2(1, 2) mi_attr_align(3);
mi_decl_alloc void *mi_calloc_aligned_at(size_t count, size_t size, size_t alignment,
                                         size_t offset) mi_decl_nothrow mi_attr_malloc
    mi_attr_size2(1, 2);
// Resizes and keeps, or makes, the block aligned.
mi_decl_nodiscard mi_decl_export void *mi_realloc_aligned(void *p, size_t newsize,
                                                          size_t alignment) mi_decl_nothrow
    mi_attr_size(2) mi_attr_align(3);
mi_decl_nodiscard mi_decl_export void *
mi_realloc_aligned_at(void *p, size_t newsize, size_t alignment, size_t offset) mi_decl_nothrow
    mi_attr_size(2);

// ---- allocation that also reports the block size -----------------------------------------------
// *block_size, if the pointer is not NULL, is the usable size; 0 on failure.

mi_decl_alloc void *mi_umalloc(size_t size, size_t *block_size) mi_decl_nothrow mi_attr_malloc
    mi_attr_size(1);
mi_decl_alloc void *mi_ucalloc(size_t count, size_t size,
                               size_t *block_size) mi_decl_nothrow mi_attr_malloc
    mi_attr_size2(1, 2);
// Reports the usable size before and after.
mi_decl_nodiscard mi_decl_export void *mi_urealloc(void *p, size_t newsize, size_t *block_size_pre,
                                                   size_t *block_size_post) mi_decl_nothrow
    mi_attr_size(2);
// Frees p and reports what its usable size was.
mi_decl_export void mi_ufree(void *p, size_t *block_size) mi_decl_nothrow;
mi_decl_alloc void *mi_umalloc_aligned(size_t size, size_t alignment,
                                       size_t *block_size) mi_decl_nothrow mi_attr_malloc
    mi_attr_size(1) mi_attr_align(2);
mi_decl_alloc void *mi_uzalloc_aligned(size_t size, size_t alignment,
                                       size_t *block_size) mi_decl_nothrow mi_attr_malloc
    mi_attr_size(1) mi_attr_align(2);
mi_decl_alloc void *mi_umalloc_small(size_t size, size_t *block_size) mi_decl_nothrow mi_attr_malloc
    mi_attr_size(1);
mi_decl_alloc void *mi_uzalloc_small(size_t size, size_t *block_size) mi_decl_nothrow mi_attr_malloc
    mi_attr_size(1);
// True when less than perc_threshold per cent of the blocks around p are in use: p is worth moving.
mi_decl_export bool mi_unsafe_heap_page_is_under_utilized(mi_heap_t *heap, void *p,
                                                          size_t perc_threshold) mi_decl_nothrow;

// ---- reallocation that zeroes what it adds -----------------------------------------------------
// Only for blocks that were zero-initialised to begin with.

mi_decl_nodiscard mi_decl_export void *mi_rezalloc(void *p, size_t newsize) mi_decl_nothrow
    mi_attr_size(2);
mi_decl_nodiscard mi_decl_export void *mi_recalloc(void *p, size_t newcount,
                                                   size_t size) mi_decl_nothrow mi_attr_size2(2, 3);
mi_decl_nodiscard mi_decl_export void *mi_rezalloc_aligned(void *p, size_t newsize,
                                                           size_t alignment) mi_decl_nothrow
    mi_attr_size(2) mi_attr_align(3);
mi_decl_nodiscard mi_decl_export void *
mi_rezalloc_aligned_at(void *p, size_t newsize, size_t alignment, size_t offset) mi_decl_nothrow
    mi_attr_size(2);
mi_decl_nodiscard mi_decl_export void *mi_recalloc_aligned(void *p, size_t newcount, size_t size,
                                                           size_t alignment) mi_decl_nothrow
    mi_attr_size2(2, 3) mi_attr_align(4);
mi_decl_nodiscard mi_decl_export void *mi_recalloc_aligned_at(void *p, size_t newcount, size_t size,
                                                              size_t alignment,
                                                              size_t offset) mi_decl_nothrow
    mi_attr_size2(2, 3);

// ---- heaps -------------------------------------------------------------------------------------

// A new heap of the calling thread; NULL when out of memory.
mi_decl_nodiscard mi_decl_export mi_heap_t *mi_heap_new(void);
// Ends the heap; its live blocks move to the thread's backing heap.
mi_decl_export void mi_heap_delete(mi_heap_t *heap);
// Ends the heap and frees all its blocks at once.
mi_decl_export void mi_heap_destroy(mi_heap_t *heap);
// Makes heap what mi_malloc uses on this thread; the one before is returned.
mi_decl_export mi_heap_t *mi_heap_set_default(mi_heap_t *heap);
mi_decl_export mi_heap_t *mi_heap_get_default(void);
// The thread's first heap, which lives as long as the thread.
mi_decl_export mi_heap_t *mi_heap_get_backing(void);
// mi_collect for one heap.
mi_decl_export void mi_heap_collect(mi_heap_t *heap, bool force) mi_decl_nothrow;
// A heap that takes its memory from one arena only.
mi_decl_nodiscard mi_decl_export mi_heap_t *mi_heap_new_in_arena(mi_arena_id_t arena_id);
// heap_tag (0 to 255) is given to visitors; without allow_destroy, destroy works like delete.
mi_decl_nodiscard mi_decl_export mi_heap_t *mi_heap_new_ex(int heap_tag, bool allow_destroy,
                                                           mi_arena_id_t arena_id);

// ---- heaps: allocation; each as its namesake without heap --------------------------------------

mi_decl_alloc void *mi_heap_malloc(mi_heap_t *heap, size_t size) mi_decl_nothrow mi_attr_malloc
    mi_attr_size(2);
mi_decl_alloc void *mi_heap_zalloc(mi_heap_t *heap, size_t size) mi_decl_nothrow mi_attr_malloc
    mi_attr_size(2);
mi_decl_alloc void *mi_heap_calloc(mi_heap_t *heap, size_t count,
                                   size_t size) mi_decl_nothrow mi_attr_malloc mi_attr_size2(2, 3);
mi_decl_alloc void *mi_heap_mallocn(mi_heap_t *heap, size_t count,
                                    size_t size) mi_decl_nothrow mi_attr_malloc mi_attr_size2(2, 3);
mi_decl_alloc void *mi_heap_malloc_small(mi_heap_t *heap,
                                         size_t size) mi_decl_nothrow mi_attr_malloc
    mi_attr_size(2);
mi_decl_alloc void *mi_heap_zalloc_small(mi_heap_t *heap,
                                         size_t size) mi_decl_nothrow mi_attr_malloc
    mi_attr_size(2);
mi_decl_nodiscard mi_decl_export void *mi_heap_realloc(mi_heap_t *heap, void *p,
                                                       size_t newsize) mi_decl_nothrow
    mi_attr_size(3);
mi_decl_nodiscard mi_decl_export void *mi_heap_reallocn(mi_heap_t *heap, void *p, size_t count,
                                                        size_t size) mi_decl_nothrow
    mi_attr_size2(3, 4);
mi_decl_nodiscard mi_decl_export void *mi_heap_reallocf(mi_heap_t *heap, void *p,
                                                        size_t newsize) mi_decl_nothrow
    mi_attr_size(3);
mi_decl_alloc char *mi_heap_strdup(mi_heap_t *heap, const char *s) mi_decl_nothrow mi_attr_malloc;
mi_decl_alloc char *mi_heap_strndup(mi_heap_t *heap, const char *s,
                                    size_t n) mi_decl_nothrow mi_attr_malloc;
mi_decl_nodiscard mi_decl_export char *mi_heap_realpath(mi_heap_t *heap, const char *fname,
                                                        char *resolved_name) mi_decl_nothrow;

mi_decl_alloc void *mi_heap_malloc_aligned(mi_heap_t *heap, size_t size,
                                           size_t alignment) mi_decl_nothrow mi_attr_malloc
    mi_attr_size(2) mi_attr_align(3);
mi_decl_alloc void *mi_heap_malloc_aligned_at(mi_heap_t *heap, size_t size, size_t alignment,
                                              size_t offset) mi_decl_nothrow mi_attr_malloc
    mi_attr_size(2);
mi_decl_alloc void *mi_heap_zalloc_aligned(mi_heap_t *heap, size_t size,
                                           size_t alignment) mi_decl_nothrow mi_attr_malloc
    mi_attr_size(2) mi_attr_align(3);
mi_decl_alloc void *mi_heap_zalloc_aligned_at(mi_heap_t *heap, size_t size, size_t alignment,
                                              size_t offset) mi_decl_nothrow mi_attr_malloc
    mi_attr_size(2);
mi_decl_alloc void *mi_heap_calloc_aligned(mi_heap_t *heap, size_t count, size_t size,
                                           size_t alignment) mi_decl_nothrow mi_attr_malloc
    mi_attr_size2(2, 3) mi_attr_align(4);
mi_decl_alloc void *mi_heap_calloc_aligned_at(mi_heap_t *heap, size_t count, size_t size,
                                              size_t alignment,
                                              size_t offset) mi_decl_nothrow mi_attr_malloc
    mi_attr_size2(2, 3);
mi_decl_nodiscard mi_decl_export void *
mi_heap_realloc_aligned(mi_heap_t *heap, void *p, size_t newsize, size_t alignment) mi_decl_nothrow
    mi_attr_size(3) mi_attr_align(4);
mi_decl_nodiscard mi_decl_export void *mi_heap_realloc_aligned_at(mi_heap_t *heap, void *p,
                                                                  size_t newsize, size_t alignment,
                                                                  size_t offset) mi_decl_nothrow
    mi_attr_size(3);

mi_decl_nodiscard mi_decl_export void *mi_heap_rezalloc(mi_heap_t *heap, void *p,
                                                        size_t newsize) mi_decl_nothrow
    mi_attr_size(3);
mi_decl_nodiscard mi_decl_export void *mi_heap_recalloc(mi_heap_t *heap, void *p, size_t newcount,
                                                        size_t size) mi_decl_nothrow
    mi_attr_size2(3, 4);
mi_decl_nodiscard mi_decl_export void *
mi_heap_rezalloc_aligned(mi_heap_t *heap, void *p, size_t newsize, size_t alignment) mi_decl_nothrow
    mi_attr_size(3) mi_attr_align(4);
mi_decl_nodiscard mi_decl_export void *mi_heap_rezalloc_aligned_at(mi_heap_t *heap, void *p,
                                                                   size_t newsize, size_t alignment,
                                                                   size_t offset) mi_decl_nothrow
    mi_attr_size(3);
mi_decl_nodiscard mi_decl_export void *mi_heap_recalloc_aligned(mi_heap_t *heap, void *p,
                                                                size_t newcount, size_t size,
                                                                size_t alignment) mi_decl_nothrow
    mi_attr_size2(3, 4) mi_attr_align(5);
mi_decl_nodiscard mi_decl_export void *
mi_heap_recalloc_aligned_at(mi_heap_t *heap, void *p, size_t newcount, size_t size,
                            size_t alignment, size_t offset) mi_decl_nothrow mi_attr_size2(3, 4);
// mi_new in a heap.
mi_decl_alloc void *mi_heap_alloc_new(mi_heap_t *heap, size_t size) mi_attr_malloc mi_attr_size(2);
// mi_new_n in a heap.
mi_decl_alloc void *mi_heap_alloc_new_n(mi_heap_t *heap, size_t count, size_t size) mi_attr_malloc
    mi_attr_size2(2, 3);

// ---- heaps: analysis ---------------------------------------------------------------------------

// True when the block p belongs to heap; p must be a block of ours.
mi_decl_export bool mi_heap_contains_block(mi_heap_t *heap, const void *p);
// True when p, any address, is the start of a block of heap. Slow.
mi_decl_export bool mi_heap_check_owned(mi_heap_t *heap, const void *p);
// The same for the calling thread's default heap.
mi_decl_export bool mi_check_owned(const void *p);
// Calls visitor for each area and, with visit_blocks, for each live block; false when it stopped.
mi_decl_export bool mi_heap_visit_blocks(const mi_heap_t *heap, bool visit_blocks,
                                         mi_block_visit_fun *visitor, void *arg);
// True when p, any address, lies in memory of ours.
mi_decl_nodiscard mi_decl_export bool mi_is_in_heap_region(const void *p) mi_decl_nothrow;
// True when the C runtime's malloc was seen to be ours in a test at start (Windows).
mi_decl_nodiscard mi_decl_export bool mi_is_redirected(void) mi_decl_nothrow;
// As mi_heap_visit_blocks, for ended threads; needs the option visit_abandoned. heap_tag -1: all.
mi_decl_export bool mi_abandoned_visit_blocks(mi_subproc_id_t subproc_id, int heap_tag,
                                              bool visit_blocks, mi_block_visit_fun *visitor,
                                              void *arg);
// Guards one in sample_rate allocations of heap; 0: none. Only in builds with guard pages.
mi_decl_export void mi_heap_guarded_set_sample_rate(mi_heap_t *heap, size_t sample_rate,
                                                    size_t seed);
// Guards only sizes from min to max.
mi_decl_export void mi_heap_guarded_set_size_bound(mi_heap_t *heap, size_t min, size_t max);

// ---- arenas and huge pages ---------------------------------------------------------------------
// Functions that return int give 0, or ENOMEM, EINVAL or ETIMEDOUT.

// pages of 1 GiB spread over numa_nodes nodes (0: all there are); timeout 0: no limit.
mi_decl_export int mi_reserve_huge_os_pages_interleave(size_t pages, size_t numa_nodes,
                                                       size_t timeout_msecs) mi_decl_nothrow;
// pages of 1 GiB on one node (-1: any).
mi_decl_export int mi_reserve_huge_os_pages_at(size_t pages, int numa_node,
                                               size_t timeout_msecs) mi_decl_nothrow;
// size bytes from the system as an arena.
mi_decl_export int mi_reserve_os_memory(size_t size, bool commit, bool allow_large) mi_decl_nothrow;
// Uses memory of the caller as an arena, for the rest of the process.
mi_decl_export bool mi_manage_os_memory(void *start, size_t size, bool is_committed, bool is_large,
                                        bool is_zero, int numa_node) mi_decl_nothrow;
// Start and size of an arena; NULL when there is none of that id.
mi_decl_export void *mi_arena_area(mi_arena_id_t arena_id, size_t *size) mi_decl_nothrow;
// The same three, for an arena that only heaps made for it use when exclusive.
mi_decl_export int mi_reserve_huge_os_pages_at_ex(size_t pages, int numa_node, size_t timeout_msecs,
                                                  bool exclusive,
                                                  mi_arena_id_t *arena_id) mi_decl_nothrow;
mi_decl_export int mi_reserve_os_memory_ex(size_t size, bool commit, bool allow_large,
                                           bool exclusive, mi_arena_id_t *arena_id) mi_decl_nothrow;
mi_decl_export bool mi_manage_os_memory_ex(void *start, size_t size, bool is_committed,
                                           bool is_large, bool is_zero, int numa_node,
                                           bool exclusive, mi_arena_id_t *arena_id) mi_decl_nothrow;
// Old form of the interleaved one; max_secs is the limit for all pages.
mi_decl_export int mi_reserve_huge_os_pages(size_t pages, double max_secs,
                                            size_t *pages_reserved) mi_decl_nothrow;

// ---- sub-processes -----------------------------------------------------------------------------
// Threads of different sub-processes never take over each other's abandoned memory.

mi_decl_export mi_subproc_id_t mi_subproc_main(void);
mi_decl_export mi_subproc_id_t mi_subproc_new(void);
// All its threads must have ended; what they left goes to the main one.
mi_decl_export void mi_subproc_delete(mi_subproc_id_t subproc);
// To be called by a new thread before it allocates.
mi_decl_export void mi_subproc_add_current_thread(mi_subproc_id_t subproc);

// ---- options -----------------------------------------------------------------------------------
// Read once from the environment as MIMALLOC_ and the name, in any case. The order is part of the
// binary interface.

typedef enum mi_option_e {
    mi_option_show_errors, // print error messages
    mi_option_show_stats,  // print statistics at exit
    mi_option_verbose,     // diagnostics: 1 to 3
    mi_option_eager_commit,
    mi_option_arena_eager_commit, // 2: only where the system overcommits
    mi_option_purge_decommits,    // 0: purging only resets
    mi_option_allow_large_os_pages,
    mi_option_reserve_huge_os_pages,    // 1 GiB pages at start
    mi_option_reserve_huge_os_pages_at, // on this NUMA node
    mi_option_reserve_os_memory,        // arena at start; kept in KiB
    mi_option_deprecated_segment_cache,
    mi_option_deprecated_page_reset,
    mi_option_abandoned_page_purge, // purge at once what an ended thread leaves
    mi_option_deprecated_segment_reset,
    mi_option_eager_commit_delay, // so many first segments of a thread are committed by page
    mi_option_purge_delay,        // milliseconds; 0 at once, -1 never
    mi_option_use_numa_nodes,     // at most so many; 0: all
    mi_option_disallow_os_alloc,  // only memory reserved beforehand
    mi_option_os_tag,             // none on Windows
    mi_option_max_errors,
    mi_option_max_warnings,
    mi_option_max_segment_reclaim, // per cent of the abandoned segments in one try
    mi_option_destroy_on_exit,
    mi_option_arena_reserve, // size of the first arena; kept in KiB
    mi_option_arena_purge_mult,
    mi_option_purge_extend_delay, // milliseconds that a further free postpones a purge
    mi_option_abandoned_reclaim_on_free,
    mi_option_disallow_arena_alloc, // no arenas unless named by id
    mi_option_retry_on_oom,         // milliseconds (Windows)
    mi_option_visit_abandoned,
    mi_option_guarded_min,
    mi_option_guarded_max,
    mi_option_guarded_precise,     // end blocks exactly at the guard page
    mi_option_guarded_sample_rate, // guard one in N
    mi_option_guarded_sample_seed,
    mi_option_target_segments_per_thread,
    mi_option_generic_collect,  // collect once every N slow-path allocations
    mi_option_allow_thp,        // none on Windows
    mi_option_background_purge, // give idle memory back without a further call (ours, not in v2)
    _mi_option_last,
    // Old names.
    mi_option_large_os_pages = mi_option_allow_large_os_pages,
    mi_option_eager_region_commit = mi_option_arena_eager_commit,
    mi_option_reset_decommits = mi_option_purge_decommits,
    mi_option_reset_delay = mi_option_purge_delay,
    mi_option_abandoned_page_reset = mi_option_abandoned_page_purge,
    mi_option_limit_os_alloc = mi_option_disallow_os_alloc
} mi_option_t;

mi_decl_nodiscard mi_decl_export bool mi_option_is_enabled(mi_option_t option);
mi_decl_export void mi_option_enable(mi_option_t option);
mi_decl_export void mi_option_disable(mi_option_t option);
mi_decl_export void mi_option_set_enabled(mi_option_t option, bool enable);
// The _default forms leave an option alone that the environment or the program has set.
mi_decl_export void mi_option_set_enabled_default(mi_option_t option, bool enable);
mi_decl_nodiscard mi_decl_export long mi_option_get(mi_option_t option);
mi_decl_nodiscard mi_decl_export long mi_option_get_clamp(mi_option_t option, long min, long max);
// In bytes, also for options kept in KiB; 0 for negative values.
mi_decl_nodiscard mi_decl_export size_t mi_option_get_size(mi_option_t option);
mi_decl_export void mi_option_set(mi_option_t option, long value);
mi_decl_export void mi_option_set_default(mi_option_t option, long value);

// ---- C++ operators -----------------------------------------------------------------------------
// On failure these call the program's new handler and try again; without one they throw bad_alloc
// through the C++ runtime, where they are linked with it, else (the Windows DLL) end the process. The
// nothrow forms return NULL then. mimalloc-new-delete.h throws in the program's runtime everywhere.

mi_decl_alloc void *mi_new(size_t size) mi_attr_malloc mi_attr_size(1);
mi_decl_alloc void *mi_new_aligned(size_t size, size_t alignment) mi_attr_malloc mi_attr_size(1)
    mi_attr_align(2);
mi_decl_alloc void *mi_new_nothrow(size_t size) mi_decl_nothrow mi_attr_malloc mi_attr_size(1);
mi_decl_alloc void *mi_new_aligned_nothrow(size_t size,
                                           size_t alignment) mi_decl_nothrow mi_attr_malloc
    mi_attr_size(1) mi_attr_align(2);
mi_decl_alloc void *mi_new_n(size_t count, size_t size) mi_attr_malloc mi_attr_size2(1, 2);
mi_decl_nodiscard mi_decl_export void *mi_new_realloc(void *p, size_t newsize) mi_attr_size(2);
mi_decl_nodiscard mi_decl_export void *mi_new_reallocn(void *p, size_t newcount, size_t size)
    mi_attr_size2(2, 3);

// ---- POSIX, Windows runtime and BSD spellings --------------------------------------------------

// mi_free that quietly ignores pointers that are not ours.
mi_decl_export void mi_cfree(void *p) mi_decl_nothrow;
// mi_expand.
mi_decl_nodiscard mi_decl_export void *mi__expand(void *p, size_t newsize) mi_decl_nothrow;
// mi_usable_size, mi_good_size, mi_usable_size.
mi_decl_nodiscard mi_decl_export size_t mi_malloc_size(const void *p) mi_decl_nothrow;
mi_decl_nodiscard mi_decl_export size_t mi_malloc_good_size(size_t size) mi_decl_nothrow;
mi_decl_nodiscard mi_decl_export size_t mi_malloc_usable_size(const void *p) mi_decl_nothrow;
// 0, EINVAL for a bad alignment, or ENOMEM; *p changes only on success, errno never.
mi_decl_export int mi_posix_memalign(void **p, size_t alignment, size_t size) mi_decl_nothrow;
mi_decl_alloc void *mi_memalign(size_t alignment, size_t size) mi_decl_nothrow mi_attr_malloc
    mi_attr_size(2) mi_attr_align(1);
// Aligned to an OS page.
mi_decl_alloc void *mi_valloc(size_t size) mi_decl_nothrow mi_attr_malloc mi_attr_size(1);
// The same, and the size rounded up to whole OS pages.
mi_decl_alloc void *mi_pvalloc(size_t size) mi_decl_nothrow mi_attr_malloc mi_attr_size(1);
mi_decl_alloc void *mi_aligned_alloc(size_t alignment, size_t size) mi_decl_nothrow mi_attr_malloc
    mi_attr_size(2) mi_attr_align(1);
// mi_reallocn with errno EOVERFLOW for a product that overflows.
mi_decl_nodiscard mi_decl_export void *mi_reallocarray(void *p, size_t count,
                                                       size_t size) mi_decl_nothrow
    mi_attr_size2(2, 3);
// ptrp points to the pointer, which changes on success; 0 or an errno value.
mi_decl_export int mi_reallocarr(void *ptrp, size_t count, size_t size) mi_decl_nothrow;
// mi_recalloc_aligned and mi_recalloc_aligned_at.
mi_decl_nodiscard mi_decl_export void *mi_aligned_recalloc(void *p, size_t newcount, size_t size,
                                                           size_t alignment) mi_decl_nothrow;
mi_decl_nodiscard mi_decl_export void *mi_aligned_offset_recalloc(void *p, size_t newcount,
                                                                  size_t size, size_t alignment,
                                                                  size_t offset) mi_decl_nothrow;
// mi_free by callers that know the size or the alignment (checked in debug builds).
mi_decl_export void mi_free_size(void *p, size_t size) mi_decl_nothrow;
mi_decl_export void mi_free_size_aligned(void *p, size_t size, size_t alignment) mi_decl_nothrow;
mi_decl_export void mi_free_aligned(void *p, size_t alignment) mi_decl_nothrow;
// *buf is a copy of an environment variable, NULL when not set; *size its characters with the
// terminating zero. 0, EINVAL or ENOMEM. The wide form is for Windows; EINVAL elsewhere.
mi_decl_export int mi_dupenv_s(char **buf, size_t *size, const char *name) mi_decl_nothrow;
mi_decl_export int mi_wdupenv_s(wchar_t **buf, size_t *size, const wchar_t *name) mi_decl_nothrow;
// Copies of strings; NULL for NULL.
mi_decl_alloc wchar_t *mi_wcsdup(const wchar_t *s) mi_decl_nothrow mi_attr_malloc;
mi_decl_alloc unsigned char *mi_mbsdup(const unsigned char *s) mi_decl_nothrow mi_attr_malloc;

#ifdef __cplusplus
}
#endif

// ---- typed forms and version 3 spellings -------------------------------------------------------

#define mi_malloc_tp(tp)         ((tp *)mi_malloc(sizeof(tp)))
#define mi_zalloc_tp(tp)         ((tp *)mi_zalloc(sizeof(tp)))
#define mi_calloc_tp(tp, n)      ((tp *)mi_calloc(n, sizeof(tp)))
#define mi_mallocn_tp(tp, n)     ((tp *)mi_mallocn(n, sizeof(tp)))
#define mi_reallocn_tp(p, tp, n) ((tp *)mi_reallocn(p, n, sizeof(tp)))
#define mi_recalloc_tp(p, tp, n) ((tp *)mi_recalloc(p, n, sizeof(tp)))

#define mi_heap_malloc_tp(hp, tp)         ((tp *)mi_heap_malloc(hp, sizeof(tp)))
#define mi_heap_zalloc_tp(hp, tp)         ((tp *)mi_heap_zalloc(hp, sizeof(tp)))
#define mi_heap_calloc_tp(hp, tp, n)      ((tp *)mi_heap_calloc(hp, n, sizeof(tp)))
#define mi_heap_mallocn_tp(hp, tp, n)     ((tp *)mi_heap_mallocn(hp, n, sizeof(tp)))
#define mi_heap_reallocn_tp(hp, p, tp, n) ((tp *)mi_heap_reallocn(hp, p, n, sizeof(tp)))
#define mi_heap_recalloc_tp(hp, p, tp, n) ((tp *)mi_heap_recalloc(hp, p, n, sizeof(tp)))

#define mi_theap_get_default    mi_heap_get_default
#define mi_theap_set_default    mi_heap_set_default
#define mi_theap_collect        mi_heap_collect
#define mi_theap_malloc         mi_heap_malloc
#define mi_theap_zalloc         mi_heap_zalloc
#define mi_theap_calloc         mi_heap_calloc
#define mi_theap_malloc_small   mi_heap_malloc_small
#define mi_theap_malloc_aligned mi_heap_malloc_aligned
#define mi_theap_realloc        mi_heap_realloc

#ifdef __cplusplus
#include "mimalloc/stl.h"
#endif
