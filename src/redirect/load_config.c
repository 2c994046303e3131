// SPDX-License-Identifier: MIT
// The load configuration: tells the loader that the DLL lists its valid indirect call targets
// (control flow guard), so that in a guarded process only those can be called through a changed
// import table entry. The linker makes the tables; this structure points at them.
// Written out by hand, as the structure's fields take link-time constants and the headers at hand
// are older than it. Layout: IMAGE_LOAD_CONFIG_DIRECTORY64 up to GuardLongJumpTargetCount. For clang
// only: cmake/freestanding.cmake leaves the guard out with any other compiler.
#include "compiler/compiler.h"

#if MI_CPU_X64 || MI_CPU_ARM64
#if MI_CPU_ARM64
#define JUMP_TO_TARGET "br x9"
#else
#define JUMP_TO_TARGET ".byte 0xff, 0xe0" // jmp rax, which has two spellings
#endif
__asm__(".section .00cfg,\"dr\"\n"
        ".balign 8\n"
        // The loader replaces these where the guard is on; elsewhere they let every call through.
        "guard_check:    .quad guard_check_nothing\n"
        "guard_dispatch: .quad guard_dispatch_nothing\n"
        ".text\n"
        ".balign 16\n"
        "guard_check_nothing: ret\n"
        ".balign 16\n"
        "guard_dispatch_nothing: " JUMP_TO_TARGET "\n"
        ".section .rdata,\"dr\"\n"
        ".balign 8\n"
        ".globl _load_config_used\n"
        "_load_config_used:\n"
        ".long 0xC0\n"           // Size
        ".zero 0x6C\n"           // to SEHandlerCount: nothing to say
        ".quad guard_check\n"    // GuardCFCheckFunctionPointer, at 0x70
        ".quad guard_dispatch\n" // GuardCFDispatchFunctionPointer
        ".quad __guard_fids_table\n"
        ".quad __guard_fids_count\n"
        ".long __guard_flags\n" // at 0x90
        ".zero 0xC\n"           // CodeIntegrity
        ".quad __guard_iat_table\n"
        ".quad __guard_iat_count\n"
        ".quad __guard_longjmp_table\n"
        ".quad __guard_longjmp_count\n");
#endif
// No translation unit is empty.
typedef int rd_load_config_t;
