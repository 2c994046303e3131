// SPDX-License-Identifier: MIT
// A small allocator that speaks the stock contract and nothing else: mi_ functions and
// _mi_redirect_entry exported, mi_allocator_init and mi_allocator_done imported. It has no C
// runtime, as any allocator that is used before the runtime's start-up. It counts what happens to it,
// and traps on pointers that are not its own: those must never come here.
#include "stock_allocator.h"

#include <windows.h>

BOOLEAN NTAPI RtlDllShutdownInProgress(void);
extern bool mi_allocator_init(const char **message);
extern void mi_allocator_done(void);

enum { CLASS_COUNT = 40, HEADER_SIZE = 16 };

#define REGION_SIZE ((size_t)1 << 30)
#define COMMIT_STEP ((size_t)1 << 20)
#define LIVE        0x5AFE5AFEu
#define DEAD        0xDEADDEADu

typedef struct header { // directly before each block
    uint32_t mark;
    uint32_t class;
    size_t raw_size; // of the space behind the first header, for blocks that are not aligned
} header_t;

typedef struct free_block {
    struct free_block *next;
} free_block_t;

static volatile LONG lock_word;
static char *region;
static size_t used;
static size_t committed;
static free_block_t *free_lists[CLASS_COUNT];
static stock_counts_t counts;
static bool is_redirected;

static void lock(void)
{
    unsigned spins = 0;
    while (InterlockedExchange(&lock_word, 1) != 0) {
        // In a dying process the thread that had the lock is gone.
        if (++spins % 1024 == 0 && RtlDllShutdownInProgress())
            return;
        YieldProcessor();
    }
}

static void unlock(void)
{
    InterlockedExchange(&lock_word, 0);
}

static void fill(char *p, char value, size_t size)
{
    for (volatile char *q = p; size-- > 0;)
        *q++ = value;
}

static void copy(char *to, const char *from, size_t size)
{
    for (volatile char *q = to; size-- > 0;)
        *q++ = *from++;
}

static uint32_t class_of(size_t size)
{
    uint32_t class = 5;
    while (((size_t)1 << class) < size)
        class ++;
    return class;
}

static void *carve(uint32_t class)
{
    size_t size = (size_t)1 << class;
    if (region == NULL)
        region = VirtualAlloc(NULL, REGION_SIZE, MEM_RESERVE, PAGE_READWRITE);
    if (region == NULL || size > REGION_SIZE - used)
        return NULL;
    while (committed < used + size) {
        if (VirtualAlloc(region + committed, COMMIT_STEP, MEM_COMMIT, PAGE_READWRITE) == NULL)
            return NULL;
        committed += COMMIT_STEP;
    }
    void *space = region + used;
    used += size;
    return space;
}

bool mi_is_in_heap_region(const void *block)
{
    return region != NULL && (size_t)((const char *)block - region) < REGION_SIZE;
}

static header_t *header_of(const void *block)
{
    header_t *header = (header_t *)(uintptr_t)block - 1;
    if (!mi_is_in_heap_region(block) || header->mark != LIVE)
        __builtin_trap();
    return header;
}

void *mi_malloc_aligned_at(size_t size, size_t alignment, size_t offset)
{
    if (alignment < HEADER_SIZE)
        alignment = HEADER_SIZE;
    if (size > REGION_SIZE || alignment > REGION_SIZE)
        return NULL;
    uint32_t class = class_of(size + alignment + HEADER_SIZE);
    lock();
    char *space = (char *)free_lists[class];
    if (space != NULL)
        free_lists[class] = free_lists[class]->next;
    else
        space = carve(class);
    counts.allocations += space != NULL;
    unlock();
    if (space == NULL)
        return NULL;
    uintptr_t start = (uintptr_t)space + HEADER_SIZE + offset;
    char *block = (char *)(((start + alignment - 1) & ~(uintptr_t)(alignment - 1)) - offset);
    header_t *header = (header_t *)block - 1;
    *header = (header_t){LIVE, class, (size_t)(space + ((size_t)1 << class) - block)};
    fill(block, (char)0xA5, size);
    return block;
}

void *mi_malloc(size_t size)
{
    return mi_malloc_aligned_at(size, HEADER_SIZE, 0);
}

void mi_free(void *block)
{
    if (block == NULL)
        return;
    header_t *header = header_of(block);
    uint32_t class = header->class;
    size_t whole = (size_t)1 << class;
    char *space = (char *)block + header->raw_size - whole;
    header->mark = DEAD;
    lock();
    counts.frees++;
    ((free_block_t *)(void *)space)->next = free_lists[class];
    free_lists[class] = (free_block_t *)(void *)space;
    unlock();
}

size_t mi_usable_size(const void *block)
{
    return block != NULL ? header_of(block)->raw_size : 0;
}

void *mi_calloc(size_t count, size_t size)
{
    if (size != 0 && count > REGION_SIZE / size)
        return NULL;
    char *block = mi_malloc(count * size);
    if (block != NULL)
        fill(block, 0, mi_usable_size(block));
    return block;
}

void *mi_realloc_aligned_at(void *block, size_t size, size_t alignment, size_t offset)
{
    if (block == NULL)
        return mi_malloc_aligned_at(size, alignment, offset);
    size_t old = header_of(block)->raw_size;
    bool is_aligned = ((uintptr_t)block + offset) % alignment == 0;
    if (size <= old && is_aligned)
        return block;
    char *moved = mi_malloc_aligned_at(size, alignment, offset);
    if (moved != NULL) {
        copy(moved, block, old < size ? old : size);
        mi_free(block);
    }
    return moved;
}

void *mi_realloc(void *block, size_t size)
{
    return mi_realloc_aligned_at(block, size, HEADER_SIZE, 0);
}

bool mi_is_redirected(void)
{
    return is_redirected;
}

int mi_version(void)
{
    return 9000;
}

void _mi_redirect_entry(DWORD reason)
{
    switch (reason) {
    case DLL_PROCESS_ATTACH:
        counts.process_attaches++;
        is_redirected = true;
        break;
    case DLL_PROCESS_DETACH:
        counts.process_detaches++;
        is_redirected = false;
        break;
    case DLL_THREAD_ATTACH:
        InterlockedIncrement(&counts.thread_attaches);
        break;
    default:
        InterlockedIncrement(&counts.thread_detaches);
    }
}

const stock_counts_t *stock_counts(void)
{
    return &counts;
}

BOOL WINAPI stock_main(HINSTANCE instance, DWORD reason, void *reserved);
BOOL WINAPI stock_main(HINSTANCE instance, DWORD reason, void *reserved)
{
    (void)instance;
    (void)reserved;
    if (reason == DLL_PROCESS_ATTACH) {
        counts.attaches_before_main = counts.process_attaches;
        counts.allocations_before_main = counts.allocations;
        counts.init_result = mi_allocator_init(&counts.message);
    } else if (reason == DLL_PROCESS_DETACH) {
        mi_allocator_done();
    }
    return TRUE;
}
