// SPDX-License-Identifier: MIT
// ARM64X images as an x64 process sees them.
#pragma once

#include "pe/pe.h"

// Applies to the mapped image the fixups that the system applies in an x64 process: headers, export
// and other tables become those of x64. False: the image has none. The view is made anew.
bool arm64x_become_x64(uint8_t *image, pe_view_t *view);
