// SPDX-License-Identifier: MIT
// Which exports of a C runtime are taken over, and by which function.
#pragma once

#include "mimalloc/redirect.h"

#include <stddef.h>
#include <stdint.h>

// The order of the first ones is that of MI_CRT_FUNCTIONS.
typedef enum rd_function {
#define RD_FUNCTION_ID(name) RD_F_##name,
    MI_CRT_FUNCTIONS(RD_FUNCTION_ID)
#undef RD_FUNCTION_ID
        RD_CRT_FUNCTION_COUNT,
    RD_F_new = RD_CRT_FUNCTION_COUNT, // C++ operators of the runtimes up to msvcr120
    RD_F_delete,
    RD_FUNCTION_COUNT
} rd_function_t;

typedef enum rd_target_kind {
    RD_TARGET_WHOLE, // all or none of these are taken over
    RD_TARGET_EXTRA, // leads to one of the above; if its own code is refused, nothing is lost
    RD_TARGET_DEBUG, // like WHOLE; the extra arguments (type, file, line) are not looked at
} rd_target_kind_t;

typedef struct rd_target {
    const char *name;
    uint8_t function; // rd_function_t
    uint8_t kind;     // rd_target_kind_t
} rd_target_t;

#define RD_TARGET_MAX 80

extern const rd_target_t rd_targets[];
extern const size_t rd_target_count;
