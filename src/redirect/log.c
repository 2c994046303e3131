// SPDX-License-Identifier: MIT
// Output by system calls only. Nothing here allocates, except the path conversion for the log file,
// which takes from the process heap and gives back.
#include "redirect/log.h"
#include "redirect/export.h"
#include "redirect/freestanding.h"
#include "redirect/process.h"
#include "redirect/settings.h"

#include "compiler/intrinsics.h"

enum { LINE_SIZE = 512 };

typedef struct out {
    char *text;
    size_t size;
    size_t used;
} out_t;

static void put(out_t *out, char c)
{
    if (out->used + 1 < out->size)
        out->text[out->used++] = c;
}

static void put_text(out_t *out, const char *text)
{
    for (text = text != NULL ? text : "(none)"; *text != 0; text++)
        put(out, *text);
}

static void put_number(out_t *out, uint64_t value, unsigned base, unsigned width)
{
    char digits[20];
    unsigned count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0 && count < sizeof digits);
    for (unsigned i = count; i < width; i++)
        put(out, '0');
    while (count > 0)
        put(out, digits[--count]);
}

static void put_signed(out_t *out, int value)
{
    if (value < 0)
        put(out, '-');
    put_number(out, value < 0 ? 0u - (unsigned)value : (unsigned)value, 10, 0);
}

static const char *put_directive(out_t *out, const char *at, va_list *args)
{
    unsigned width = 0;
    while (*at >= '0' && *at <= '9')
        width = width * 10 + (unsigned)(*at++ - '0');
    switch (*at) {
    case 's':
        put_text(out, va_arg(*args, const char *));
        break;
    case 'u':
        put_number(out, va_arg(*args, unsigned), 10, width);
        break;
    case 'd':
        put_signed(out, va_arg(*args, int));
        break;
    case 'x':
        put_number(out, va_arg(*args, unsigned), 16, width);
        break;
    case 'p':
        put_text(out, "0x");
        put_number(out, (uintptr_t)va_arg(*args, void *), 16, 0);
        break;
    case 0:
        return at;
    default:
        put(out, *at);
    }
    return at + 1;
}

void rd_format_list(char *text, size_t size, const char *format, va_list args)
{
    out_t out = {.text = text, .size = size};
    va_list copy;
    va_copy(copy, args);
    while (*format != 0) {
        if (*format != '%')
            put(&out, *format++);
        else
            format = put_directive(&out, format + 1, &copy);
    }
    va_end(copy);
    text[out.used] = 0;
}

void rd_format(char *text, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    rd_format_list(text, size, format, args);
    va_end(args);
}

static bool write_to(HANDLE file, const char *text, size_t size)
{
    rd_io_status_t io = {.status = (void *)(uintptr_t)RD_STATUS_PENDING};
    if (file == NULL || file == INVALID_HANDLE_VALUE)
        return false;
    rd_ntstatus_t status = NtWriteFile(file, NULL, NULL, NULL, &io, text, (ULONG)size, NULL, NULL);
    // A handle for overlapped use, as some programs give their children: the system goes on writing,
    // to `io` too. The file is also signalled by others' writes through the same handle.
    while (status == RD_STATUS_PENDING) {
        if (!RD_NT_SUCCESS(NtWaitForSingleObject(file, FALSE, NULL)))
            (void)NtYieldExecution();
        status = (rd_ntstatus_t)(uintptr_t)*(void *volatile *)&io.status;
    }
    return RD_NT_SUCCESS(status);
}

// GUI programs have no standard error. kernel32 is there before any DLL is started.
static void write_to_debugger(const char *text)
{
    typedef VOID WINAPI output_debug_string_fun(const char *);
    static output_debug_string_fun *output;
    if (output == NULL)
        output = (output_debug_string_fun *)rd_system_export("kernel32.dll", "OutputDebugStringA");
    if (output != NULL)
        output(text);
}

static rd_ntstatus_t open_log_file(HANDLE *file)
{
    const rd_ntstatus_t object_name_invalid = (rd_ntstatus_t)0xC0000033;
    rd_unicode_t path;
    if (!RtlDosPathNameToNtPathName_U(rd_settings.log_file, &path, NULL, NULL))
        return object_name_invalid;
    rd_object_attributes_t attributes = {
        .length = sizeof attributes, .name = &path, .attributes = 0x40 /* case-insensitive */};
    rd_io_status_t io = {0};
    const ULONG open_or_create = 3;
    const ULONG synchronous_file = 0x20 | 0x40;
    rd_ntstatus_t status = NtCreateFile(
        file, FILE_APPEND_DATA | SYNCHRONIZE, &attributes, &io, NULL, FILE_ATTRIBUTE_NORMAL,
        FILE_SHARE_READ | FILE_SHARE_WRITE, open_or_create, synchronous_file, NULL, 0);
    RtlFreeUnicodeString(&path);
    return status;
}

static void write_to_console(const char *text, size_t size)
{
    const rd_process_parameters_t *parameters = rd_process()->parameters;
    if (parameters == NULL || !write_to(parameters->standard_error, text, size))
        write_to_debugger(text);
}

static rd_unicode_t last_part_of(rd_unicode_t path)
{
    USHORT count = (USHORT)(path.length / sizeof(WCHAR));
    USHORT start = count;
    while (start > 0 && path.text[start - 1] != '\\')
        start--;
    return (rd_unicode_t){.length = (USHORT)((count - start) * sizeof(WCHAR)),
                          .text = path.text + start};
}

// "program.exe 1234: ": the programs that a program starts write to the same file.
static void put_process(char *out, size_t size)
{
    const uint32_t process_id_offset = sizeof(void *) == 8 ? 0x40 : 0x20; // in the thread block
    const rd_process_parameters_t *parameters = rd_process()->parameters;
    char name[64] = "";
    if (parameters != NULL && parameters->image_path.text != NULL) {
        rd_unicode_t program = last_part_of(parameters->image_path);
        rd_ascii_of(&program, name, sizeof name);
    }
    rd_format(out, size, "%s %u: ", name, (unsigned)mi_teb_word(process_id_offset));
}

static void report_log_file(rd_ntstatus_t status)
{
    char line[160];
    rd_format(line, sizeof line,
              "mimalloc-redirect: the file that MIMALLOC_LOG_FILE names cannot be opened (status "
              "0x%08x): does its folder exist, and may this user write there?\n",
              (unsigned)status);
    write_to_console(line, strlen(line));
}

// Opened for each line: other processes write to the same file, and nothing is left open.
static void write_to_log_file(const char *text)
{
    static bool has_failed; // told once, and not tried again
    char line[LINE_SIZE + 96];
    HANDLE file = NULL;
    if (rd_settings.log_file[0] == 0 || has_failed)
        return;
    rd_ntstatus_t status = open_log_file(&file);
    if (!RD_NT_SUCCESS(status)) {
        has_failed = true;
        report_log_file(status);
        return;
    }
    put_process(line, sizeof line);
    size_t used = strlen(line);
    rd_format(line + used, sizeof line - used, "%s", text);
    write_to(file, line, strlen(line));
    (void)NtClose(file);
}

void rd_log(int level, const char *format, ...)
{
    if (rd_settings.verbose < level)
        return;
    char line[LINE_SIZE];
    static const char head[] = "mimalloc-redirect: ";
    size_t used = sizeof head - 1;
    for (size_t i = 0; i < used; i++)
        line[i] = head[i];
    va_list args;
    va_start(args, format);
    rd_format_list(line + used, sizeof line - used - 1, format, args);
    va_end(args);
    while (line[used] != 0)
        used++;
    line[used++] = '\n';
    line[used] = 0;
    write_to_console(line, used);
    write_to_log_file(line);
}
