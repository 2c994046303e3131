// SPDX-License-Identifier: MIT
// --check, the doctor: would redirection work for this file, and if not, why and what to do. Pure; what
// lies beside the file comes in as neighbours. docs/minject.md has every message with its cure.
#include "minject/check.h"

#include <string.h>

typedef enum level { LEVEL_GOOD, LEVEL_NOTE, LEVEL_PROBLEM } level_t;

typedef struct doctor {
    const pe_view_t *view;
    const mj_facts_t *facts;
    const mj_options_t *options;
    mj_text_t *text;
    uint32_t finding_count;
    bool has_problem;
} doctor_t;

// id is stable, for programs that read the JSON form.
static void find(doctor_t *doctor, level_t level, const char *id, const char *what,
                 const char *detail, const char *cure)
{
    static const char *const names[] = {"good", "note", "problem"};
    static const char *const marks[] = {"  ok       ", "  note     ", "  problem  "};
    doctor->has_problem |= level == LEVEL_PROBLEM;
    if (doctor->options->is_json) {
        mj_text_add(doctor->text, "%s\n    {\"level\": %j, \"id\": %j, \"text\": ",
                    doctor->finding_count == 0 ? "" : ",", names[level], id);
        mj_text_t both = {0};
        mj_text_add(&both, "%s%s", what, detail);
        mj_text_add(doctor->text, "%j, \"cure\": %j}", both.bytes, cure);
        mj_text_free(&both);
    } else {
        mj_text_add(doctor->text, "%s%s%s\n", marks[level], what, detail);
        if (*cure != '\0')
            mj_text_add(doctor->text, "           -> %s\n", cure);
    }
    doctor->finding_count++;
}

static void check_machine(doctor_t *doctor)
{
    const char *name = mj_machine_name(doctor->view->file.machine);
    if (mj_redirect_name(doctor->view->file.machine) != NULL)
        find(doctor, LEVEL_GOOD, "machine", "processor: ", name, "");
    else
        find(doctor, LEVEL_PROBLEM, "machine", "no allocator for this processor: ", name, "");
    if (doctor->facts->is_hybrid)
        find(doctor, LEVEL_NOTE, "hybrid", "holds code for ARM64 and x64 at once", "",
             "put the DLLs of the machine beside it that the process runs as");
}

// ---- runtime ----

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strcmp(*names, name) == 0)
            return true;
    }
    return false;
}

// True when a function of these names is imported, from whatever DLL.
static bool imports_any(const pe_view_t *view, const char *const *names)
{
    pe_import_t import;
    pe_thunk_t thunk;
    uint32_t left = 0x20000; // a made file may list the same table again and again
    for (uint32_t i = 0; i < MJ_IMPORT_MAX && pe_import_at(view, i, &import) == PE_OK; i++) {
        for (uint32_t k = 0; left > 0 && pe_thunk_at(view, &import, k, &thunk) == PE_OK; k++) {
            left--;
            if (!thunk.is_ordinal && is_one_of(thunk.name, names))
                return true;
        }
    }
    return false;
}

static const char *const allocations[] = {
    "malloc",    "calloc",         "realloc",      "free",   "_aligned_malloc", "_malloc_dbg",
    "_recalloc", "??2@YAPEAX_K@Z", "??2@YAPAXI@Z", "strdup", "_strdup",         NULL};
static const char *const heap_calls[] = {"HeapAlloc", "RtlAllocateHeap", NULL};

static void check_no_runtime(doctor_t *doctor)
{
    // A statically linked runtime gets its memory from the system's heap itself.
    if (imports_any(doctor->view, heap_calls))
        find(doctor, LEVEL_PROBLEM, "runtime-static",
             "imports no C runtime DLL, but the system's heap: its runtime is linked statically",
             "", "build it with /MD, or link the allocator into it");
    else
        find(doctor, LEVEL_NOTE, "runtime-elsewhere", "imports no C runtime DLL itself", "",
             "redirection acts on the runtimes of the DLLs that it uses");
}

static void check_runtime(doctor_t *doctor)
{
    const mj_facts_t *facts = doctor->facts;
    switch (facts->runtime) {
    case MJ_RUNTIME_NONE:
        check_no_runtime(doctor);
        return;
    case MJ_RUNTIME_UCRT:
    case MJ_RUNTIME_UCRT_DEBUG:
        find(doctor, LEVEL_GOOD, "runtime", "universal C runtime, as a DLL: ", facts->runtime_name,
             "");
        break;
    default:
        find(doctor, LEVEL_NOTE, "runtime-old",
             "an older C runtime, as a DLL: ", facts->runtime_name,
             "redirected because the program itself imports it");
        break;
    }
    if (!imports_any(doctor->view, allocations))
        find(doctor, LEVEL_NOTE, "no-allocations", "imports no allocation function itself", "",
             "only its DLLs, and the runtime's own allocations, would gain");
}

// ---- the file ----

static void check_refusals(doctor_t *doctor)
{
    mj_status_t status = mj_policy_check(doctor->view, doctor->facts, false);
    // Told as a processor already.
    if (status == MJ_OK || status == MJ_UNKNOWN_MACHINE)
        return;
    find(doctor, LEVEL_PROBLEM, "refused", "the file ", mj_status_text(status),
         mj_status_cure(status));
}

static void check_peculiarities(doctor_t *doctor)
{
    const mj_facts_t *facts = doctor->facts;
    if (facts->is_signed)
        find(doctor, LEVEL_NOTE, "signed", "signed: a change makes the signature invalid", "",
             "sign the result, or use minject run");
    if (facts->packer != NULL)
        find(doctor, LEVEL_NOTE, "packed", "packed by ", facts->packer,
             "inject before packing, if that is possible");
    if (facts->overlay == MJ_OVERLAY_UNKNOWN)
        find(doctor, LEVEL_NOTE, "overlay", "has data of an unknown kind behind the program", "",
             "it stays in place; if the program no longer finds it, use minject run");
    if (facts->overlay == MJ_OVERLAY_BY_OFFSET)
        find(doctor, LEVEL_GOOD, "overlay-known",
             "has data behind the program, which stays valid: ", facts->overlay_name, "");
}

static bool is_imported(const doctor_t *doctor)
{
    pe_import_t import;
    return pe_import_find(doctor->view, doctor->options->dlls[0].name, &import) == PE_OK;
}

static void check_position(doctor_t *doctor)
{
    const char *name = doctor->options->dlls[0].name;
    if (mj_is_in_front(doctor->view, doctor->options))
        find(doctor, LEVEL_GOOD, "first", "first in the import table: ", name, "");
    else if (is_imported(doctor))
        find(doctor, LEVEL_PROBLEM, "not-first", "imported, but not first: ", name,
             "minject moves it to the front");
    else
        find(doctor, LEVEL_NOTE, "not-injected", "not imported yet: ", name,
             "minject puts it in front");
}

// Whether it could be injected at all; a plan writes nothing.
static void check_plan(doctor_t *doctor)
{
    static mj_plan_t plan; // too large for a frame where no C runtime probes the stack
    mj_status_t status = mj_plan_make(doctor->view, doctor->facts, doctor->options, &plan);
    mj_plan_free(&plan);
    if (status == MJ_OK || status == MJ_ALREADY ||
        mj_policy_check(doctor->view, doctor->facts, false) != MJ_OK)
        return;
    find(doctor, LEVEL_PROBLEM, "no-way", "the file ", mj_status_text(status),
         mj_status_cure(status));
}

// Before the injection a missing DLL is only a reminder; after it the program does not start.
static void check_neighbour(doctor_t *doctor, const char *name, const mj_neighbour_t *neighbour)
{
    level_t level = is_imported(doctor) ? LEVEL_PROBLEM : LEVEL_NOTE;
    if (!neighbour->is_there)
        find(doctor, level, "dll-missing", "not beside the file: ", name,
             "--copy-dlls puts it there, unless it is on the search path");
    else if (neighbour->machine != doctor->view->file.machine)
        find(doctor, LEVEL_PROBLEM, "dll-machine", "for another processor: ", name,
             "take the DLL for the program's processor");
    else
        find(doctor, LEVEL_GOOD, "dll-there", "beside the file: ", name, "");
}

static const char *verdict_of(const doctor_t *doctor)
{
    if (doctor->has_problem)
        return "no";
    return is_imported(doctor) ? "yes" : "after-injection";
}

static void print_verdict(const doctor_t *doctor)
{
    const char *verdict = verdict_of(doctor);
    if (doctor->options->is_json)
        mj_text_add(doctor->text, "\n  ],\n  \"verdict\": %j\n}\n", verdict);
    else if (strcmp(verdict, "no") == 0)
        mj_text_add(doctor->text, "redirection would not work as things are\n");
    else if (strcmp(verdict, "yes") == 0)
        mj_text_add(doctor->text, "redirection should work\n");
    else
        mj_text_add(doctor->text, "redirection should work, once the file is injected\n");
}

mj_status_t mj_check(const pe_view_t *view, const mj_facts_t *facts, const mj_options_t *options,
                     const mj_neighbour_t neighbours[2], mj_text_t *text)
{
    doctor_t doctor = {.view = view, .facts = facts, .options = options, .text = text};
    const char *kind = facts->is_dll ? "DLL" : "program";
    const char *redirect = mj_redirect_name(view->file.machine);
    if (options->is_json)
        mj_text_add(text,
                    "{\n  \"file\": %j,\n  \"kind\": %j,\n  \"machine\": %j,\n  \"findings\": [",
                    options->path, kind, mj_machine_name(view->file.machine));
    else
        mj_text_add(text, "%s (%s)\n", options->path, kind);
    check_machine(&doctor);
    check_refusals(&doctor);
    check_runtime(&doctor);
    check_position(&doctor);
    check_plan(&doctor);
    check_peculiarities(&doctor);
    check_neighbour(&doctor, options->dlls[0].name, &neighbours[0]);
    if (!options->has_own_dlls && redirect != NULL)
        check_neighbour(&doctor, redirect, &neighbours[1]);
    print_verdict(&doctor);
    return doctor.has_problem ? MJ_CHECK_FAILED : MJ_OK;
}
