// SPDX-License-Identifier: MIT
// The DLLs that must lie beside an injected program.
#pragma once

#include "minject/check.h"

// Looks for the first wanted DLL and the redirect's DLL in the folder of path.
void mj_companions_look(const char *path, uint16_t machine, const mj_options_t *options,
                        mj_neighbour_t neighbours[2]);

// Copies the wanted DLLs and the redirect's from minject's own folder to the folder of path. Each must
// be there and be for this machine; nothing is copied unless all are. *culprit (from text) names the
// one that failed.
mj_status_t mj_companions_copy(const char *path, uint16_t machine, const mj_options_t *options,
                               mj_text_t *culprit, const char **reason);
