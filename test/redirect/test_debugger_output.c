// SPDX-License-Identifier: MIT
// A program without standard error tells its debugger. This program is both: without arguments it
// debugs itself, started with an argument and without standard handles.
#include "check.h"
#include "stock_allocator.h"

#include <windows.h>

typedef struct seen {
    bool verdict;
    bool runtime;
    DWORD status;
} seen_t;

static void note_text(HANDLE process, const OUTPUT_DEBUG_STRING_INFO *info, seen_t *seen)
{
    char text[600] = "";
    SIZE_T size = min(info->nDebugStringLength, (WORD)(sizeof text - 1));
    ReadProcessMemory(process, info->lpDebugStringData, text, size, NULL);
    seen->verdict |= strstr(text, "mimalloc-redirect: redirected: yes") != NULL;
    seen->runtime |= strstr(text, "ucrtbase.dll at 0x") != NULL;
}

static void follow(HANDLE process, seen_t *seen)
{
    DEBUG_EVENT event;
    while (WaitForDebugEvent(&event, 30000)) {
        DWORD answer = DBG_CONTINUE;
        if (event.dwDebugEventCode == OUTPUT_DEBUG_STRING_EVENT)
            note_text(process, &event.u.DebugString, seen);
        else if (event.dwDebugEventCode == EXCEPTION_DEBUG_EVENT &&
                 event.u.Exception.ExceptionRecord.ExceptionCode != EXCEPTION_BREAKPOINT)
            answer = DBG_EXCEPTION_NOT_HANDLED;
        ContinueDebugEvent(event.dwProcessId, event.dwThreadId, answer);
        if (event.dwDebugEventCode == EXIT_PROCESS_DEBUG_EVENT) {
            seen->status = event.u.ExitProcess.dwExitCode;
            return;
        }
    }
}

TEST(a_program_without_standard_error_tells_the_debugger)
{
    char path[MAX_PATH];
    char command[MAX_PATH + 16];
    STARTUPINFOA startup = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION process;
    seen_t seen = {0};
    GetModuleFileNameA(NULL, path, sizeof path);
    snprintf(command, sizeof command, "\"%s\" child", path);
    SetEnvironmentVariableA("MIMALLOC_VERBOSE", "1");
    REQUIRE(CreateProcessA(NULL, command, NULL, NULL, FALSE, DEBUG_ONLY_THIS_PROCESS, NULL, NULL,
                           &startup, &process));
    follow(process.hProcess, &seen);
    CHECK(seen.runtime);
    CHECK(seen.verdict);
    CHECK_EQ(seen.status, 0);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return mi_is_redirected() ? 0 : 1;
    RUN(a_program_without_standard_error_tells_the_debugger)
    printf("%u passed, %u failed\n", check_state.passed, check_state.failed);
    return check_state.failed != 0;
}
