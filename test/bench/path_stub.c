// SPDX-License-Identifier: MIT
// Two floors for the instruction table, preloaded like an allocator.
// "stub" hands out one address and frees nothing: what remains is the loop and the calls.
// "ideal" pops from and pushes to one list per size class and never asks whose block it is, so no
// allocator that can tell its own blocks, or return memory, can be cheaper. Neither is an allocator;
// bench_path is the only program that they can run.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *malloc(size_t size);
void free(void *p);

#if BENCH_IDEAL
enum { ARENA_BYTES = 256 << 20, CLASS_COUNT = 66, ALIGN = 16 };

typedef struct block {
    struct block *next;
} block_t;

static _Alignas(4096) unsigned char arena[ARENA_BYTES];
static size_t arena_used;
static block_t *free_lists[CLASS_COUNT];
// The class of the block at each 4 KiB of the arena; larger blocks mark only their first.
static uint8_t class_at[ARENA_BYTES / 4096];

static size_t class_size(size_t class_index)
{
    return class_index <= 64 ? class_index * ALIGN : 32768;
}

static inline size_t class_of(size_t size)
{
    return size <= 1024 ? (size + ALIGN - 1) / ALIGN : 65;
}

// A new run of 64 KiB for one class.
static __attribute__((noinline)) void *refill(size_t class_index)
{
    enum { RUN = 65536 };
    if (class_index == 0 || arena_used + RUN > ARENA_BYTES)
        return NULL;
    unsigned char *run = arena + arena_used;
    arena_used += RUN;
    for (size_t i = 0; i < RUN / 4096; i++)
        class_at[(size_t)(run - arena) / 4096 + i] = (uint8_t)class_index;
    size_t size = class_size(class_index);
    for (size_t at = size; at + size <= RUN; at += size) {
        block_t *block = (block_t *)(void *)(run + at);
        block->next = free_lists[class_index];
        free_lists[class_index] = block;
    }
    return run;
}

void *malloc(size_t size)
{
    size_t class_index = class_of(size);
    block_t *block = free_lists[class_index];
    if (__builtin_expect(block == NULL, 0))
        return refill(class_index);
    free_lists[class_index] = block->next;
    return block;
}

void free(void *p)
{
    size_t at = (size_t)((unsigned char *)p - arena);
    if (__builtin_expect(at >= ARENA_BYTES, 0))
        return;
    block_t *block = p;
    size_t class_index = class_at[at / 4096];
    block->next = free_lists[class_index];
    free_lists[class_index] = block;
}
#else
static _Alignas(64) unsigned char the_block[64];

void *malloc(size_t size)
{
    (void)size;
    return the_block;
}

void free(void *p)
{
    (void)p;
}
#endif
