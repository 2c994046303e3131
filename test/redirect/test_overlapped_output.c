// SPDX-License-Identifier: MIT
// The standard error of a process may be a handle for overlapped writing. Then a write goes on after
// the call: all lines must arrive, whole and in order, and the process must not end before. This
// program is both: without arguments it starts itself and reads what it says.
#include "check.h"
#include "stock_allocator.h"

#include <stdlib.h>
#include <windows.h>

enum { PIPE_BUFFER = 16, TEXT_SIZE = 64 * 1024 };

static char text[TEXT_SIZE];

static DWORD run_child(HANDLE error_output)
{
    char path[MAX_PATH];
    char command[MAX_PATH + 16];
    STARTUPINFOA startup = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION process;
    DWORD result = 99;
    startup.hStdError = error_output;
    GetModuleFileNameA(NULL, path, sizeof path);
    snprintf(command, sizeof command, "\"%s\" child", path);
    SetEnvironmentVariableA("MIMALLOC_VERBOSE", "2");
    if (!CreateProcessA(NULL, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process))
        return result;
    WaitForSingleObject(process.hProcess, 60000);
    GetExitCodeProcess(process.hProcess, &result);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return result;
}

// Slower than the child writes.
static DWORD WINAPI read_all(void *pipe)
{
    DWORD used = 0;
    DWORD read = 0;
    while (used < TEXT_SIZE - 1 && ReadFile(pipe, text + used, 100, &read, NULL) && read != 0) {
        used += read;
        Sleep(1);
    }
    return used;
}

static unsigned count_of(const char *part)
{
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

TEST(all_lines_arrive)
{
    SECURITY_ATTRIBUTES inheritable = {sizeof inheritable, NULL, TRUE};
    char name[64];
    snprintf(name, sizeof name, "\\\\.\\pipe\\mi-test-%u", (unsigned)GetCurrentProcessId());
    HANDLE reader = CreateNamedPipeA(name, PIPE_ACCESS_INBOUND, PIPE_TYPE_BYTE, 1, PIPE_BUFFER,
                                     PIPE_BUFFER, 0, NULL);
    HANDLE writer = CreateFileA(name, GENERIC_WRITE | SYNCHRONIZE, 0, &inheritable, OPEN_EXISTING,
                                FILE_FLAG_OVERLAPPED, NULL);
    REQUIRE(reader != INVALID_HANDLE_VALUE && writer != INVALID_HANDLE_VALUE);
    HANDLE thread = CreateThread(NULL, 0, read_all, reader, 0, NULL);
    CHECK_EQ(run_child(writer), 0);
    CloseHandle(writer);
    CHECK_EQ(WaitForSingleObject(thread, 60000), WAIT_OBJECT_0);
    CHECK(count_of("\n") >= 20);
    CHECK_EQ(count_of("mimalloc-redirect: "), count_of("\n"));
    CHECK_EQ(count_of("mimalloc-redirect: redirected: yes"), 1);
    const char *last = strstr(text, "mimalloc-redirect: redirected: yes");
    CHECK(last != NULL && strchr(last, '\n') == last + strlen(last) - 1);
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return mi_is_redirected() ? 0 : 1;
    RUN(all_lines_arrive)
    printf("%u passed, %u failed\n", check_state.passed, check_state.failed);
    return check_state.failed != 0;
}
