// SPDX-License-Identifier: MIT
// The two words that every malloc and every free reads: this thread's default heap and its key.
// Windows: the heap is in a slot from TlsAlloc, read straight from the thread block, since
// TlsGetValue clears the last error and compiler TLS is emulated with malloc by some compilers. The
// key is the address of the thread block itself. Linux: initial-exec TLS and the thread pointer.
// mi_os_thread_key() is a value that no other live thread has; never 0 to 15.
#pragma once

#include "base/bits.h"

#if MI_WINDOWS

// The heap is NULL in a thread that has not allocated yet: test it before use.
#define MI_TLS_HEAP_STARTS_NULL 1

// Byte offset of our slot in the thread block. Before mi_os_init, and where the process had no slot
// below 64 left, it is the offset of a word that is always 0, so that the slow path runs and uses
// the expansion slots.
extern uint32_t mi_os_tls_offset;
void *mi_os_tls_heap_slow(void); // also reads the expansion slot
void mi_os_set_tls_heap(void *heap);

// Offset of the word that holds the thread block's own address.
#define MI_TEB_SELF (MI_64BIT ? 0x30 : 0x18)

mi_inline void *mi_os_tls_heap(void)
{
    return (void *)mi_teb_word(mi_os_tls_offset);
}

mi_inline uintptr_t mi_os_thread_key(void)
{
    return mi_teb_word(MI_TEB_SELF);
}

#else

// The word starts as the address of the empty heap (heap/init.c defines it so).
#define MI_TLS_HEAP_STARTS_NULL 0

extern MI_THREAD_LOCAL void *mi_os_tls_heap_word mi_initial_exec;

mi_inline void *mi_os_tls_heap(void)
{
    return mi_os_tls_heap_word;
}

mi_inline void *mi_os_tls_heap_slow(void)
{
    return mi_os_tls_heap_word;
}

mi_inline void mi_os_set_tls_heap(void *heap)
{
    mi_os_tls_heap_word = heap;
}

mi_inline uintptr_t mi_os_thread_key(void)
{
    return mi_thread_pointer();
}

#endif
