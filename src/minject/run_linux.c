// SPDX-License-Identifier: MIT
// There is no Windows loader to work on here.
#include "minject/run.h"

#include "minject/platform.h"

int mj_run(const mj_options_t *options)
{
    mj_text_t text = {0};
    mj_text_add(&text, "minject: run %s: %s\n", options->path, mj_status_text(MJ_NOT_HERE));
    mj_write(MJ_STREAM_ERROR, text.bytes, text.size);
    mj_text_free(&text);
    return (int)mj_status_exit(MJ_NOT_HERE);
}
