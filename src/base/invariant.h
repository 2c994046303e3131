// SPDX-License-Identifier: MIT
// The three tiers of asserts. A failed one is a bug of ours: it prints and ends the process.
//   mi_assert           cheap, in debug builds: arguments and states
//   mi_assert_internal  the same, for what only this module can break
//   mi_assert_expensive walks structures; in debug builds, where a validity function is called
#pragma once

#include "base/bits.h"

// Defined in support/message.c; the only thing that base takes from above, for builds with asserts.
_Noreturn void mi_assert_failed(const char *what, const char *file, int line);

#define mi_assert_if(enabled, expr)                                                                \
    do {                                                                                           \
        if ((enabled) && !(expr))                                                                  \
            mi_assert_failed(#expr, __FILE__, __LINE__);                                           \
    } while (0)

#define mi_assert(expr)           mi_assert_if(MI_DEBUG, expr)
#define mi_assert_internal(expr)  mi_assert_if(MI_DEBUG, expr)
#define mi_assert_expensive(expr) mi_assert_if(MI_DEBUG, expr)
