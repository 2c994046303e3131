// SPDX-License-Identifier: MIT
// Each piece of the original is summed and written while it is in the processor's cache, and the disk
// begins meanwhile: a large file takes little longer than copying it. What changed follows at the end;
// until the rename nobody sees the new file.
#include "minject/output.h"

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static mj_status_t commit(mj_file_t *file, mj_writer_t *writer, const mj_output_t *output,
                          const char **reason)
{
    mj_file_release(file);
    return mj_writer_commit(writer, output->model, reason) ? MJ_OK : MJ_CANNOT_WRITE;
}

static bool put_all(const mj_file_t *file, size_t size, mj_writer_t *writer, const char **reason)
{
    for (size_t off = 0; off < size; off += MJ_FILE_STEP) {
        if (!mj_writer_put(writer, off, file->bytes + off, smaller(size - off, MJ_FILE_STEP),
                           reason))
            return false;
    }
    return true;
}

mj_status_t mj_output_bytes(mj_file_t *file, size_t size, const mj_output_t *output,
                            const char **reason)
{
    if (output->is_dry_run)
        return MJ_OK;
    mj_writer_t *writer = mj_writer_open(output->path, size, reason);
    if (writer == NULL)
        return MJ_CANNOT_WRITE;
    if (put_all(file, size, writer, reason))
        return commit(file, writer, output, reason);
    mj_writer_abandon(writer);
    return MJ_CANNOT_WRITE;
}

// Without a writer only for the sums.
static mj_status_t pass_original(mj_file_t *file, mj_seal_t *seal, mj_writer_t *writer,
                                 const char **reason)
{
    size_t size = seal->plan->old_size;
    for (size_t off = 0; off < size; off += MJ_FILE_STEP) {
        size_t step = smaller(size - off, MJ_FILE_STEP);
        const uint8_t *original = mj_file_original(file, off, step, reason);
        if (original == NULL)
            return MJ_CANNOT_READ;
        mj_seal_take(seal, original, step);
        if (writer != NULL && !mj_writer_put(writer, off, original, step, reason))
            return MJ_CANNOT_WRITE;
    }
    return MJ_OK;
}

static bool put_changes(const mj_file_t *file, const mj_plan_t *plan, mj_writer_t *writer,
                        const char **reason)
{
    for (size_t off = plan->old_size; off < plan->new_size; off += MJ_FILE_STEP) {
        if (!mj_writer_put(writer, off, file->bytes + off,
                           smaller(plan->new_size - off, MJ_FILE_STEP), reason))
            return false;
    }
    for (uint32_t i = 0; i < plan->saved_count; i++) {
        mj_range_t range = plan->saved[i];
        if (!mj_writer_put(writer, range.off, file->bytes + range.off, range.size, reason))
            return false;
    }
    return true;
}

static mj_status_t produce(mj_file_t *file, const mj_plan_t *plan, mj_writer_t *writer,
                           const char **reason)
{
    mj_seal_t seal;
    mj_seal_begin(&seal, file->bytes, plan);
    mj_status_t status = pass_original(file, &seal, writer, reason);
    if (status != MJ_OK)
        return status;
    mj_seal_end(&seal, file->bytes);
    status = mj_verify(file->bytes, plan, &seal, reason);
    if (status == MJ_OK && writer != NULL && !put_changes(file, plan, writer, reason))
        status = MJ_CANNOT_WRITE;
    return status;
}

mj_status_t mj_output_injected(mj_file_t *file, const mj_plan_t *plan, const mj_output_t *output,
                               const char **reason)
{
    mj_writer_t *writer = NULL;
    if (!output->is_dry_run) {
        writer = mj_writer_open(output->path, plan->new_size, reason);
        if (writer == NULL)
            return MJ_CANNOT_WRITE;
    }
    mj_status_t status = produce(file, plan, writer, reason);
    if (status == MJ_OK && writer != NULL)
        return commit(file, writer, output, reason);
    mj_writer_abandon(writer);
    return status;
}
