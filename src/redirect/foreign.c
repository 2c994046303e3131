// SPDX-License-Identifier: MIT
// Foreign blocks. Where the runtime's own functions are intact (imports mode) they do the work;
// where their first bytes are gone, the heap below them does, as they would have.
#include "redirect/foreign.h"
#include "redirect/allocator.h"
#include "redirect/freestanding.h"
#include "redirect/report.h"

_Atomic(uint64_t) rd_foreign_free_count;
_Atomic(uint64_t) rd_foreign_realloc_count;
_Atomic(uint64_t) rd_foreign_size_count;

#define NOT_A_BLOCK ((size_t)-1)

// Before a block of a debug runtime: links, file, line, type, size, number and four guard bytes.
typedef struct debug_header {
    void *next;
    void *previous;
    const char *file;
    int line;
    int type;
    size_t size;
    long number;
    unsigned char guard[4];
} debug_header_t;

static void count(_Atomic(uint64_t) *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

// The runtime's own function while it is intact, else NULL.
static void *original(const rd_runtime_t *runtime, rd_function_t function)
{
    const rd_entry_t *entry = rd_runtime_entry(runtime, function);
    return entry != NULL && runtime->engine == MI_REDIRECT_ENGINE_IMPORTS && !runtime->is_unloaded
               ? entry->address
               : NULL;
}

void rd_foreign_free(const rd_runtime_t *runtime, void *block)
{
    count(&rd_foreign_free_count);
    void (*intact)(void *) = (void (*)(void *))original(runtime, RD_F_free);
    if (intact != NULL) {
        intact(block);
        return;
    }
    // A debug block is linked into the runtime's list of blocks; taking it out needs the runtime's
    // lock and list head, which are not exported. It stays: a few bytes against a damaged list.
    HANDLE heap = rd_runtime_heap(runtime);
    if (heap != NULL)
        RtlFreeHeap(heap, 0, block);
}

static void *move_debug_block(const rd_runtime_t *runtime, void *block, size_t size)
{
    size_t old = rd_foreign_msize(runtime, block);
    void *moved = rd_allocator.malloc(size);
    if (moved != NULL && old != NOT_A_BLOCK)
        memcpy(moved, block, old < size ? old : size);
    return moved;
}

void *rd_foreign_realloc(const rd_runtime_t *runtime, void *block, size_t size)
{
    count(&rd_foreign_realloc_count);
    void *(*intact)(void *, size_t) = (void *(*)(void *, size_t))original(runtime, RD_F_realloc);
    if (intact != NULL)
        return intact(block, size);
    if (runtime->is_debug)
        return move_debug_block(runtime, block, size);
    HANDLE heap = rd_runtime_heap(runtime);
    return heap != NULL ? RtlReAllocateHeap(heap, 0, block, size) : NULL;
}

void *rd_foreign_expand(const rd_runtime_t *runtime, void *block, size_t size)
{
    void *(*intact)(void *, size_t) = (void *(*)(void *, size_t))original(runtime, RD_F_expand);
    if (intact != NULL)
        return intact(block, size);
    if (runtime->is_debug) {
        size_t old = rd_foreign_msize(runtime, block);
        return old != NOT_A_BLOCK && size <= old ? block : NULL;
    }
    HANDLE heap = rd_runtime_heap(runtime);
    if (heap == NULL)
        return NULL;
    return RtlReAllocateHeap(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, size);
}

size_t rd_foreign_msize(const rd_runtime_t *runtime, void *block)
{
    count(&rd_foreign_size_count);
    size_t (*intact)(void *) = (size_t (*)(void *))original(runtime, RD_F_msize);
    if (intact != NULL)
        return intact(block);
    if (runtime->is_debug)
        return rd_runtime_is_up(runtime) ? ((const debug_header_t *)block)[-1].size : NOT_A_BLOCK;
    HANDLE heap = rd_runtime_heap(runtime);
    return heap != NULL ? RtlSizeHeap(heap, 0, block) : NOT_A_BLOCK;
}

// An aligned block lies within a larger one of malloc, whose address is in the word before it; a debug
// runtime has guard bytes in that word, and the address before them.
static void *raw_of(const rd_runtime_t *runtime, const void *block)
{
    uintptr_t word = (uintptr_t)block & ~(uintptr_t)(sizeof(void *) - 1);
    return ((void **)word)[runtime->is_debug ? -2 : -1];
}

void rd_foreign_aligned_free(const rd_runtime_t *runtime, void *block)
{
    void (*intact)(void *) = (void (*)(void *))original(runtime, RD_F_aligned_free);
    if (intact != NULL) {
        count(&rd_foreign_free_count);
        intact(block);
        return;
    }
    rd_foreign_free(runtime, raw_of(runtime, block));
}

// What the runtime adds to the size asked for: the word, the gap that keeps the word aligned when
// the block is not, the slack for aligning; and Wine a byte more, but no gap.
static size_t aligned_extra(const rd_runtime_t *runtime, size_t alignment, size_t offset)
{
    size_t word = sizeof(void *);
    size_t gap = runtime->has_gap ? (0 - offset) & (word - 1) : 0;
    size_t slack = (alignment > word ? alignment : word) - 1;
    return word + gap + slack + runtime->extra_byte_count;
}

size_t rd_foreign_aligned_msize(const rd_runtime_t *runtime, void *block, size_t alignment,
                                size_t offset)
{
    size_t (*intact)(void *, size_t, size_t) =
        (size_t (*)(void *, size_t, size_t))original(runtime, RD_F_aligned_msize);
    if (intact != NULL) {
        count(&rd_foreign_size_count);
        return intact(block, alignment, offset);
    }
    uint8_t *raw = raw_of(runtime, block);
    size_t total = rd_foreign_msize(runtime, raw);
    if (total == NOT_A_BLOCK)
        return NOT_A_BLOCK;
    size_t extra = aligned_extra(runtime, alignment, offset);
    // Never less than the block's size, if the layout is not known.
    size_t behind = (size_t)(raw + total - (uint8_t *)block);
    return runtime->is_layout_known && total >= extra ? total - extra : behind;
}

void rd_foreign_learn_layout(rd_runtime_t *runtime)
{
    enum { ALIGNMENT = 64, SIZE = 16, OFFSET = 4 };
    const rd_entry_t *maker = rd_runtime_entry(runtime, RD_F_aligned_offset_malloc);
    HANDLE heap = rd_runtime_heap(runtime);
    if (maker == NULL || maker->address == NULL || heap == NULL)
        return;
    void *(*make)(size_t, size_t, size_t) =
        (void *(*)(size_t, size_t, size_t))(uintptr_t)maker->address;
    void *plain = make(SIZE, ALIGNMENT, 0);
    void *shifted = make(SIZE, ALIGNMENT, OFFSET);
    if (plain != NULL && shifted != NULL) {
        size_t plain_extra = RtlSizeHeap(heap, 0, raw_of(runtime, plain)) - SIZE;
        size_t shifted_extra = RtlSizeHeap(heap, 0, raw_of(runtime, shifted)) - SIZE;
        size_t least = sizeof(void *) + ALIGNMENT - 1;
        runtime->extra_byte_count = (uint8_t)(plain_extra - least);
        runtime->has_gap =
            shifted_extra == plain_extra + (sizeof(void *) - OFFSET) % sizeof(void *);
        runtime->is_layout_known = plain_extra >= least && plain_extra - least <= 1 &&
                                   (runtime->has_gap || shifted_extra == plain_extra);
    }
    // The heap knows no alignment: what lies before each block is what was allocated.
    if (plain != NULL)
        RtlFreeHeap(heap, 0, raw_of(runtime, plain));
    if (shifted != NULL)
        RtlFreeHeap(heap, 0, raw_of(runtime, shifted));
}

void rd_set_errno(const rd_runtime_t *runtime, int value)
{
    // Before its start-up the runtime has no place for a thread's errno.
    if (runtime->errno_location != NULL && rd_runtime_is_up(runtime))
        *runtime->errno_location() = value;
}

bool rd_call_new_handler(const rd_runtime_t *runtime, size_t size)
{
    if (runtime->call_new_handler == NULL || runtime->query_new_mode == NULL)
        return false;
    return rd_runtime_is_up(runtime) && runtime->query_new_mode() != 0 &&
           runtime->call_new_handler(size) != 0;
}

void rd_invalid_parameter(const rd_runtime_t *runtime, int errno_value)
{
    rd_set_errno(runtime, errno_value);
    if (runtime->invalid_parameter != NULL && rd_runtime_is_up(runtime))
        runtime->invalid_parameter();
}

// ---- the host table ----

static void host_free(void *block)
{
    rd_foreign_free(rd_primary_runtime, block);
}

static void *host_realloc(void *block, size_t size)
{
    return rd_foreign_realloc(rd_primary_runtime, block, size);
}

static void *host_expand(void *block, size_t size)
{
    return rd_foreign_expand(rd_primary_runtime, block, size);
}

static size_t host_msize(void *block)
{
    return rd_foreign_msize(rd_primary_runtime, block);
}

static void host_aligned_free(void *block)
{
    rd_foreign_aligned_free(rd_primary_runtime, block);
}

static size_t host_aligned_msize(void *block, size_t alignment, size_t offset)
{
    return rd_foreign_aligned_msize(rd_primary_runtime, block, alignment, offset);
}

static void host_set_errno(int value)
{
    rd_set_errno(rd_primary_runtime, value);
}

static bool host_new_handler(size_t size)
{
    return rd_call_new_handler(rd_primary_runtime, size);
}

static void host_invalid_parameter(int errno_value)
{
    rd_invalid_parameter(rd_primary_runtime, errno_value);
}

const mi_redirect_host_t rd_host = {
    .size = sizeof(mi_redirect_host_t),
    .version = MI_REDIRECT_VERSION,
    .foreign_free = host_free,
    .foreign_realloc = host_realloc,
    .foreign_expand = host_expand,
    .foreign_msize = host_msize,
    .foreign_aligned_free = host_aligned_free,
    .foreign_aligned_msize = host_aligned_msize,
    .set_errno = host_set_errno,
    .new_handler = host_new_handler,
    .invalid_parameter = host_invalid_parameter,
    .get_status = mi_redirect_get_status,
};
