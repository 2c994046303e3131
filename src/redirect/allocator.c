// SPDX-License-Identifier: MIT
// Resolves the allocator's functions by walking its export table: it is mapped and its imports are
// bound, but it has not been started when this runs.
#include "redirect/allocator.h"
#include "redirect/export.h"
#include "redirect/log.h"
#include "redirect/process.h"

rd_allocator_t rd_allocator;

typedef struct wanted {
    const char *name;
    size_t offset; // of the pointer in rd_allocator_t
} wanted_t;

#define WANTED(export, field) {export, offsetof(rd_allocator_t, field)}

static const wanted_t required[] = {
    WANTED("mi_is_in_heap_region", is_in_heap_region),
    WANTED("mi_malloc", malloc),
    WANTED("mi_calloc", calloc),
    WANTED("mi_realloc", realloc),
    WANTED("mi_free", free),
    WANTED("mi_usable_size", usable_size),
    WANTED("mi_malloc_aligned_at", malloc_aligned_at),
    WANTED("mi_realloc_aligned_at", realloc_aligned_at),
};

static const char *const crt_names[RD_CRT_FUNCTION_COUNT] = {
#define CRT_NAME(name) "mi_crt_" #name,
    MI_CRT_FUNCTIONS(CRT_NAME)
#undef CRT_NAME
};

static bool resolve_required(const pe_view_t *view)
{
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
        void **field = (void **)((char *)&rd_allocator + required[i].offset);
        if (rd_export_find(view, required[i].name, field) == RD_OK)
            continue;
        rd_log(1, "%s lacks the export %s", rd_allocator.name, required[i].name);
        return false;
    }
    return true;
}

// All of the extension or nothing.
static void resolve_extension(const pe_view_t *view)
{
    void *enlist;
    void *crt[RD_CRT_FUNCTION_COUNT];
    if (rd_export_find(view, MI_REDIRECT_REGISTER_NAME, &enlist) != RD_OK)
        return;
    for (size_t i = 0; i < RD_CRT_FUNCTION_COUNT; i++)
        if (rd_export_find(view, crt_names[i], &crt[i]) != RD_OK)
            return;
    rd_allocator.enlist = (mi_redirect_register_fun *)enlist;
    for (size_t i = 0; i < RD_CRT_FUNCTION_COUNT; i++)
        rd_allocator.crt[i] = crt[i];
}

rd_status_t rd_allocator_from(const rd_ldr_entry_t *module)
{
    pe_view_t view;
    void *entry;
    if (!rd_module_view(module, &view))
        return RD_NO_ALLOCATOR;
    if (rd_export_find(&view, "_mi_redirect_entry", &entry) != RD_OK)
        return RD_NO_ALLOCATOR;
    rd_ascii_of(&module->base_name, rd_allocator.name, sizeof rd_allocator.name);
    if (!resolve_required(&view))
        return RD_OLD_ALLOCATOR;
    resolve_extension(&view);
    rd_allocator.entry = (void (*)(DWORD))entry;
    rd_allocator.base = module->base;
    rd_allocator.image_size = module->image_size;
    return RD_OK;
}

void rd_allocator_report_other(const rd_ldr_entry_t *module)
{
    pe_view_t view;
    void *entry;
    char name[64];
    if (module->base == rd_allocator.base || !rd_module_view(module, &view) ||
        rd_export_find(&view, "_mi_redirect_entry", &entry) != RD_OK)
        return;
    rd_ascii_of(&module->base_name, name, sizeof name);
    rd_log(1, "%s is one more allocator: the runtimes use %s, and it serves its own callers", name,
           rd_allocator.name);
}

rd_status_t rd_allocator_find(void)
{
    rd_status_t result = RD_NO_ALLOCATOR;
    const rd_ldr_entry_t *module = NULL;
    while ((module = rd_module_next(module)) != NULL) {
        rd_status_t status = rd_allocator_from(module);
        if (status == RD_OK)
            return RD_OK;
        if (status != RD_NO_ALLOCATOR)
            result = status;
    }
    return result;
}
