// SPDX-License-Identifier: MIT
// A program that is there to be looked at: it starts itself once more, and both say so and wait for the
// end of their input.
#include <stdio.h>
#include <windows.h>

static int start_another(const char *path)
{
    char command[MAX_PATH + 16];
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    snprintf(command, sizeof command, "\"%s\" again", path);
    if (!CreateProcessA(NULL, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process))
        return 1;
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 1 && start_another(argv[0]) != 0)
        return 1;
    puts("waiting");
    fflush(stdout);
    while (getchar() != EOF) {
    }
    return 0;
}
