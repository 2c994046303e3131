// SPDX-License-Identifier: MIT
// Memory, files and the terminal by Win32 calls alone: minject.exe needs no C runtime.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include "minject/platform.h"
#include "minject/wide.h"

#include <string.h>

#define IO_STEP 0x4000000U // bytes a call; some file systems refuse larger ones

void *mj_alloc(size_t size)
{
    return HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, size);
}

void *mj_realloc(void *block, size_t size)
{
    if (block == NULL)
        return mj_alloc(size);
    return HeapReAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, block, size);
}

void mj_free(void *block)
{
    if (block != NULL)
        HeapFree(GetProcessHeap(), 0, block);
}

static const char *system_reason(DWORD error)
{
    static char text[512];
    WCHAR wide[256];
    DWORD length = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
                                  error, 0, wide, 255, NULL);
    while (length > 0 && (wide[length - 1] <= ' ' || wide[length - 1] == '.'))
        length--;
    wide[length] = 0;
    if (length == 0 || !mj_narrow_into(wide, text, sizeof text))
        return "the system gives no reason";
    return text;
}

static bool read_all(HANDLE handle, uint8_t *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        DWORD step = size - done < IO_STEP ? (DWORD)(size - done) : IO_STEP;
        DWORD got = 0;
        if (!ReadFile(handle, bytes + done, step, &got, NULL))
            return false;
        if (got == 0) {
            SetLastError(ERROR_HANDLE_EOF); // it became shorter while it was read
            return false;
        }
        done += got;
    }
    return true;
}

static bool write_all(HANDLE handle, const uint8_t *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        DWORD step = size - done < IO_STEP ? (DWORD)(size - done) : IO_STEP;
        DWORD put = 0;
        if (!WriteFile(handle, bytes + done, step, &put, NULL))
            return false;
        done += put;
    }
    return true;
}

bool mj_file_read(const char *path, size_t slack, mj_file_t *file, const char **reason)
{
    LARGE_INTEGER size;
    bool is_read = false;
    HANDLE handle = INVALID_HANDLE_VALUE;
    WCHAR *wide = mj_wide_path(path);
    *file = (mj_file_t){0};
    if (wide != NULL)
        handle = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL,
                             OPEN_EXISTING, FILE_FLAG_SEQUENTIAL_SCAN, NULL);
    if (handle == INVALID_HANDLE_VALUE || !GetFileSizeEx(handle, &size))
        goto failed;
    if (size.HighPart != 0 || size.LowPart > SIZE_MAX / 2 - slack) {
        SetLastError(ERROR_FILE_TOO_LARGE);
        goto failed;
    }
    file->size = size.LowPart;
    file->capacity = file->size + slack;
    file->bytes = HeapAlloc(GetProcessHeap(), 0, file->capacity);
    if (file->bytes == NULL)
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    else
        is_read = read_all(handle, file->bytes, file->size);
failed:
    if (!is_read) {
        *reason = system_reason(GetLastError());
        mj_file_free(file);
    }
    if (handle != INVALID_HANDLE_VALUE)
        CloseHandle(handle);
    mj_free(wide);
    return is_read;
}

bool mj_file_grow(mj_file_t *file, size_t capacity)
{
    if (capacity <= file->capacity)
        return true;
    uint8_t *grown = mj_realloc(file->bytes, capacity);
    if (grown == NULL)
        return false;
    file->bytes = grown;
    file->capacity = capacity;
    return true;
}

void mj_file_free(mj_file_t *file)
{
    mj_free(file->bytes);
    *file = (mj_file_t){0};
}

bool mj_file_exists(const char *path)
{
    WCHAR *wide = mj_wide_path(path);
    bool exists = wide != NULL && GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES;
    mj_free(wide);
    return exists;
}

// The owner stays the user's own: setting another one needs a privilege.
static void copy_security(const WCHAR *from, const WCHAR *to)
{
    DWORD size = 0;
    GetFileSecurityW(from, DACL_SECURITY_INFORMATION, NULL, 0, &size);
    void *descriptor = size != 0 ? mj_alloc(size) : NULL;
    // A file system without access lists has nothing to keep.
    if (descriptor != NULL &&
        GetFileSecurityW(from, DACL_SECURITY_INFORMATION, descriptor, size, &size))
        SetFileSecurityW(to, DACL_SECURITY_INFORMATION, descriptor);
    mj_free(descriptor);
}

#define KEPT_ATTRIBUTES                                                                            \
    (FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM | FILE_ATTRIBUTE_ARCHIVE |                      \
     FILE_ATTRIBUTE_NOT_CONTENT_INDEXED)

static void copy_attributes(const WCHAR *from, const WCHAR *to)
{
    DWORD attributes = GetFileAttributesW(from);
    if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & KEPT_ATTRIBUTES) != 0)
        SetFileAttributesW(to, attributes & KEPT_ATTRIBUTES);
}

static HANDLE open_temporary(const WCHAR *target, WCHAR **name)
{
    size_t length = mj_wide_length(target);
    *name = mj_alloc((length + 32) * sizeof **name);
    if (*name == NULL)
        return INVALID_HANDLE_VALUE;
    memcpy(*name, target, length * sizeof **name);
    for (uint32_t i = 0; i < 100; i++) {
        mj_wide_number(*name + length, GetCurrentProcessId(), i);
        HANDLE handle =
            CreateFileW(*name, GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
        if (handle != INVALID_HANDLE_VALUE || GetLastError() != ERROR_FILE_EXISTS)
            return handle;
    }
    return INVALID_HANDLE_VALUE;
}

// One rename replaces the target: ReplaceFileW would take two, with a moment without any file.
static bool replace(const WCHAR *target, const WCHAR *model, const uint8_t *bytes, size_t size)
{
    WCHAR *name;
    HANDLE handle = open_temporary(target, &name);
    bool ok = handle != INVALID_HANDLE_VALUE && write_all(handle, bytes, size) &&
              FlushFileBuffers(handle);
    DWORD error = GetLastError();
    if (handle != INVALID_HANDLE_VALUE)
        CloseHandle(handle);
    if (ok) {
        copy_security(model, name);
        copy_attributes(model, name);
        ok = MoveFileExW(name, target, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH);
        error = GetLastError();
    }
    if (!ok && handle != INVALID_HANDLE_VALUE)
        DeleteFileW(name);
    mj_free(name);
    SetLastError(error);
    return ok;
}

bool mj_file_replace(const char *path, const char *model, const uint8_t *bytes, size_t size,
                     const char **reason)
{
    WCHAR *target = mj_wide_path(path);
    WCHAR *pattern = mj_wide_path(model);
    bool ok = false;
    if (target == NULL || pattern == NULL)
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    else
        ok = replace(target, pattern, bytes, size);
    if (!ok)
        *reason = system_reason(GetLastError());
    mj_free(target);
    mj_free(pattern);
    return ok;
}

// A console takes UTF-16 in any code page; a file or a pipe gets UTF-8.
void mj_write(mj_stream_t stream, const char *text, size_t size)
{
    HANDLE handle = GetStdHandle(stream == MJ_STREAM_OUT ? STD_OUTPUT_HANDLE : STD_ERROR_HANDLE);
    DWORD mode;
    DWORD put;
    if (!GetConsoleMode(handle, &mode)) {
        write_all(handle, (const uint8_t *)text, size);
        return;
    }
    size_t length;
    WCHAR *wide = mj_widen(text, size, &length);
    if (wide != NULL)
        WriteConsoleW(handle, wide, (DWORD)length, &put, NULL);
    mj_free(wide);
}

bool mj_confirm(void)
{
    HANDLE handle = GetStdHandle(STD_INPUT_HANDLE);
    char answer = 'n';
    DWORD got = 0;
    if (!ReadFile(handle, &answer, 1, &got, NULL) || got != 1)
        return false;
    for (char rest = answer; rest != '\n' && ReadFile(handle, &rest, 1, &got, NULL) && got == 1;) {
    }
    return answer == 'y' || answer == 'Y';
}

bool mj_is_separator(char c)
{
    return c == '/' || c == '\\' || c == ':';
}

bool mj_own_folder(char *folder, size_t size)
{
    static WCHAR wide[0x8000];
    DWORD length = GetModuleFileNameW(NULL, wide, 0x8000);
    while (length > 0 && wide[length - 1] != '\\')
        length--;
    wide[length] = 0;
    return length > 0 && mj_narrow_into(wide, folder, size);
}
