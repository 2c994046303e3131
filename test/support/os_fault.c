// SPDX-License-Identifier: MIT
// The wrapped functions; __real_ ones are the system's.
#include "support/os_fault.h"

#include "mimalloc.h"
#include "os/os.h"

static _Atomic(size_t) calls;
static _Atomic(size_t) failing;
static _Atomic(bool) forever;

void os_fault_at(size_t n, os_fault_t kind)
{
    mi_store_relaxed(&calls, 0);
    mi_store_relaxed(&failing, n);
    mi_store_relaxed(&forever, kind == OS_FAULT_FOREVER);
}

size_t os_fault_calls(void)
{
    return mi_load_relaxed(&calls);
}

static bool is_refused(void)
{
    size_t call = mi_add_relaxed(&calls, 1) + 1;
    size_t from = mi_load_relaxed(&failing);
    return from != 0 && (call == from || (call > from && mi_load_relaxed(&forever)));
}

mi_os_memory_t __real_mi_os_reserve(size_t size, size_t alignment, bool commit,
                                    mi_os_page_kind_t kind);
mi_os_memory_t __wrap_mi_os_reserve(size_t size, size_t alignment, bool commit,
                                    mi_os_page_kind_t kind);
bool __real_mi_os_commit(void *start, size_t size);
bool __wrap_mi_os_commit(void *start, size_t size);
bool __real_mi_os_decommit(void *start, size_t size);
bool __wrap_mi_os_decommit(void *start, size_t size);
bool __real_mi_os_protect(void *start, size_t size);
bool __wrap_mi_os_protect(void *start, size_t size);

mi_os_memory_t __wrap_mi_os_reserve(size_t size, size_t alignment, bool commit,
                                    mi_os_page_kind_t kind)
{
    return is_refused() ? (mi_os_memory_t){.size = size}
                        : __real_mi_os_reserve(size, alignment, commit, kind);
}

bool __wrap_mi_os_commit(void *start, size_t size)
{
    return !is_refused() && __real_mi_os_commit(start, size);
}

bool __wrap_mi_os_decommit(void *start, size_t size)
{
    return !is_refused() && __real_mi_os_decommit(start, size);
}

bool __wrap_mi_os_protect(void *start, size_t size)
{
    return !is_refused() && __real_mi_os_protect(start, size);
}

void os_be_strict(void)
{
    mi_os_init();
    mi_os_config.has_overcommit = false;
    mi_os_config.decommit_keeps_access = false;
    mi_option_set(mi_option_arena_eager_commit, 0);
}
