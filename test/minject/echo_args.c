// SPDX-License-Identifier: MIT
// Tells what a program sees when it is started, by itself or by minject run: command line, input,
// surroundings, handles; optionally through child processes. Ends with status 77 unless told otherwise.
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

// The rest of our own command line, as it was typed, behind the first time that word is in it.
static char *rest_behind(const char *word)
{
    char *found = strstr(GetCommandLineA(), word);
    return found != NULL ? found + strlen(word) : NULL;
}

// Starts the rest of the command line with a handle that it inherits, whose number comes last; tells
// what came through it and the exit status, all of it.
static int be_parent(void)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    HANDLE from;
    HANDLE to;
    DWORD code = 0;
    DWORD got = 0;
    char line[1024];
    char text[64] = "";
    if (!CreatePipe(&from, &to, &inherited, 0) ||
        !SetHandleInformation(from, HANDLE_FLAG_INHERIT, 0))
        return 1;
    snprintf(line, sizeof line, "%s %u", rest_behind("parent "), (unsigned)(uintptr_t)to);
    if (!CreateProcessA(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process))
        return 2;
    CloseHandle(to);
    while (got < sizeof text - 1) {
        DWORD more = 0;
        if (!ReadFile(from, text + got, (DWORD)sizeof text - 1 - got, &more, NULL) || more == 0)
            break;
        got += more;
    }
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    printf("came through: %s\nstatus: %08lx\n", text, (unsigned long)code);
    return 77;
}

// Arguments: what to write, the exit status, the handle's number.
static int be_child(char **argv)
{
    DWORD put;
    HANDLE to = (HANDLE)(uintptr_t)strtoul(argv[4], NULL, 10);
    WriteFile(to, argv[2], (DWORD)strlen(argv[2]), &put, NULL);
    ExitProcess((UINT)strtoul(argv[3], NULL, 16));
}

// What a program sees of its surroundings.
static int tell_surroundings(void)
{
    char folder[MAX_PATH];
    char runtime[MAX_PATH];
    GetCurrentDirectoryA(sizeof folder, folder);
    GetModuleFileNameA(GetModuleHandleA("ucrtbase.dll"), runtime, sizeof runtime);
    printf("folder: %s\nvariable: %s\npath: %s\nruntime: %s\n", folder, getenv("MI_ECHO"),
           getenv("PATH"), runtime);
    return 77;
}

static void print_command_line(void)
{
    char text[4096];
    int size =
        WideCharToMultiByte(CP_UTF8, 0, GetCommandLineW(), -1, text, sizeof text, NULL, NULL);
    printf("%s\n", size > 0 ? text : "too long");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "parent") == 0)
        return be_parent();
    if (argc == 5 && strcmp(argv[1], "handle") == 0)
        return be_child(argv);
    if (argc == 2 && strcmp(argv[1], "where") == 0)
        return tell_surroundings();
    print_command_line();
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
