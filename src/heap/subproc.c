// SPDX-License-Identifier: MIT
// Sub-processes: groups of threads that do not take over each other's memory. A sub-process is only
// a name; the main one is the address of its own record.
#include "heap/heap.h"
#include "heap/init.h"

static char main_subproc;

void *mi_subproc_default(void)
{
    return &main_subproc;
}

mi_subproc_id_t mi_subproc_main(void)
{
    return &main_subproc;
}

mi_subproc_id_t mi_subproc_new(void)
{
    // One byte, so that the name is unique as long as it lives.
    return mi_malloc(1);
}

void mi_subproc_delete(mi_subproc_id_t subproc)
{
    if (subproc == NULL || subproc == &main_subproc)
        return;
    mi_thread_t *thread = mi_thread_current();
    // What its threads have left goes to the main sub-process.
    if (thread != NULL)
        mi_abandon_move(thread, subproc, &main_subproc);
    mi_free(subproc);
}

void mi_subproc_add_current_thread(mi_subproc_id_t subproc)
{
    mi_heap_t *heap = mi_heap_current();
    if (heap == NULL || subproc == NULL)
        return;
    mi_thread_t *thread = heap->front.thread;
    // Segments carry the name: those that the thread took over from an ended one stay behind.
    if (thread->has_parked && thread->heaps == &thread->backing)
        mi_abandon_all(thread, false);
    if (thread->segments.count == 0)
        thread->segments.subproc = subproc;
}
