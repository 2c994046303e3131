// SPDX-License-Identifier: MIT
// The way out: a result becomes a file, in one pass, all or nothing.
#pragma once

#include "minject/minject.h"
#include "minject/platform.h"

typedef struct mj_output {
    const char *path;  // replaced
    const char *model; // permissions are taken from it
    bool is_dry_run;   // everything but the writing
} mj_output_t;

// The first size bytes of file.
mj_status_t mj_output_bytes(mj_file_t *file, size_t size, const mj_output_t *output,
                            const char **reason);

// The result of mj_rewrite in file->bytes: seals it and verifies it before it takes the target's place.
mj_status_t mj_output_injected(mj_file_t *file, const mj_plan_t *plan, const mj_output_t *output,
                               const char **reason);
