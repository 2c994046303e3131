// SPDX-License-Identifier: MIT
// The options: a table of names, defaults and values. A read is one load, valid before the
// environment was looked at (then it gives the default).
#pragma once

#include "base/atomic.h"
#include "mimalloc.h"

// any: written by mi_option_set and while the environment is read; a stale value does no harm.
extern _Atomic(long) mi_option_values[_mi_option_last];

// The value of a valid option, without a function call. For the core.
mi_inline long mi_option_value(mi_option_t option)
{
    return mi_load_relaxed(&mi_option_values[option]);
}

mi_inline bool mi_option_is_on(mi_option_t option)
{
    return mi_option_value(option) != 0;
}

// Reads the environment, once. Called by mi_process_init after mi_os_init, and by every public
// option function; a call before the environment exists changes nothing and may be repeated.
void mi_options_init(void);
// The name as in MIMALLOC_<name>, in lower case.
const char *mi_option_name(mi_option_t option);
