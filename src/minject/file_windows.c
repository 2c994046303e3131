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

// The offset goes with the call, whatever was read or written before.
static OVERLAPPED place_of(size_t off)
{
    return (OVERLAPPED){.Offset = (DWORD)off, .OffsetHigh = (DWORD)((uint64_t)off >> 32)};
}

static bool read_at(HANDLE handle, size_t off, uint8_t *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        DWORD step = size - done < IO_STEP ? (DWORD)(size - done) : IO_STEP;
        DWORD got = 0;
        OVERLAPPED place = place_of(off + done);
        if (!ReadFile(handle, bytes + done, step, &got, &place))
            return false;
        if (got == 0) {
            SetLastError(ERROR_HANDLE_EOF); // it became shorter while it was read
            return false;
        }
        done += got;
    }
    return true;
}

static bool write_at(HANDLE handle, size_t off, const uint8_t *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        DWORD step = size - done < IO_STEP ? (DWORD)(size - done) : IO_STEP;
        DWORD put = 0;
        OVERLAPPED place = place_of(off + done);
        if (!WriteFile(handle, bytes + done, step, &put, &place))
            return false;
        done += put;
    }
    return true;
}

static HANDLE handle_of(const mj_file_t *file)
{
    return (HANDLE)file->handle;
}

static void free_source(mj_file_t *file)
{
    mj_free((void *)(uintptr_t)file->source);
    file->source = NULL;
    file->source_size = 0;
}

// Read, not mapped: an error of the disk or of the network is then a failing call, not an exception,
// and a mapped file cannot be replaced. The handle stays open, so that nobody writes to the file.
bool mj_file_read(const char *path, size_t slack, mj_file_t *file, const char **reason)
{
    LARGE_INTEGER size;
    bool is_read = false;
    WCHAR *wide = mj_wide_path(path);
    *file = (mj_file_t){.handle = (intptr_t)INVALID_HANDLE_VALUE};
    if (wide != NULL)
        file->handle =
            (intptr_t)CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL,
                                  OPEN_EXISTING, FILE_FLAG_SEQUENTIAL_SCAN, NULL);
    if (handle_of(file) == INVALID_HANDLE_VALUE || !GetFileSizeEx(handle_of(file), &size))
        goto done;
    if (size.HighPart != 0 || size.LowPart > SIZE_MAX / 2 - slack) {
        SetLastError(ERROR_FILE_TOO_LARGE);
        goto done;
    }
    file->size = size.LowPart;
    file->capacity = file->size + slack;
    file->bytes = HeapAlloc(GetProcessHeap(), 0, file->capacity);
    if (file->bytes == NULL)
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    else
        is_read = read_at(handle_of(file), 0, file->bytes, file->size);
done:
    if (!is_read) {
        *reason = system_reason(GetLastError());
        mj_file_free(file);
    }
    mj_free(wide);
    return is_read;
}

// source is a buffer for one step, or after mj_file_settle all of it.
const uint8_t *mj_file_original(mj_file_t *file, size_t off, size_t size, const char **reason)
{
    if (file->source_size != 0)
        return file->source + off;
    if (file->source == NULL)
        file->source = mj_alloc(MJ_FILE_STEP);
    if (file->source == NULL)
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    else if (read_at(handle_of(file), off, (uint8_t *)(uintptr_t)file->source, size))
        return file->source;
    *reason = system_reason(GetLastError());
    return NULL;
}

bool mj_file_settle(mj_file_t *file, size_t size)
{
    uint8_t *copy = mj_alloc(size);
    if (copy == NULL)
        return false;
    memcpy(copy, file->bytes, size);
    free_source(file);
    file->source = copy;
    file->source_size = size;
    return true;
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

void mj_file_release(mj_file_t *file)
{
    // 0 in a file that was never read.
    if (file->handle != 0 && handle_of(file) != INVALID_HANDLE_VALUE)
        CloseHandle(handle_of(file));
    file->handle = (intptr_t)INVALID_HANDLE_VALUE;
}

void mj_file_free(mj_file_t *file)
{
    mj_file_release(file);
    free_source(file);
    mj_free(file->bytes);
    *file = (mj_file_t){.handle = (intptr_t)INVALID_HANDLE_VALUE};
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

struct mj_writer {
    HANDLE handle;
    WCHAR *target;
    WCHAR *temporary;
};

static bool open_temporary(mj_writer_t *writer)
{
    size_t length = mj_wide_length(writer->target);
    writer->temporary = mj_alloc((length + 32) * sizeof *writer->temporary);
    if (writer->temporary == NULL) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return false;
    }
    memcpy(writer->temporary, writer->target, length * sizeof *writer->temporary);
    for (uint32_t i = 0; i < 100; i++) {
        mj_wide_number(writer->temporary + length, GetCurrentProcessId(), i);
        writer->handle = CreateFileW(writer->temporary, GENERIC_WRITE, 0, NULL, CREATE_NEW,
                                     FILE_ATTRIBUTE_NORMAL, NULL);
        if (writer->handle != INVALID_HANDLE_VALUE)
            return true;
        if (GetLastError() != ERROR_FILE_EXISTS)
            break;
    }
    writer->temporary[0] = 0; // not ours
    return false;
}

// Reserves the whole, so that a full disk is found at once.
static bool reserve(HANDLE handle, size_t size)
{
    LARGE_INTEGER end = {.QuadPart = (LONGLONG)size};
    return SetFilePointerEx(handle, end, NULL, FILE_BEGIN) && SetEndOfFile(handle);
}

mj_writer_t *mj_writer_open(const char *path, size_t size, const char **reason)
{
    mj_writer_t *writer = mj_alloc(sizeof *writer);
    if (writer != NULL) {
        writer->handle = INVALID_HANDLE_VALUE;
        writer->target = mj_wide_path(path);
    }
    if (writer == NULL || writer->target == NULL)
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    else if (open_temporary(writer) && reserve(writer->handle, size))
        return writer;
    *reason = system_reason(GetLastError());
    mj_writer_abandon(writer);
    return NULL;
}

bool mj_writer_put(mj_writer_t *writer, size_t off, const uint8_t *bytes, size_t size,
                   const char **reason)
{
    if (write_at(writer->handle, off, bytes, size))
        return true;
    *reason = system_reason(GetLastError());
    return false;
}

static void free_writer(mj_writer_t *writer)
{
    mj_free(writer->target);
    mj_free(writer->temporary);
    mj_free(writer);
}

// One rename replaces the target: ReplaceFileW would take two, with a moment without any file.
static bool rename_over(const mj_writer_t *writer, const char *model)
{
    WCHAR *pattern = mj_wide_path(model);
    if (pattern == NULL) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return false;
    }
    copy_security(pattern, writer->temporary);
    copy_attributes(pattern, writer->temporary);
    mj_free(pattern);
    return MoveFileExW(writer->temporary, writer->target,
                       MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH) != 0;
}

bool mj_writer_commit(mj_writer_t *writer, const char *model, const char **reason)
{
    bool ok = FlushFileBuffers(writer->handle) != 0;
    if (ok) {
        CloseHandle(writer->handle);
        writer->handle = INVALID_HANDLE_VALUE;
        ok = rename_over(writer, model);
    }
    if (ok) {
        free_writer(writer);
        return true;
    }
    *reason = system_reason(GetLastError());
    mj_writer_abandon(writer);
    return false;
}

void mj_writer_abandon(mj_writer_t *writer)
{
    if (writer == NULL)
        return;
    if (writer->handle != INVALID_HANDLE_VALUE)
        CloseHandle(writer->handle);
    if (writer->temporary != NULL && writer->temporary[0] != 0)
        DeleteFileW(writer->temporary);
    free_writer(writer);
}

// A pipe or a file, from where it stands. Nothing can be told about a failure to tell.
static void write_stream(HANDLE handle, const char *text, size_t size)
{
    for (size_t done = 0; done < size;) {
        DWORD put = 0;
        if (!WriteFile(handle, text + done, (DWORD)(size - done), &put, NULL))
            return;
        done += put;
    }
}

// A console takes UTF-16 in any code page; a file or a pipe gets UTF-8.
void mj_write(mj_stream_t stream, const char *text, size_t size)
{
    HANDLE handle = GetStdHandle(stream == MJ_STREAM_OUT ? STD_OUTPUT_HANDLE : STD_ERROR_HANDLE);
    DWORD mode;
    DWORD put;
    if (!GetConsoleMode(handle, &mode)) {
        write_stream(handle, text, size);
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
