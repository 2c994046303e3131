// SPDX-License-Identifier: MIT
// The part of Microsoft's compiler runtime that test programs need and that the SDK does not carry:
// start-up, the TLS directory, the stack probe. With it, the SDK's ucrt.lib and the few functions of
// vcruntime140.dll they link as programs of /MD do. Not for products: those have no runtime at all.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <stdlib.h>

// Of the SDK's corecrt_startup.h, which includes headers that only Visual Studio has.
typedef void(__cdecl *_PVFV)(void);
typedef int(__cdecl *_PIFV)(void);
void __cdecl _set_app_type(int type);
int __cdecl _configure_narrow_argv(int mode);
int __cdecl _initialize_narrow_environment(void);
int __cdecl _initterm_e(_PIFV *first, _PIFV *last);
void __cdecl _initterm(_PVFV *first, _PVFV *last);
int __cdecl _crt_atexit(_PVFV function);

enum { CONSOLE_PROGRAM = 1, ARGUMENTS_AS_THEY_ARE = 1 };

int main(int argc, char **argv);
void mainCRTStartup(void);

// ---- initializers: the linker sorts the pieces of .CRT by name ----

#pragma section(".CRT$XIA", long, read)
#pragma section(".CRT$XIZ", long, read)
#pragma section(".CRT$XCA", long, read)
#pragma section(".CRT$XCZ", long, read)
#pragma section(".CRT$XLA", long, read)
#pragma section(".CRT$XLZ", long, read)
#pragma section(".tls", long, read, write)
#pragma section(".tls$ZZZ", long, read, write)

__declspec(allocate(".CRT$XIA")) static _PIFV first_c[] = {NULL};
__declspec(allocate(".CRT$XIZ")) static _PIFV last_c[] = {NULL};
__declspec(allocate(".CRT$XCA")) static _PVFV first_cxx[] = {NULL};
__declspec(allocate(".CRT$XCZ")) static _PVFV last_cxx[] = {NULL};

// ---- thread-local storage ----

extern ULONG _tls_index;
extern const IMAGE_TLS_DIRECTORY _tls_used;

ULONG _tls_index;
__declspec(allocate(".tls")) static char tls_start;
__declspec(allocate(".tls$ZZZ")) static char tls_end;
__declspec(allocate(".CRT$XLA")) static PIMAGE_TLS_CALLBACK first_callback;
__declspec(allocate(".CRT$XLZ")) extern PIMAGE_TLS_CALLBACK last_tls_callback;
PIMAGE_TLS_CALLBACK last_tls_callback;
const IMAGE_TLS_DIRECTORY _tls_used = {
    (ULONG_PTR)&tls_start,
    (ULONG_PTR)&tls_end,
    (ULONG_PTR)&_tls_index,
    // The list starts behind its anchor and ends with a null pointer, the other anchor.
    (ULONG_PTR)(&first_callback + 1),
    0,
    {0}};

// ---- what the compiler refers to ----

extern int _fltused;
int _fltused = 1;

#if defined(__x86_64__)
// rax: bytes of the frame. Touches each of its pages downwards, and changes no register but flags.
__asm__(".globl __chkstk\n"
        "__chkstk:\n"
        "  .byte 0x51\n"                                     // push rcx
        "  .byte 0x50\n"                                     // push rax
        "  .byte 0x48, 0x8d, 0x4c, 0x24, 0x18\n"             // lea rcx, [rsp + 24]
        "1: .byte 0x48, 0x3d, 0x00, 0x10, 0x00, 0x00\n"      // cmp rax, 4096
        "  .byte 0x72, 0x13\n"                               // jb the rest
        "  .byte 0x48, 0x81, 0xe9, 0x00, 0x10, 0x00, 0x00\n" // sub rcx, 4096
        "  .byte 0x48, 0x83, 0x09, 0x00\n"                   // or qword [rcx], 0
        "  .byte 0x48, 0x2d, 0x00, 0x10, 0x00, 0x00\n"       // sub rax, 4096
        "  .byte 0xeb, 0xe5\n"                               // jmp 1b
        "  .byte 0x48, 0x29, 0xc1\n"                         // sub rcx, rax
        "  .byte 0x48, 0x83, 0x09, 0x00\n"                   // or qword [rcx], 0
        "  .byte 0x58\n"                                     // pop rax
        "  .byte 0x59\n"                                     // pop rcx
        "  .byte 0xc3\n");                                   // ret
#endif

int __cdecl atexit(_PVFV function)
{
    return _crt_atexit(function);
}

void mainCRTStartup(void)
{
    _set_app_type(CONSOLE_PROGRAM);
    _configure_narrow_argv(ARGUMENTS_AS_THEY_ARE);
    _initialize_narrow_environment();
    if (_initterm_e(first_c, last_c) != 0)
        _exit(255);
    _initterm(first_cxx, last_cxx);
    exit(main(*__p___argc(), *__p___argv()));
}
