// SPDX-License-Identifier: MIT
// The steps of each command, the messages, the exit code. Everything that is decided about a file is
// decided elsewhere (policy.c, import_plan.c, plan_room.c).
#include "minject/main.h"

#include "minject/minject.h"

#include <string.h>

#include "minject/companions.h"
#include "minject/output.h"
#include "minject/platform.h"
#include "minject/run.h"

#define SLACK 0x10000U // most additions fit, so that the file is not copied to grow

typedef struct job {
    const mj_options_t *options;
    mj_file_t file;
    pe_view_t view;
    mj_facts_t facts;
    pe_status_t pe_status;
    const char *reason; // the system's words, or what verification found
    mj_text_t output;   // path of the result
    mj_text_t culprit;  // another file that something is wrong with
} job_t;

static void print(mj_stream_t stream, mj_text_t *text)
{
    if (text->size != 0)
        mj_write(stream, text->bytes, text->size);
    mj_text_free(text);
}

static void say(const job_t *job, const char *what, const char *more)
{
    mj_text_t text = {0};
    mj_text_add(&text, "minject: %s: %s%s\n", job->options->path, what, more);
    print(MJ_STREAM_OUT, &text);
}

static void say_verbose(const job_t *job, const char *what, const char *more)
{
    if (job->options->is_verbose)
        say(job, what, more);
}

// The reason is the most exact thing that is known; the cure comes in a second line.
static void explain(const job_t *job, mj_status_t status, const char *path)
{
    mj_text_t text = {0};
    mj_text_add(&text, "minject: %s: %s", path, mj_status_text(status));
    if (job->reason != NULL)
        mj_text_add(&text, ": %s", job->reason);
    else if (status == MJ_BAD_IMAGE)
        mj_text_add(&text, ": %s", pe_status_text(job->pe_status));
    mj_text_add(&text, "\n");
    if (*mj_status_cure(status) != '\0')
        mj_text_add(&text, "minject: %s\n", mj_status_cure(status));
    if (mj_status_yields_to_force(status))
        mj_text_add(&text, "minject: --force goes on nevertheless\n");
    print(MJ_STREAM_ERROR, &text);
}

// ---- reading ----

static mj_status_t parse(job_t *job, size_t size)
{
    job->pe_status = pe_view_init(&job->view, job->file.bytes, size, PE_LAYOUT_FILE);
    if (job->pe_status == PE_OK)
        job->pe_status = mj_facts_gather(&job->view, &job->facts);
    return job->pe_status == PE_OK ? MJ_OK : MJ_BAD_IMAGE;
}

static mj_status_t read_target(job_t *job)
{
    if (!mj_file_read(job->options->path, SLACK, &job->file, &job->reason))
        return MJ_CANNOT_READ;
    if (job->file.size > UINT32_MAX)
        return MJ_TOO_LARGE;
    return parse(job, job->file.size);
}

// ---- writing ----

static const char *base_name(const char *path)
{
    const char *base = path;
    for (; *path != '\0'; path++) {
        if (mj_is_separator(*path))
            base = path + 1;
    }
    return base;
}

// dir/name.exe becomes dir/name-mi.exe; without an extension "-mi" is appended.
static void add_output_name(mj_text_t *text, const char *path)
{
    const char *dot = strrchr(base_name(path), '.');
    bool has_extension = dot != NULL && dot != base_name(path);
    mj_text_add_bytes(text, path, has_extension ? (size_t)(dot - path) : strlen(path));
    mj_text_add(text, "-mi%s", has_extension ? dot : "");
}

static mj_status_t choose_output(job_t *job)
{
    if (job->options->is_inplace)
        mj_text_add(&job->output, "%s", job->options->path);
    else
        add_output_name(&job->output, job->options->path);
    return job->output.is_cut ? MJ_NO_MEMORY : MJ_OK;
}

static bool may_overwrite(const job_t *job)
{
    if (job->options->is_inplace || job->options->is_forced || !mj_file_exists(job->output.bytes))
        return true;
    mj_text_t text = {0};
    mj_text_add(&text, "minject: %s exists; overwrite it? [y/N] ", job->output.bytes);
    print(MJ_STREAM_OUT, &text);
    return mj_confirm();
}

// Asks before, tells after; a plan makes the bytes an injected file, NULL takes them as they are.
static mj_status_t write_result(job_t *job, const mj_plan_t *plan, size_t size)
{
    const mj_options_t *options = job->options;
    mj_output_t output = {job->output.bytes, options->path, options->is_dry_run};
    if (!options->is_dry_run && !may_overwrite(job))
        return MJ_NOT_CONFIRMED;
    mj_status_t status = plan != NULL ? mj_output_injected(&job->file, plan, &output, &job->reason)
                                      : mj_output_bytes(&job->file, size, &output, &job->reason);
    if (status != MJ_OK)
        return status;
    if (options->is_dry_run)
        say(job, "dry run, not written: ", job->output.bytes);
    else if (!options->is_inplace)
        say(job, "written to ", job->output.bytes);
    return MJ_OK;
}

// ---- injecting ----

static void describe(const job_t *job, const mj_plan_t *plan)
{
    static const char *const rooms[] = {
        "a new section", "a new section, with its header in the place of the DOS stub",
        "the last section, moved to the file's end",
        "a new section, with the first section moved to the file's end"};
    for (uint32_t i = 0; i < job->options->dll_count; i++)
        say_verbose(job, plan->entries[i].dll != NULL ? "adds " : "moves to the front: ",
                    job->options->dlls[i].name);
    say_verbose(job, "import table in ", rooms[plan->room]);
}

static void add_notes(const job_t *job)
{
    const mj_facts_t *facts = &job->facts;
    if (facts->is_signed)
        say(job, "note: the signature is no longer valid and was taken out", "");
    if (facts->overlay == MJ_OVERLAY_UNKNOWN)
        say(job, "note: data behind the program stays in place; if it is no longer found, use ",
            "minject run");
    if (facts->packer != NULL)
        say(job, "note: the program is packed by ", facts->packer);
    if (facts->runtime == MJ_RUNTIME_NONE)
        say(job, "note: it imports no C runtime of its own; see --check", "");
}

// A file that was injected before is planned afresh from its original, so that other options give
// what they would have given the original.
static mj_status_t start_from_original(job_t *job)
{
    uint32_t size;
    mj_status_t status = mj_record_restore(&job->view, job->file.bytes, &size);
    if (status == MJ_NOT_INJECTED)
        return MJ_OK;
    if (status != MJ_OK)
        return status;
    say_verbose(job, "takes out what minject put in before", "");
    if (!mj_file_settle(&job->file, size))
        return MJ_NO_MEMORY;
    job->file.size = size;
    return parse(job, size);
}

static mj_status_t inject(job_t *job)
{
    static mj_plan_t plan; // too large for a frame where no C runtime probes the stack
    mj_status_t status = MJ_OK;
    if (mj_is_in_front(&job->view, job->options))
        return MJ_ALREADY;
    status = start_from_original(job);
    if (status != MJ_OK)
        return status;
    status = mj_plan_make(&job->view, &job->facts, job->options, &plan);
    if (status == MJ_OK && !mj_file_grow(&job->file, plan.new_size))
        status = MJ_NO_MEMORY;
    if (status == MJ_OK) {
        describe(job, &plan);
        mj_rewrite(job->file.bytes, &plan);
        status = write_result(job, &plan, plan.new_size);
    }
    if (status == MJ_OK)
        add_notes(job);
    mj_plan_free(&plan);
    return status;
}

static mj_status_t remove_ours(job_t *job)
{
    uint32_t size;
    mj_status_t status = mj_record_restore(&job->view, job->file.bytes, &size);
    if (status == MJ_OK)
        status = write_result(job, NULL, size);
    return status;
}

// ---- commands ----

static mj_status_t list(job_t *job)
{
    mj_text_t text = {0};
    mj_status_t status = mj_list(&job->view, job->options, &text);
    if (status == MJ_OK)
        print(MJ_STREAM_OUT, &text);
    mj_text_free(&text);
    return status;
}

static mj_status_t check(job_t *job)
{
    mj_text_t text = {0};
    mj_neighbour_t neighbours[2];
    mj_companions_look(job->options->path, job->view.file.machine, job->options, neighbours);
    mj_status_t status = mj_check(&job->view, &job->facts, job->options, neighbours, &text);
    print(MJ_STREAM_OUT, &text);
    return status;
}

// After the program itself, so that a failure leaves no DLLs without use behind.
static mj_status_t copy_dlls(job_t *job)
{
    if (!job->options->copies_dlls || job->options->is_dry_run)
        return MJ_OK;
    mj_status_t status = mj_companions_copy(job->output.bytes, job->view.file.machine, job->options,
                                            &job->culprit, &job->reason);
    if (status == MJ_OK)
        say_verbose(job, "DLLs copied beside it", "");
    return status;
}

static mj_status_t inject_and_copy(job_t *job)
{
    mj_status_t status = inject(job);
    if (status != MJ_OK && status != MJ_ALREADY)
        return status;
    mj_status_t copied = copy_dlls(job);
    return copied != MJ_OK ? copied : status;
}

static mj_status_t work_on_file(job_t *job)
{
    mj_status_t status = read_target(job);
    if (status == MJ_OK)
        status = choose_output(job);
    if (status != MJ_OK)
        return status;
    switch (job->options->command) {
    case MJ_COMMAND_LIST:
        return list(job);
    case MJ_COMMAND_REMOVE:
        return remove_ours(job);
    case MJ_COMMAND_CHECK:
        return check(job);
    default:
        return inject_and_copy(job);
    }
}

static const char *culprit_of(const job_t *job, mj_status_t status)
{
    if (job->culprit.size != 0)
        return job->culprit.bytes;
    if (status == MJ_NOT_CONFIRMED || status == MJ_CANNOT_WRITE)
        return job->output.bytes;
    return job->options->path;
}

static int work(const mj_options_t *options)
{
    job_t job = {.options = options};
    mj_status_t status = work_on_file(&job);
    if (status == MJ_ALREADY)
        say(&job, "already in front, nothing changed: ", options->dlls[0].name);
    else if (status != MJ_OK && status != MJ_CHECK_FAILED)
        explain(&job, status, culprit_of(&job, status));
    mj_file_free(&job.file);
    mj_text_free(&job.output);
    mj_text_free(&job.culprit);
    return (int)mj_status_exit(status);
}

static int complain(const mj_options_t *options)
{
    mj_text_t text = {0};
    mj_text_add(&text, "minject: %s", options->problem);
    if (options->culprit != NULL)
        mj_text_add(&text, ": %s", options->culprit);
    mj_text_add(&text, "\nminject: %s\n", mj_status_cure(MJ_USAGE));
    print(MJ_STREAM_ERROR, &text);
    return MJ_EXIT_USAGE;
}

int mj_main(int argc, char **argv)
{
    static mj_options_t options; // as above
    if (mj_args_parse(argc, argv, &options) != MJ_OK)
        return complain(&options);
    switch (options.command) {
    case MJ_COMMAND_HELP:
        mj_write(MJ_STREAM_OUT, mj_help_text(), strlen(mj_help_text()));
        return MJ_EXIT_OK;
    case MJ_COMMAND_VERSION:
        mj_write(MJ_STREAM_OUT, "minject " MJ_VERSION "\n", sizeof "minject " MJ_VERSION);
        return MJ_EXIT_OK;
    case MJ_COMMAND_RUN:
        return mj_run(&options);
    default:
        return work(&options);
    }
}
