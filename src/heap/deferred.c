// SPDX-License-Identifier: MIT
// Deferred frees: a program with reference counts may register a function that is called now and
// then from malloc's slow path, to free what it has put off.
#include "heap/heap.h"

static _Atomic(mi_deferred_free_fun *) function;
static _Atomic(void *) argument;

void mi_register_deferred_free(mi_deferred_free_fun *deferred_free, void *arg)
{
    mi_store_relaxed(&argument, arg);
    // release: pairs with the acquire below; the argument belongs to the function.
    mi_store_release(&function, deferred_free);
}

void mi_thread_deferred_free(mi_thread_t *thread, bool force)
{
    thread->heartbeat++;
    mi_deferred_free_fun *call = mi_load_acquire(&function);
    // Not from within itself: it frees and may allocate.
    if (call == NULL || thread->in_deferred_free)
        return;
    thread->in_deferred_free = true;
    call(force, thread->heartbeat, mi_load_relaxed(&argument));
    thread->in_deferred_free = false;
}
