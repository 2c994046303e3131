// SPDX-License-Identifier: MIT
// See vcruntime.h. The one type that the SDK's corecrt_startup.h takes from here.
#pragma once

#include <vcruntime.h>

typedef enum _crt_argv_mode {
    _crt_argv_no_arguments,
    _crt_argv_unexpanded_arguments,
    _crt_argv_expanded_arguments
} _crt_argv_mode;
