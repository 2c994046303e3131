// SPDX-License-Identifier: MIT
// Calls the runtime's exports as a program would. They lead into the allocator, so this works
// before the runtime's own start-up; a failure is found by the address of the block alone, and
// nothing is called then that could need the runtime.
#include "redirect/self_test.h"
#include "redirect/guard.h"

// In code mode the changed export itself; in imports mode what the import tables now hold.
static void *callable(const rd_runtime_t *runtime, rd_function_t function)
{
    const rd_entry_t *entry = rd_runtime_entry(runtime, function);
    if (entry == NULL)
        return NULL;
    return runtime->engine == MI_REDIRECT_ENGINE_CODE ? entry->address : entry->replacement;
}

static bool jumps_are_there(const rd_runtime_t *runtime)
{
    if (runtime->engine != MI_REDIRECT_ENGINE_CODE)
        return true;
    for (uint32_t i = 0; i < runtime->entry_count; i++) {
        const rd_entry_t *entry = &runtime->entries[i];
        if (entry->engine != MI_REDIRECT_ENGINE_CODE)
            continue;
        for (unsigned b = 0; b < entry->byte_count; b++)
            if (entry->site[b] != entry->after[b])
                return false;
    }
    return true;
}

rd_status_t rd_self_test(const rd_runtime_t *runtime)
{
    void *(*allocate)(size_t) = (void *(*)(size_t))callable(runtime, RD_F_malloc);
    void *(*reallocate)(void *, size_t) =
        (void *(*)(void *, size_t))callable(runtime, RD_F_realloc);
    size_t (*size_of)(void *) = (size_t (*)(void *))callable(runtime, RD_F_msize);
    void (*release)(void *) = (void (*)(void *))callable(runtime, RD_F_free);
    // Before anything is called: an unchanged malloc would need a runtime that is up.
    if (!jumps_are_there(runtime) || allocate == NULL || release == NULL)
        return RD_SELF_TEST_FAILED;
    void *block = allocate(40);
    if (block == NULL || !rd_is_ours(block))
        return RD_SELF_TEST_FAILED;
    bool is_good = size_of == NULL || size_of(block) >= 40;
    if (reallocate != NULL) {
        block = reallocate(block, 4000);
        is_good = is_good && block != NULL && rd_is_ours(block);
    }
    if (block != NULL)
        release(block);
    return is_good ? RD_OK : RD_SELF_TEST_FAILED;
}
