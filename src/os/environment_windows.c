// SPDX-License-Identifier: MIT
// Text from and to outside, of the Windows port: environment variables, paths, and the messages that go
// to a file, the console or a debugger.
#include "os/os_windows.h"

static char ascii(wchar_t c)
{
    return c < 0x80 ? (char)c : '?';
}

static wchar_t upper(wchar_t c)
{
    return c >= L'a' && c <= L'z' ? (wchar_t)(c - L'a' + L'A') : c;
}

static bool has_prefix(const wchar_t *entry, const char *prefix)
{
    for (; *prefix != 0; prefix++, entry++)
        if (upper(*entry) != (wchar_t)*prefix)
            return false;
    return true;
}

static void copy_ascii(char *buffer, size_t size, const wchar_t *text)
{
    size_t i = 0;
    for (; i + 1 < size && text[i] != 0; i++)
        buffer[i] = ascii(text[i]);
    buffer[i] = 0;
}

static size_t wide_length(const wchar_t *text)
{
    size_t length = 0;
    while (text[length] != 0)
        length++;
    return length;
}

size_t mi_os_env_copy(const char *name, char *buffer, size_t size)
{
    DWORD saved_error = GetLastError();
    DWORD room = (DWORD)mi_min(size, UINT32_MAX);
    SetLastError(ERROR_SUCCESS);
    DWORD length = GetEnvironmentVariableA(name, buffer, room);
    bool is_set = length != 0 || GetLastError() == ERROR_SUCCESS;
    SetLastError(saved_error);
    // When it does not fit the zero is counted, else it is not.
    return !is_set ? 0 : length < room || length == 0 ? (size_t)length + 1 : length;
}

size_t mi_os_env_copy_wide(const wchar_t *name, wchar_t *buffer, size_t size)
{
    DWORD saved_error = GetLastError();
    DWORD room = (DWORD)mi_min(size, UINT32_MAX);
    SetLastError(ERROR_SUCCESS);
    DWORD length = GetEnvironmentVariableW(name, buffer, room);
    bool is_set = length != 0 || GetLastError() == ERROR_SUCCESS;
    SetLastError(saved_error);
    return !is_set ? 0 : length < room || length == 0 ? (size_t)length + 1 : length;
}

int mi_os_full_path(const char *name, char *buffer, size_t size)
{
    const int no_such_file = 2;   // ENOENT
    const int name_too_long = 38; // ENAMETOOLONG
    DWORD saved_error = GetLastError();
    DWORD room = (DWORD)mi_min(size, UINT32_MAX);
    DWORD length = GetFullPathNameA(name, room, buffer, NULL);
    SetLastError(saved_error);
    if (length == 0)
        return no_such_file;
    return length < room ? 0 : name_too_long;
}

// Splits NAME=value in place; false for the entries of drives (=C:=...) and for what has no '='.
static bool split_entry(char *entry, char **value)
{
    char *c = entry;
    for (; *c != 0 && *c != '='; c++)
        *c = (char)upper((wchar_t)*c);
    if (*c == 0 || c == entry)
        return false;
    *c = 0;
    *value = c + 1;
    return true;
}

bool mi_os_each_env(const char *prefix, mi_os_env_fun *visit)
{
    char text[MI_OS_ENV_MAX];
    char *value;
    size_t prefix_length = 0;
    while (prefix[prefix_length] != 0)
        prefix_length++;
    DWORD saved_error = GetLastError();
    wchar_t *block = GetEnvironmentStringsW();
    if (block == NULL)
        return false;
    for (const wchar_t *entry = block; *entry != 0; entry += wide_length(entry) + 1) {
        if (!has_prefix(entry, prefix))
            continue;
        copy_ascii(text, sizeof text, entry + prefix_length);
        if (split_entry(text, &value))
            visit(text, value);
    }
    FreeEnvironmentStringsW(block);
    SetLastError(saved_error);
    return true;
}

// ---- output ----

static DWORD length_of(const char *text)
{
    DWORD length = 0;
    while (text[length] != 0)
        length++;
    return length;
}

// A program with windows has no stderr: a debugger may listen.
static void write_to_console(const char *text)
{
    DWORD written;
    HANDLE console = GetStdHandle(STD_ERROR_HANDLE);
    if (console == NULL || console == INVALID_HANDLE_VALUE ||
        !WriteFile(console, text, length_of(text), &written, NULL))
        OutputDebugStringA(text);
}

static HANDLE open_log_file(void)
{
    wchar_t path[MAX_PATH];
    HANDLE file = INVALID_HANDLE_VALUE;
    DWORD length = GetEnvironmentVariableW(L"MIMALLOC_LOG_FILE", path, MAX_PATH);
    if (length == 0)
        return file;
    if (length < MAX_PATH)
        file = CreateFileW(path, FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                           OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    if (file == INVALID_HANDLE_VALUE)
        write_to_console(
            "mimalloc: warning: the file that MIMALLOC_LOG_FILE names cannot be opened: "
            "does its folder exist, and may this user write there?\n");
    return file;
}

// The file that MIMALLOC_LOG_FILE names, opened once to append; NULL when there is none.
static HANDLE log_file(void)
{
    static _Atomic(HANDLE) file;
    HANDLE opened = mi_load_acquire(&file);
    if (opened == NULL) {
        // Two threads may open it at the same time; appending through either handle is right.
        opened = open_log_file();
        mi_store_release(&file, opened);
    }
    return opened == INVALID_HANDLE_VALUE ? NULL : opened;
}

void mi_os_stderr(const char *text)
{
    DWORD saved_error = GetLastError();
    DWORD written;
    HANDLE file = log_file();
    if (file != NULL)
        WriteFile(file, text, length_of(text), &written, NULL);
    write_to_console(text);
    SetLastError(saved_error);
}
