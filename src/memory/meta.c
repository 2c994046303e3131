// SPDX-License-Identifier: MIT
// A bump allocator over parts: the first is static, since the very first malloc of a process comes
// before anything else; the others come from the system. No lock: a thread may be killed anywhere.
#include "memory/meta.h"

#include "os/os.h"

#define FIRST_PART_SIZE (24 * MI_KIB) // the first arena's record, and some more
#define PART_SIZE       (64 * MI_KIB)

typedef struct meta_part {
    _Atomic(size_t) used; // any: bytes handed out, may pass size when several threads race
    size_t size;          // const
    char *start;          // const
} meta_part_t;

static _Alignas(MI_CACHE_LINE) char first_bytes[FIRST_PART_SIZE];
static meta_part_t first_part = {.size = FIRST_PART_SIZE, .start = first_bytes};
static _Atomic(meta_part_t *) current_part = &first_part;
static _Atomic(size_t) total;

static void *take(meta_part_t *part, size_t size)
{
    size_t at = mi_add_relaxed(&part->used, size);
    return at <= part->size && size <= part->size - at ? part->start + at : NULL;
}

static bool add_part(meta_part_t *full, size_t size)
{
    size_t header = mi_align_up(sizeof(meta_part_t), MI_CACHE_LINE);
    size_t part_size = mi_align_up(mi_max(PART_SIZE, header + size), PART_SIZE);
    mi_os_memory_t memory = mi_os_reserve(part_size, MI_SLICE_SIZE, true, MI_OS_PAGES_NORMAL);
    if (memory.start == NULL)
        return false;
    meta_part_t *part = memory.start;
    part->size = part_size - header;
    part->start = (char *)memory.start + header;
    // acq_rel: publishes the part's fields to the threads that load current_part.
    if (!mi_cas_strong_acq_rel(&current_part, &full, part))
        mi_os_release(&memory); // another thread has added one
    return true;
}

void *mi_meta_alloc(size_t size)
{
    size = mi_align_up(size, MI_CACHE_LINE);
    for (;;) {
        meta_part_t *part = mi_load_acquire(&current_part);
        void *p = take(part, size);
        if (p != NULL) {
            (void)mi_add_relaxed(&total, size);
            return p;
        }
        if (!add_part(part, size))
            return NULL;
    }
}

size_t mi_meta_total(void)
{
    return mi_load_relaxed(&total);
}
