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

static volatile int *const nowhere = (int *)16;

int main(int argc, char **argv)
{
    printf("%ls\n", GetCommandLineW());
    fflush(stdout);
    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return run_child(argv[0], "leaf");
    if (argc > 1 && strcmp(argv[1], "grandchild") == 0)
        return run_child(argv[0], "child");
    if (argc > 1 && strcmp(argv[1], "crash") == 0)
        *nowhere = 1;
    for (int c; argc > 1 && strcmp(argv[1], "cat") == 0 && (c = getchar()) != EOF;)
        putchar(c);
    return 77;
}
