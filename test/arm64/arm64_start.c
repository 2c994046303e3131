// SPDX-License-Identifier: MIT
// What MinGW links into each program, for ARM64, where Debian has none of it: the entry point, and the
// few functions that compilers and headers refer to. C only, without constructors.
#include "support/format.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv);
void mainCRTStartup(void);
void __main(void);

int _configure_narrow_argv(int mode);
int _initialize_narrow_environment(void);
int _crt_atexit(void (*function)(void));

enum { ARGUMENTS_AS_THEY_ARE = 1 };

void mainCRTStartup(void)
{
    _configure_narrow_argv(ARGUMENTS_AS_THEY_ARE);
    _initialize_narrow_environment();
    exit(main(*__p___argc(), *__p___argv()));
}

// For constructors, of which there are none.
void __main(void)
{
}

int atexit(void (*function)(void))
{
    return _crt_atexit(function);
}

// The printf family, by the product's own formatter: Debian's Wine for ARM64 is built by GCC, which
// passes arguments without a type as Linux does, so that none may be given to Wine's runtime. Floating
// point numbers are not known here.
int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
{
    char known[512]; // with ll where the format has j: both are 64 bits wide
    size_t length = 0;
    for (const char *at = format; *at != 0 && length < sizeof known - 2; at++) {
        known[length++] = *at == 'j' && at > format && at[-1] == '%' ? 'l' : *at;
        if (*at == 'j' && at > format && at[-1] == '%')
            known[length++] = 'l';
    }
    known[length] = 0;
    return (int)mi_format_args(buffer, size, known, arguments);
}

int vfprintf(FILE *stream, const char *format, va_list arguments)
{
    char text[2048];
    int length = vsnprintf(text, sizeof text, format, arguments);
    return (int)fwrite(text, 1, (size_t)length, stream);
}

int fprintf(FILE *stream, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = vfprintf(stream, format, arguments);
    va_end(arguments);
    return result;
}

int printf(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = vfprintf(stdout, format, arguments);
    va_end(arguments);
    return result;
}

int snprintf(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = vsnprintf(buffer, size, format, arguments);
    va_end(arguments);
    return result;
}

// The registers that a call keeps. The runtime's own would unwind the stack, which needs more.
__asm__(".globl __intrinsic_setjmpex\n"
        ".globl _setjmp\n"
        "__intrinsic_setjmpex:\n"
        "_setjmp:\n"
        "    stp x19, x20, [x0]\n"
        "    stp x21, x22, [x0, #16]\n"
        "    stp x23, x24, [x0, #32]\n"
        "    stp x25, x26, [x0, #48]\n"
        "    stp x27, x28, [x0, #64]\n"
        "    stp x29, x30, [x0, #80]\n"
        "    mov x9, sp\n"
        "    str x9, [x0, #96]\n"
        "    stp d8, d9, [x0, #104]\n"
        "    stp d10, d11, [x0, #120]\n"
        "    stp d12, d13, [x0, #136]\n"
        "    stp d14, d15, [x0, #152]\n"
        "    mov w0, #0\n"
        "    ret\n"
        ".globl longjmp\n"
        "longjmp:\n"
        "    ldp x19, x20, [x0]\n"
        "    ldp x21, x22, [x0, #16]\n"
        "    ldp x23, x24, [x0, #32]\n"
        "    ldp x25, x26, [x0, #48]\n"
        "    ldp x27, x28, [x0, #64]\n"
        "    ldp x29, x30, [x0, #80]\n"
        "    ldr x9, [x0, #96]\n"
        "    mov sp, x9\n"
        "    ldp d8, d9, [x0, #104]\n"
        "    ldp d10, d11, [x0, #120]\n"
        "    ldp d12, d13, [x0, #136]\n"
        "    ldp d14, d15, [x0, #152]\n"
        "    cmp w1, #0\n"
        "    csinc w0, w1, wzr, ne\n"
        "    ret\n"
        // Touches each page of a large frame: x15 is its size in units of 16 bytes.
        ".globl __chkstk\n"
        "__chkstk:\n"
        "    lsl x16, x15, #4\n"
        "    mov x17, sp\n"
        "1:  subs x16, x16, #4096\n"
        "    b.lo 2f\n"
        "    sub x17, x17, #4096\n"
        "    ldr xzr, [x17]\n"
        "    b 1b\n"
        "2:  ret\n");
