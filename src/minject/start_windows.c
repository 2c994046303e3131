// SPDX-License-Identifier: MIT
// The entry point without a C runtime: splits the command line as Microsoft's runtime does, and
// supplies the few functions that a compiler may call on its own.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <string.h>

#include "compiler/compiler.h"
#include "minject/main.h"
#include "minject/platform.h"
#include "minject/wide.h"

// One argument from *from to to (both advance). Rules: 2n backslashes before a quote are n, an odd
// one more makes the quote literal, a doubled quote inside quotes is one.
static wchar_t *take_argument(const wchar_t **from, wchar_t *to)
{
    const wchar_t *at = *from;
    bool is_quoted = false;
    for (;;) {
        size_t slashes = 0;
        while (at[slashes] == '\\')
            slashes++;
        at += slashes;
        size_t kept = *at == '"' ? slashes / 2 : slashes;
        while (kept-- > 0)
            *to++ = '\\';
        if (*at == '"' && slashes % 2 == 0) {
            if (is_quoted && at[1] == '"')
                *to++ = *at++;
            else
                is_quoted = !is_quoted;
            at++;
            continue;
        }
        if (*at == 0 || (!is_quoted && (*at == ' ' || *at == '\t')))
            break;
        *to++ = *at++;
    }
    *from = at;
    *to++ = 0;
    return to;
}

// The program's own name has rules of its own: quotes only toggle, backslashes are plain.
static const wchar_t *skip_program(const wchar_t *line)
{
    bool is_quoted = false;
    for (; *line != 0 && (is_quoted || (*line != ' ' && *line != '\t')); line++) {
        if (*line == '"')
            is_quoted = !is_quoted;
    }
    return line;
}

static int split(const wchar_t *line, char **argv, wchar_t *room)
{
    int argc = 0;
    argv[argc++] = mj_narrow(L"minject", 7);
    line = skip_program(line);
    for (;;) {
        while (*line == ' ' || *line == '\t')
            line++;
        if (*line == 0)
            return argc;
        wchar_t *start = room;
        room = take_argument(&line, room);
        argv[argc++] = mj_narrow(start, (size_t)(room - start) - 1);
    }
}

// The process ends here, so nothing is freed.
static int run(void)
{
    const wchar_t *line = GetCommandLineW();
    size_t length = mj_wide_length(line);
    wchar_t *room = mj_alloc((length + 2) * sizeof *room);
    char **argv = mj_alloc((length / 2 + 3) * sizeof *argv);
    if (room == NULL || argv == NULL)
        return 2;
    int argc = split(line, argv, room);
    for (int i = 0; i < argc; i++) {
        if (argv[i] == NULL)
            return 2;
    }
    return mj_main(argc, argv);
}

void mj_start(void);

// 32-bit processes are entered with the stack off by four.
mi_aligns_stack void mj_start(void)
{
    ExitProcess((UINT)run());
}
