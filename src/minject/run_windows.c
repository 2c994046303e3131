// SPDX-License-Identifier: MIT
// minject run: the program is created suspended, its imports are edited in memory, and it goes on.
// Command line, environment (but for PATH), handles, current folder and exit code pass through.
// With --children the system's debugging interface announces every descendant before it runs; nothing
// else is done with it, and every exception goes back to the program.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include "minject/run.h"

#include "minject/platform.h"
#include "minject/remote.h"
#include "minject/wide.h"

#define PATH_MAX_CHARS 0x8000U
#define PROCESS_MAX    1024U // descendants at one time whose first breakpoint is told apart

static void tell(const mj_options_t *options, const char *name, const char *what, const char *more)
{
    mj_text_t text = {0};
    mj_text_add(&text, "minject: run %s: %s%s%s\n", name, what, *more != '\0' ? ": " : "", more);
    mj_write(MJ_STREAM_ERROR, text.bytes, text.size);
    mj_text_free(&text);
    (void)options;
}

// ---- command line and environment ----

static const wchar_t *skip_spaces(const wchar_t *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

// Backslashes before a quote decide whether it opens a quoted part, as in start_windows.c.
static const wchar_t *skip_argument(const wchar_t *at)
{
    bool is_quoted = false;
    size_t slashes = 0;
    for (; *at != 0 && (is_quoted || (*at != ' ' && *at != '\t')); at++) {
        if (*at == '"' && slashes % 2 == 0)
            is_quoted = !is_quoted;
        slashes = *at == '\\' ? slashes + 1 : 0;
    }
    return at;
}

// The part of our own command line that begins with the program, as it was typed.
static wchar_t *program_command_line(const mj_options_t *options)
{
    const wchar_t *at = GetCommandLineW();
    for (int i = 0; i < options->program_index; i++)
        at = skip_spaces(skip_argument(at));
    size_t size = (mj_wide_length(at) + 1) * sizeof(wchar_t);
    wchar_t *line = mj_alloc(size); // CreateProcessW may write to it
    for (size_t i = 0; line != NULL && i < size / sizeof *line; i++)
        line[i] = at[i];
    return line;
}

// The DLLs lie in minject's folder; the program's own folder and the system's still come first.
static void extend_path(void)
{
    static wchar_t path[PATH_MAX_CHARS];
    static wchar_t own[PATH_MAX_CHARS];
    DWORD length = GetEnvironmentVariableW(L"PATH", path, PATH_MAX_CHARS);
    DWORD own_length = GetModuleFileNameW(NULL, own, PATH_MAX_CHARS);
    while (own_length > 0 && own[own_length - 1] != '\\')
        own_length--;
    if (own_length < 2 || length + own_length + 1 >= PATH_MAX_CHARS)
        return;
    if (length > 0)
        path[length++] = ';';
    for (DWORD i = 0; i < own_length - 1; i++)
        path[length++] = own[i];
    path[length] = 0;
    SetEnvironmentVariableW(L"PATH", path);
}

// ---- injecting ----

static void inject(const mj_options_t *options, HANDLE process, const char *name)
{
    uint16_t machine;
    mj_status_t status = mj_remote_inject(process, options, &machine);
    // The program runs in any case: without the allocator it is slower, not broken.
    if (status != MJ_OK && status != MJ_ALREADY)
        tell(options, name, "goes without the allocator", mj_status_text(status));
    else if (options->is_verbose)
        tell(options, name, "allocator in front", mj_machine_name(machine));
}

// ---- descendants ----

// Every process begins with a breakpoint of the system's loader, which is for the debugger; all later
// ones are the program's. On 64-bit Windows a 32-bit process has a second one of its own.
typedef struct known {
    DWORD id;
    bool had_breakpoint;
    bool had_breakpoint32;
} known_t;

static known_t known[PROCESS_MAX];

static known_t *find_known(DWORD id)
{
    for (size_t i = 0; i < PROCESS_MAX; i++) {
        if (known[i].id == id)
            return &known[i];
    }
    return NULL;
}

static void remember(DWORD id)
{
    known_t *slot = find_known(0);
    if (slot != NULL)
        *slot = (known_t){.id = id};
}

static void forget(DWORD id)
{
    known_t *slot = find_known(id);
    if (slot != NULL)
        slot->id = 0;
}

#define STATUS_WX86_BREAKPOINT_CODE 0x4000001fU

static DWORD answer_exception(const DEBUG_EVENT *event)
{
    known_t *process = find_known(event->dwProcessId);
    DWORD code = event->u.Exception.ExceptionRecord.ExceptionCode;
    if (process != NULL && code == (DWORD)EXCEPTION_BREAKPOINT && !process->had_breakpoint) {
        process->had_breakpoint = true;
        return DBG_CONTINUE;
    }
    if (process != NULL && code == STATUS_WX86_BREAKPOINT_CODE && !process->had_breakpoint32) {
        process->had_breakpoint32 = true;
        return DBG_CONTINUE;
    }
    return DBG_EXCEPTION_NOT_HANDLED;
}

static DWORD answer(const mj_options_t *options, const DEBUG_EVENT *event, DWORD first)
{
    switch (event->dwDebugEventCode) {
    case CREATE_PROCESS_DEBUG_EVENT:
        remember(event->dwProcessId);
        // The first one was done while it was suspended.
        if (event->dwProcessId != first)
            inject(options, event->u.CreateProcessInfo.hProcess, "child process");
        CloseHandle(event->u.CreateProcessInfo.hFile);
        return DBG_CONTINUE;
    case EXIT_PROCESS_DEBUG_EVENT:
        forget(event->dwProcessId);
        return DBG_CONTINUE;
    case LOAD_DLL_DEBUG_EVENT:
        CloseHandle(event->u.LoadDll.hFile);
        return DBG_CONTINUE;
    case EXCEPTION_DEBUG_EVENT:
        return answer_exception(event);
    default:
        return DBG_CONTINUE;
    }
}

// Until the program ends; descendants that outlive it go on undisturbed, and theirs are not followed.
static void follow(const mj_options_t *options, DWORD first)
{
    DEBUG_EVENT event;
    bool is_over = false;
    DebugSetProcessKillOnExit(FALSE);
    while (!is_over && WaitForDebugEvent(&event, INFINITE)) {
        is_over = event.dwDebugEventCode == EXIT_PROCESS_DEBUG_EVENT && event.dwProcessId == first;
        ContinueDebugEvent(event.dwProcessId, event.dwThreadId, answer(options, &event, first));
    }
    for (size_t i = 0; i < PROCESS_MAX; i++) {
        if (known[i].id != 0)
            DebugActiveProcessStop(known[i].id);
    }
}

// ---- the program ----

// Ctrl+C is for the program; minject goes on waiting for it.
static BOOL WINAPI ignore_control(DWORD event)
{
    return event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT;
}

static bool start(const mj_options_t *options, PROCESS_INFORMATION *process)
{
    static STARTUPINFOW startup;
    DWORD flags = CREATE_SUSPENDED | (options->follows_children ? DEBUG_PROCESS : 0);
    wchar_t *line = program_command_line(options);
    if (line == NULL)
        return false;
    // Ours, so that window state, standard handles and whatever a parent hid in it are the program's.
    GetStartupInfoW(&startup);
    if ((startup.dwFlags & STARTF_USESTDHANDLES) == 0) {
        startup.dwFlags |= STARTF_USESTDHANDLES;
        startup.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
        startup.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
        startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    }
    bool ok = CreateProcessW(NULL, line, NULL, NULL, TRUE, flags, NULL, NULL, &startup, process);
    mj_free(line);
    return ok;
}

int mj_run(const mj_options_t *options)
{
    PROCESS_INFORMATION process;
    DWORD code = MJ_EXIT_FILE;
    extend_path();
    // Without this the debugging interface makes the system's heap slow in every descendant.
    if (options->follows_children)
        SetEnvironmentVariableW(L"_NO_DEBUG_HEAP", L"1");
    if (!start(options, &process)) {
        tell(options, options->path, "cannot be started",
             GetLastError() == ERROR_FILE_NOT_FOUND ? "not found" : "the system refuses");
        return MJ_EXIT_FILE;
    }
    SetConsoleCtrlHandler(ignore_control, TRUE);
    inject(options, process.hProcess, options->path);
    ResumeThread(process.hThread);
    if (options->follows_children)
        follow(options, process.dwProcessId);
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return (int)code;
}
