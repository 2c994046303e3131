// SPDX-License-Identifier: MIT
// Recognizes C runtimes. By name, because any DLL may export a function called malloc and only a
// runtime's may be replaced without asking; by exports, because nothing else is assumed of it.
#include "redirect/runtime.h"
#include "redirect/code_plan.h"
#include "redirect/export.h"
#include "redirect/freestanding.h"
#include "redirect/process.h"
#include "redirect/settings.h"

rd_runtime_t rd_runtimes[RD_RUNTIME_MAX];
static rd_runtime_t no_runtime;
rd_runtime_t *rd_primary_runtime = &no_runtime;

typedef enum family {
    FAMILY_NONE,
    FAMILY_UNIVERSAL, // always redirected
    FAMILY_OLD,       // redirected if the program itself imports it
} family_t;

static bool starts_with(const char *text, const char *prefix)
{
    while (*prefix != 0) {
        char c = *text++;
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c != *prefix++)
            return false;
    }
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// msvcr70.dll to msvcr120d.dll.
static bool is_numbered(const char *name)
{
    if (!starts_with(name, "msvcr") || !is_digit(name[5]))
        return false;
    name += 5;
    while (is_digit(*name))
        name++;
    return pe_same_dll(name, ".dll") || pe_same_dll(name, "d.dll");
}

// Whole names: copies of runtimes under names of their own (ucrtbase_clr0400.dll, msvcr120_clr0400.dll)
// belong to somebody who wanted one apart from the others.
static family_t family_of(const char *name)
{
    if (pe_same_dll(name, "ucrtbase.dll") || pe_same_dll(name, "ucrtbased.dll"))
        return FAMILY_UNIVERSAL;
    if (pe_same_dll(name, "msvcrt.dll") || pe_same_dll(name, "msvcrtd.dll") || is_numbered(name))
        return FAMILY_OLD;
    return FAMILY_NONE;
}

static void without_dll(const char *name, char *out, size_t size)
{
    size_t length = strlen(name);
    if (length > 4 && starts_with(name + length - 4, ".dll"))
        length -= 4;
    if (length > size - 1)
        length = size - 1;
    memcpy(out, name, length);
    out[length] = 0;
}

static bool program_imports(const char *dll)
{
    pe_view_t program;
    pe_import_t import;
    const rd_ldr_entry_t *first = rd_module_next(NULL);
    return first != NULL && rd_module_view(first, &program) &&
           pe_import_find(&program, dll, &import) == PE_OK;
}

typedef bool is_wanted_fun(const char *dll);

static bool program_imports_any(is_wanted_fun *is_wanted)
{
    pe_view_t program;
    pe_import_t import;
    const rd_ldr_entry_t *first = rd_module_next(NULL);
    if (first == NULL || !rd_module_view(first, &program))
        return false;
    for (uint32_t i = 0; pe_import_at(&program, i, &import) == PE_OK; i++)
        if (is_wanted(import.name))
            return true;
    return false;
}

static bool is_set(const char *dll)
{
    return starts_with(dll, "api-ms-win-crt-");
}

static bool is_runtime(const char *dll)
{
    return is_set(dll) || family_of(dll) != FAMILY_NONE;
}

bool rd_program_imports_runtime(void)
{
    return program_imports_any(is_runtime);
}

// The debug runtime is imported by its own name; the sets lead to the release one, which system DLLs
// bring into any process.
static bool is_of_program(const char *name)
{
    return program_imports(name) ||
           (pe_same_dll(name, "ucrtbase.dll") && program_imports_any(is_set));
}

// MIMALLOC_REDIRECT_CRT, if set, is the whole list; otherwise the rule of each family holds.
static bool is_selected(const char *name, family_t family)
{
    char plain[40];
    const WCHAR *list = rd_settings.runtimes;
    without_dll(name, plain, sizeof plain);
    if (list[0] != 0)
        return rd_list_has(list, plain) || (family != FAMILY_NONE && rd_list_has(list, "all"));
    if (family == FAMILY_OLD)
        return program_imports(name);
    return family == FAMILY_UNIVERSAL;
}

static rd_runtime_t *free_record(void)
{
    for (uint8_t i = 0; i < RD_RUNTIME_MAX; i++)
        if (!rd_runtimes[i].is_used)
            return &rd_runtimes[i];
    // A runtime that has left makes room; its history goes with it.
    for (uint8_t i = 0; i < RD_RUNTIME_MAX; i++)
        if (rd_runtimes[i].is_unloaded)
            return &rd_runtimes[i];
    return NULL;
}

static void *service(const pe_view_t *view, const char *const names[2])
{
    void *address;
    for (unsigned i = 0; i < 2 && names[i] != NULL; i++)
        if (rd_export_find(view, names[i], &address) == RD_OK)
            return address;
    return NULL;
}

static void find_services(rd_runtime_t *runtime)
{
    static const char *const heap[2] = {"_get_heap_handle"};
    static const char *const error[2] = {"_errno"};
    static const char *const handler[2] = {"_callnewh"};
    static const char *const mode[2] = {"_query_new_mode", "?_query_new_mode@@YAHXZ"};
    static const char *const invalid[2] = {"_invalid_parameter_noinfo"};
    static const char *const debug[2] = {"_CrtIsValidHeapPointer"};
    const pe_view_t *view = &runtime->view;
    runtime->get_heap = (HANDLE(*)(void))service(view, heap);
    runtime->errno_location = (int *(*)(void))service(view, error);
    runtime->call_new_handler = (int (*)(size_t))service(view, handler);
    runtime->query_new_mode = (int (*)(void))service(view, mode);
    runtime->invalid_parameter = (void (*)(void))service(view, invalid);
    runtime->is_debug = service(view, debug) != NULL;
}

rd_status_t rd_runtime_recognize(const rd_ldr_entry_t *module, rd_runtime_t **result)
{
    char name[40];
    rd_ascii_of(&module->base_name, name, sizeof name);
    family_t family = family_of(name);
    if (family == FAMILY_NONE && rd_settings.runtimes[0] == 0)
        return RD_NO_HEAP_EXPORTS;
    if (!is_selected(name, family))
        return family == FAMILY_NONE ? RD_NO_HEAP_EXPORTS : RD_NOT_SELECTED;
    rd_runtime_t *runtime = free_record();
    if (runtime == NULL)
        return RD_TOO_MANY;
    pe_view_t view;
    if (!rd_module_view(module, &view))
        return RD_BAD_MODULE;
    uint8_t slot = (uint8_t)(runtime - rd_runtimes);
    memset(runtime, 0, sizeof *runtime);
    runtime->slot = slot;
    memcpy(runtime->name, name, sizeof name);
    runtime->module = module;
    runtime->base = module->base;
    runtime->image_size = module->image_size;
    runtime->view = view;
    find_services(runtime);
    runtime->entry_count = rd_code_entries(
        &view, runtime->is_debug ? RD_DEBUG_RUNTIME : RD_RELEASE_RUNTIME, runtime->entries);
    if (rd_runtime_entry(runtime, RD_F_malloc) == NULL ||
        rd_runtime_entry(runtime, RD_F_free) == NULL)
        return RD_NO_HEAP_EXPORTS;
    runtime->is_used = true;
    runtime->was_initialized = rd_runtime_is_up(runtime);
    runtime->is_of_program = is_of_program(name);
    if (!rd_primary_runtime->is_used || rd_primary_runtime->is_unloaded ||
        (runtime->is_of_program && !rd_primary_runtime->is_of_program &&
         !rd_primary_runtime->is_redirected))
        rd_primary_runtime = runtime;
    *result = runtime;
    return RD_OK;
}

rd_runtime_t *rd_runtime_at(const void *base)
{
    for (unsigned i = 0; i < RD_RUNTIME_MAX; i++)
        if (rd_runtimes[i].is_used && !rd_runtimes[i].is_unloaded && rd_runtimes[i].base == base)
            return &rd_runtimes[i];
    return NULL;
}

HANDLE rd_runtime_heap(const rd_runtime_t *runtime)
{
    if (runtime->get_heap == NULL || runtime->is_unloaded || runtime->is_debug)
        return NULL;
    return runtime->get_heap();
}

bool rd_runtime_is_up(const rd_runtime_t *runtime)
{
    // A debug runtime asserts that it has a heap when it is asked for it. Before its start-up it
    // cannot report that, and waits for ever; so the loader is asked instead.
    if (runtime->is_debug)
        return !runtime->is_unloaded && (runtime->module->flags & RD_LDR_ATTACHED) != 0;
    return rd_runtime_heap(runtime) != NULL;
}

const rd_entry_t *rd_runtime_entry(const rd_runtime_t *runtime, rd_function_t function)
{
    for (uint32_t i = 0; i < runtime->entry_count; i++)
        if (runtime->entries[i].function == function)
            return &runtime->entries[i];
    return NULL;
}
