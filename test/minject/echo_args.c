// SPDX-License-Identifier: MIT
// Prints its command line and its input, optionally through a child process, and ends with status 77.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

static int run_child(const char *self, const char *argument)
{
    char line[1024];
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    DWORD code = 0;
    snprintf(line, sizeof line, "\"%s\" %s", self, argument);
    if (!CreateProcessA(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process))
        return 1;
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    return (int)code;
}

static LONG CALLBACK handle_fault(EXCEPTION_POINTERS *pointers)
{
    if (pointers->ExceptionRecord->ExceptionCode == (DWORD)EXCEPTION_ACCESS_VIOLATION)
        ExitProcess(66);
    return EXCEPTION_CONTINUE_SEARCH;
}

// A fault that the program handles itself; a debugger is asked first.
static void fault(void)
{
    int *volatile nowhere = (int *)16;
    AddVectoredExceptionHandler(1, handle_fault);
    *nowhere = 1;
}

int main(int argc, char **argv)
{
    printf("%ls\n", GetCommandLineW());
    fflush(stdout);
    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return run_child(argv[0], "leaf");
    if (argc > 1 && strcmp(argv[1], "grandchild") == 0)
        return run_child(argv[0], "child");
    if (argc > 1 && strcmp(argv[1], "fault") == 0)
        fault();
    for (int c; argc > 1 && strcmp(argv[1], "cat") == 0 && (c = getchar()) != EOF;)
        putchar(c);
    return 77;
}
