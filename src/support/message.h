// SPDX-License-Identifier: MIT
// What the allocator says: errors, warnings, verbose lines. Everything goes to the registered output
// or to stderr. Nothing here allocates; any thread may call, also before mi_process_init.
#pragma once

#include "mimalloc.h"
#include "support/format.h"

// An error, with the errno value that tells its kind. Printed when the option show_errors or verbose
// is on, at most max_errors times; then the program's error function is called. Without one, damaged
// memory (EFAULT) and a double free (EAGAIN) end the process in debug and secure builds.
// fmt has no newline at its end.
void mi_error_report(int err, const char *fmt, ...) mi_attr_format(2, 3);
// Printed when show_errors or verbose is on, at most max_warnings times.
void mi_warning(const char *fmt, ...) mi_attr_format(1, 2);
// Printed when the option verbose is at least level.
void mi_verbose(long level, const char *fmt, ...) mi_attr_format(2, 3);
// Prints as it is.
void mi_output_raw(const char *text);
// One formatted piece of a report to out; to the usual output when out is NULL.
void mi_output_to(mi_output_fun *out, void *arg, const char *fmt, ...) mi_attr_format(3, 4);
