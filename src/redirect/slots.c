// SPDX-License-Identifier: MIT
// One set of entry functions per runtime record. An entry is reached by a plain jump from a
// runtime's function, with nothing to tell which runtime it was: so each has its own.
#include "redirect/guard.h"

#define DEFINE_SLOT(n)                                                                             \
    static void *malloc_##n(size_t size)                                                           \
    {                                                                                              \
        return rd_guard_malloc(&rd_runtimes[n], size);                                             \
    }                                                                                              \
    static void *calloc_##n(size_t count, size_t size)                                             \
    {                                                                                              \
        return rd_guard_calloc(&rd_runtimes[n], count, size);                                      \
    }                                                                                              \
    static void *realloc_##n(void *block, size_t size)                                             \
    {                                                                                              \
        return rd_guard_realloc(&rd_runtimes[n], block, size);                                     \
    }                                                                                              \
    static void free_##n(void *block)                                                              \
    {                                                                                              \
        rd_guard_free(&rd_runtimes[n], block);                                                     \
    }                                                                                              \
    static size_t msize_##n(void *block)                                                           \
    {                                                                                              \
        return rd_guard_msize(&rd_runtimes[n], block);                                             \
    }                                                                                              \
    static void *expand_##n(void *block, size_t size)                                              \
    {                                                                                              \
        return rd_guard_expand(&rd_runtimes[n], block, size);                                      \
    }                                                                                              \
    static void *recalloc_##n(void *block, size_t count, size_t size)                              \
    {                                                                                              \
        return rd_guard_recalloc(&rd_runtimes[n], block, count, size);                             \
    }                                                                                              \
    static void *aligned_malloc_##n(size_t size, size_t alignment)                                 \
    {                                                                                              \
        return rd_guard_aligned_malloc(&rd_runtimes[n], size, alignment, 0);                       \
    }                                                                                              \
    static void *aligned_realloc_##n(void *block, size_t size, size_t alignment)                   \
    {                                                                                              \
        return rd_guard_aligned_realloc(&rd_runtimes[n], block, size, alignment, 0);               \
    }                                                                                              \
    static void *aligned_recalloc_##n(void *block, size_t count, size_t size, size_t alignment)    \
    {                                                                                              \
        return rd_guard_aligned_recalloc(&rd_runtimes[n], block, count, size, alignment, 0);       \
    }                                                                                              \
    static void aligned_free_##n(void *block)                                                      \
    {                                                                                              \
        rd_guard_aligned_free(&rd_runtimes[n], block);                                             \
    }                                                                                              \
    static size_t aligned_msize_##n(void *block, size_t alignment, size_t offset)                  \
    {                                                                                              \
        return rd_guard_aligned_msize(&rd_runtimes[n], block, alignment, offset);                  \
    }                                                                                              \
    static void *aligned_offset_malloc_##n(size_t size, size_t alignment, size_t offset)           \
    {                                                                                              \
        return rd_guard_aligned_malloc(&rd_runtimes[n], size, alignment, offset);                  \
    }                                                                                              \
    static void *aligned_offset_realloc_##n(void *block, size_t size, size_t alignment,            \
                                            size_t offset)                                         \
    {                                                                                              \
        return rd_guard_aligned_realloc(&rd_runtimes[n], block, size, alignment, offset);          \
    }                                                                                              \
    static void *aligned_offset_recalloc_##n(void *block, size_t count, size_t size,               \
                                             size_t alignment, size_t offset)                      \
    {                                                                                              \
        return rd_guard_aligned_recalloc(&rd_runtimes[n], block, count, size, alignment, offset);  \
    }                                                                                              \
    static void *new_##n(size_t size)                                                              \
    {                                                                                              \
        return rd_guard_new(&rd_runtimes[n], size);                                                \
    }

DEFINE_SLOT(0)
DEFINE_SLOT(1)
DEFINE_SLOT(2)
DEFINE_SLOT(3)
DEFINE_SLOT(4)
DEFINE_SLOT(5)
DEFINE_SLOT(6)
DEFINE_SLOT(7)

_Static_assert(RD_RUNTIME_MAX == 8, "as many slots as runtime records");

#define CRT_ENTRY_0(name) [RD_F_##name] = (void *)name##_0,
#define CRT_ENTRY_1(name) [RD_F_##name] = (void *)name##_1,
#define CRT_ENTRY_2(name) [RD_F_##name] = (void *)name##_2,
#define CRT_ENTRY_3(name) [RD_F_##name] = (void *)name##_3,
#define CRT_ENTRY_4(name) [RD_F_##name] = (void *)name##_4,
#define CRT_ENTRY_5(name) [RD_F_##name] = (void *)name##_5,
#define CRT_ENTRY_6(name) [RD_F_##name] = (void *)name##_6,
#define CRT_ENTRY_7(name) [RD_F_##name] = (void *)name##_7,
#define SLOT_ENTRIES(n)                                                                            \
    {                                                                                              \
        MI_CRT_FUNCTIONS(CRT_ENTRY_##n)[RD_F_new] = (void *)new_##n,                               \
        [RD_F_delete] = (void *)free_##n,                                                          \
    }

void *rd_slot_function(unsigned slot, rd_function_t function)
{
    static void *const functions[RD_RUNTIME_MAX][RD_FUNCTION_COUNT] = {
        SLOT_ENTRIES(0), SLOT_ENTRIES(1), SLOT_ENTRIES(2), SLOT_ENTRIES(3),
        SLOT_ENTRIES(4), SLOT_ENTRIES(5), SLOT_ENTRIES(6), SLOT_ENTRIES(7),
    };
    return functions[slot][function];
}
