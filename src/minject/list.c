// SPDX-License-Identifier: MIT
// --list: the imported DLLs in the order in which the loader takes them, with their index.
#include "minject/minject.h"

#define FUNCTION_MAX 0x2000U // more is no import table of a real file

static uint32_t count_functions(const pe_view_t *view, const pe_import_t *import)
{
    pe_thunk_t thunk;
    uint32_t count = 0;
    while (count < FUNCTION_MAX && pe_thunk_at(view, import, count, &thunk) == PE_OK)
        count++;
    return count;
}

static void list_json(const pe_view_t *view, const pe_import_t *import, mj_text_t *text)
{
    mj_text_add(text, "%s\n    {\"index\": %u, \"name\": %j, \"functions\": %u}",
                import->index == 0 ? "" : ",", import->index, import->name,
                count_functions(view, import));
}

static void list_line(const pe_view_t *view, const mj_options_t *options, const pe_import_t *import,
                      mj_text_t *text)
{
    mj_text_add(text, "%s%u: %s", import->index < 10 ? "  " : " ", import->index, import->name);
    if (options->is_verbose)
        mj_text_add(text, " (%u functions)", count_functions(view, import));
    mj_text_add(text, "\n");
}

mj_status_t mj_list(const pe_view_t *view, const mj_options_t *options, mj_text_t *text)
{
    if (options->is_json)
        mj_text_add(text, "{\"file\": %j, \"machine\": %j, \"imports\": [", options->path,
                    mj_machine_name(view->file.machine));
    else
        mj_text_add(text, "%s (%s) imports:\n", options->path, mj_machine_name(view->file.machine));
    for (uint32_t i = 0; i <= MJ_IMPORT_MAX; i++) {
        pe_import_t import;
        pe_status_t status = pe_import_at(view, i, &import);
        if (status == PE_END)
            break;
        if (status != PE_OK)
            return MJ_BAD_IMAGE;
        if (options->is_json)
            list_json(view, &import, text);
        else
            list_line(view, options, &import, text);
    }
    if (options->is_json)
        mj_text_add(text, "\n]}\n");
    return MJ_OK;
}
