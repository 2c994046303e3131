// SPDX-License-Identifier: MIT
// See vcruntime.h. For test programs, on x64 and ARM64; the compiler's intrin.h includes it too.
#pragma once

// Room for all registers that a function keeps, of either processor.
typedef struct __declspec(align(16)) jmp_buf_part {
    unsigned long long words[2];
} jmp_buf[20];

#ifdef __cplusplus
extern "C" {
#endif
// frame is NULL: longjmp then restores the registers and unwinds nothing.
__attribute__((returns_twice)) int __cdecl __intrinsic_setjmp(jmp_buf state, void *frame);
__declspec(noreturn) void __cdecl longjmp(jmp_buf state, int value);
#ifdef __cplusplus
}
#endif

#define setjmp(state) __intrinsic_setjmp((state), 0)
