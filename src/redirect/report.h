// SPDX-License-Identifier: MIT
// The truth about what was done, as text and as data.
#pragma once

#include "redirect/runtime.h"

typedef struct rd_report {
    bool is_redirected;
    bool is_off;        // by mi_redirect_disable
    rd_status_t reason; // when not redirected
    char verdict[320];
} rd_report_t;

extern rd_report_t rd_report;

// One line for the runtime (MIMALLOC_VERBOSE=1) and one for each function (2).
void rd_report_runtime(const rd_runtime_t *runtime);

// Makes and prints the verdict.
void rd_report_verdict(void);
