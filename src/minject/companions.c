// SPDX-License-Identifier: MIT
// The allocator's and the redirect's DLL beside a program: looked for by --check, put there by
// --copy-dlls. Which redirect it is depends on the program's machine, never on minject's own.
#include "minject/companions.h"

#include <string.h>

#include "minject/output.h"
#include "minject/platform.h"

#define FOLDER_MAX 4096U

static void add_folder(mj_text_t *text, const char *path)
{
    size_t length = 0;
    for (size_t i = 0; path[i] != '\0'; i++) {
        if (mj_is_separator(path[i]))
            length = i + 1;
    }
    mj_text_add_bytes(text, path, length);
}

// 0 when the file is no PE image.
static uint16_t machine_of(const mj_file_t *file)
{
    pe_view_t view;
    if (pe_view_init(&view, file->bytes, file->size, PE_LAYOUT_FILE) != PE_OK)
        return 0;
    return view.file.machine;
}

static mj_neighbour_t look_at(const char *path, const char *name)
{
    mj_neighbour_t neighbour = {0};
    mj_file_t file;
    const char *reason;
    mj_text_t full = {0};
    add_folder(&full, path);
    mj_text_add(&full, "%s", name);
    if (!full.is_cut && mj_file_read(full.bytes, 0, &file, &reason)) {
        neighbour = (mj_neighbour_t){.is_there = true, .machine = machine_of(&file)};
        mj_file_free(&file);
    }
    mj_text_free(&full);
    return neighbour;
}

void mj_companions_look(const char *path, uint16_t machine, const mj_options_t *options,
                        mj_neighbour_t neighbours[2])
{
    const char *redirect = mj_redirect_name(machine);
    neighbours[0] = look_at(path, options->dlls[0].name);
    neighbours[1] = redirect != NULL ? look_at(path, redirect) : (mj_neighbour_t){0};
}

// One DLL from minject's folder to path's; when is_trial only whether that could be done.
static mj_status_t copy_one(const char *path, const char *name, uint16_t machine, bool is_trial,
                            mj_text_t *culprit, const char **reason)
{
    static char own[FOLDER_MAX];
    mj_file_t file;
    mj_text_t to = {0};
    mj_status_t status = MJ_OK;
    culprit->size = 0;
    if (!mj_own_folder(own, sizeof own)) {
        *reason = "minject's own folder is not known";
        mj_text_add(culprit, "%s", name);
        return MJ_CANNOT_READ;
    }
    mj_text_add(culprit, "%s%s", own, name);
    if (culprit->is_cut || !mj_file_read(culprit->bytes, 0, &file, reason))
        return MJ_CANNOT_READ;
    if (machine_of(&file) != machine) {
        *reason = "it is for another processor than the program";
        mj_file_free(&file);
        return MJ_CANNOT_READ;
    }
    add_folder(&to, path);
    mj_text_add(&to, "%s", name);
    if (to.is_cut)
        status = MJ_NO_MEMORY;
    else
        status = mj_output_bytes(&file, file.size,
                                 &(mj_output_t){to.bytes, culprit->bytes, is_trial}, reason);
    mj_text_free(&to);
    mj_file_free(&file);
    return status;
}

static mj_status_t copy_all(const char *path, uint16_t machine, const mj_options_t *options,
                            bool is_trial, mj_text_t *culprit, const char **reason)
{
    for (uint32_t i = 0; i < options->dll_count; i++) {
        mj_status_t status =
            copy_one(path, options->dlls[i].name, machine, is_trial, culprit, reason);
        if (status != MJ_OK)
            return status;
    }
    // Somebody's own DLLs are taken as they are named.
    if (options->has_own_dlls)
        return MJ_OK;
    return copy_one(path, mj_redirect_name(machine), machine, is_trial, culprit, reason);
}

mj_status_t mj_companions_copy(const char *path, uint16_t machine, const mj_options_t *options,
                               mj_text_t *culprit, const char **reason)
{
    mj_status_t status = copy_all(path, machine, options, true, culprit, reason);
    if (status == MJ_OK)
        status = copy_all(path, machine, options, false, culprit, reason);
    return status;
}
