// SPDX-License-Identifier: MIT
// Messages are formatted on the stack and handed over whole, so that lines of threads do not mix.
#include "support/message.h"

#include "base/invariant.h"
#include "os/os.h"
#include "os/os_tls.h"
#include "support/options.h"

#include <errno.h>

#define LINE_SIZE 512

// A function of the program with its argument. The pair changes under its lock; a reader copies it.
typedef struct callback {
    mi_os_lock_t lock;
    _Atomic(uintptr_t) function; // lock: lock; any reads it to skip the lock when it is 0
    void *arg;                   // lock: lock
} callback_t;

static callback_t output_callback;
static callback_t error_callback;
// The thread that is inside the program's output function: its own messages go to stderr, or an
// output function that allocates could call itself for ever.
static _Atomic(uintptr_t) output_thread;
static _Atomic(long) error_count;
static _Atomic(long) warning_count;

static void callback_set(callback_t *callback, uintptr_t function, void *arg)
{
    bool is_locked = mi_os_lock(&callback->lock);
    callback->arg = arg;
    mi_store_relaxed(&callback->function, function);
    if (is_locked)
        mi_os_unlock(&callback->lock);
}

static uintptr_t callback_get(callback_t *callback, void **arg)
{
    if (mi_load_relaxed(&callback->function) == 0)
        return 0;
    bool is_locked = mi_os_lock(&callback->lock);
    uintptr_t function = mi_load_relaxed(&callback->function);
    *arg = callback->arg;
    if (is_locked)
        mi_os_unlock(&callback->lock);
    return function;
}

static void output_to_program(mi_output_fun *out, void *arg, const char *text)
{
    uintptr_t self = mi_os_thread_key();
    uintptr_t nobody = 0;
    if (mi_load_relaxed(&output_thread) == self) {
        mi_os_stderr(text);
        return;
    }
    bool is_marked = mi_cas_strong_acq_rel(&output_thread, &nobody, self);
    out(text, arg);
    if (is_marked)
        mi_store_relaxed(&output_thread, 0);
}

void mi_output_raw(const char *text)
{
    void *arg = NULL;
    mi_output_fun *out = (mi_output_fun *)callback_get(&output_callback, &arg);
    if (out != NULL)
        output_to_program(out, arg, text);
    else
        mi_os_stderr(text);
}

void mi_output_to(mi_output_fun *out, void *arg, const char *fmt, ...)
{
    char line[LINE_SIZE];
    va_list args;
    va_start(args, fmt);
    mi_format_args(line, sizeof line, fmt, args);
    va_end(args);
    if (out != NULL)
        output_to_program(out, arg, line);
    else
        mi_output_raw(line);
}

// prefix, the text and a newline, cut to one line's size.
static void print_line(const char *prefix, const char *fmt, va_list args)
{
    char line[LINE_SIZE];
    size_t length = mi_format(line, sizeof line - 1, "mimalloc: %s", prefix);
    length += mi_format_args(line + length, sizeof line - 1 - length, fmt, args);
    line[length] = '\n';
    line[length + 1] = 0;
    mi_output_raw(line);
}

// Counts one more and says whether it is still within the limit; a negative limit is none.
static bool is_within(_Atomic(long) *count, long limit)
{
    return limit < 0 || mi_add_relaxed(count, 1) < limit;
}

static bool are_errors_shown(void)
{
    return mi_option_is_on(mi_option_show_errors) || mi_option_is_on(mi_option_verbose);
}

// The kinds of error after which memory may no longer be trusted.
static bool is_fatal(int err)
{
    return (MI_DEBUG || MI_SECURE) && (err == EFAULT || err == EAGAIN);
}

void mi_error_report(int err, const char *fmt, ...)
{
    void *arg = NULL;
    mi_error_fun *function = (mi_error_fun *)callback_get(&error_callback, &arg);
    bool is_end = function == NULL && is_fatal(err);
    if (is_end ||
        (are_errors_shown() && is_within(&error_count, mi_option_value(mi_option_max_errors)))) {
        va_list args;
        va_start(args, fmt);
        print_line("error: ", fmt, args);
        va_end(args);
    }
    if (function != NULL)
        function(err, arg);
    else if (is_end)
        mi_os_abort();
}

void mi_warning(const char *fmt, ...)
{
    if (!are_errors_shown() || !is_within(&warning_count, mi_option_value(mi_option_max_warnings)))
        return;
    va_list args;
    va_start(args, fmt);
    print_line("warning: ", fmt, args);
    va_end(args);
}

void mi_verbose(long level, const char *fmt, ...)
{
    if (mi_option_value(mi_option_verbose) < level)
        return;
    va_list args;
    va_start(args, fmt);
    print_line("", fmt, args);
    va_end(args);
}

void mi_assert_failed(const char *what, const char *file, int line)
{
    char text[LINE_SIZE];
    mi_format(text, sizeof text, "mimalloc: assertion failed: %s (%s:%d)\n", what, file, line);
    mi_output_raw(text);
    mi_os_abort();
}

void mi_register_output(mi_output_fun *out, void *arg)
{
    callback_set(&output_callback, (uintptr_t)out, arg);
}

void mi_register_error(mi_error_fun *fun, void *arg)
{
    callback_set(&error_callback, (uintptr_t)fun, arg);
}
