// SPDX-License-Identifier: MIT
// What compilers spell differently, under one name each: the processor's name, attributes, and code
// that the system calls before main. Nothing outside of this folder asks which compiler it is, but the
// public headers, which stand alone. Three compilers: GCC, clang (also in Microsoft's mode), and
// Microsoft's own, which has not been run on this code: its spellings are those of its documentation,
// and clang-cl compiles them with MI_FORCE_MSVC_LAYER.
#pragma once

#if !defined(MI_FORCE_MSVC_LAYER)
#define MI_FORCE_MSVC_LAYER 0
#endif
// Microsoft's spellings, not GNU's.
#if defined(_MSC_VER) && (MI_FORCE_MSVC_LAYER || !defined(__clang__))
#define MI_MSVC_LAYER 1
#else
#define MI_MSVC_LAYER 0
#endif

// Microsoft's conventions, linker and runtime, whose compilers refer to other symbols.
#if defined(_MSC_VER)
#define MI_MICROSOFT_MODE 1
#else
#define MI_MICROSOFT_MODE 0
#endif

// ---- the processor: one of them is 1 ----

#if defined(__x86_64__) || defined(_M_X64)
#define MI_CPU_X64 1
#else
#define MI_CPU_X64 0
#endif
#if defined(__i386__) || defined(_M_IX86)
#define MI_CPU_X86 1
#else
#define MI_CPU_X86 0
#endif
#if defined(__aarch64__) || defined(_M_ARM64)
#define MI_CPU_ARM64 1
#else
#define MI_CPU_ARM64 0
#endif

// ---- attributes ----
// mi_inline        a function that is always inlined
// mi_cold          never inlined, and out of the way of what runs often
// mi_may_alias     a type through which memory of any other type is read (with -fno-strict-aliasing or
//                  Microsoft's compiler every type is one)
// mi_aligns_stack  an entry that is called with a stack that is only aligned to 4 bytes (x86)
// mi_kept          a variable that nothing refers to
// mi_exported      visible outside of the shared object (not on Windows, which has lists of exports)
// mi_weak          a function that may be missing: its address is NULL then. Microsoft's has no such
//                  thing; see MI_HAS_WEAK
// Structs without gaps are put between #pragma pack(push, 1) and #pragma pack(pop), which all know.

#if MI_MSVC_LAYER
#define mi_likely(x)   (x)
#define mi_unlikely(x) (x)
#define mi_noinline    __declspec(noinline)
#define mi_cold        __declspec(noinline)
#define mi_inline      static __forceinline
#define mi_may_alias
#define mi_aligns_stack
#define mi_kept
#define mi_exported
#define MI_HAS_WEAK 0
#else
#define mi_likely(x)   __builtin_expect(!!(x), 1)
#define mi_unlikely(x) __builtin_expect(!!(x), 0)
#define mi_noinline    __attribute__((noinline))
#define mi_cold        __attribute__((noinline, cold))
#define mi_inline      static inline __attribute__((always_inline))
#define mi_may_alias   __attribute__((may_alias))
#define mi_kept        __attribute__((used))
#define mi_exported    __attribute__((visibility("default")))
#define MI_HAS_WEAK    1
#define mi_weak        __attribute__((weak))
#if MI_CPU_X86
#define mi_aligns_stack __attribute__((force_align_arg_pointer))
#else
#define mi_aligns_stack
#endif
#endif

// The arguments are checked against the format. GCC for Windows checks against Microsoft's printf
// unless told otherwise; clang has only one.
#if MI_MSVC_LAYER
#define mi_attr_format(fmt, args)
#elif defined(__clang__)
#define mi_attr_format(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define mi_attr_format(fmt, args) __attribute__((format(gnu_printf, fmt, args)))
#endif

// ---- thread-local storage of the compiler: Linux only, since on Windows it may be malloc's ----

#if !defined(_WIN32)
#define MI_THREAD_LOCAL __thread
#define mi_initial_exec __attribute__((tls_model("initial-exec")))
#endif

// ---- sections, and code before main ----
// MI_IN_SECTION(name) declares a constant in a named section of the image: the linker sorts the pieces
// by name, and the runtime or the loader calls what they point at. Not static, or it would be dropped
// as unused; the definition, with mi_kept, follows the declaration.

#if MI_MICROSOFT_MODE
#define MI_IN_SECTION(name) __pragma(section(name, long, read)) __declspec(allocate(name)) extern
#else
#define MI_IN_SECTION(name) __attribute__((section(name))) extern
#endif

#if MI_MICROSOFT_MODE
// MI_AT_START(function, entry): called before constructors of the program's own; entry names the
// pointer to it. What is to be done at the end, function registers with atexit.
#define MI_AT_START(function, entry)                                                               \
    static void function(void);                                                                    \
    MI_IN_SECTION(".CRT$XCT") void (*const entry)(void);                                           \
    void (*const entry)(void) = function;                                                          \
    static void function(void)
#define MI_AT_END(function) static void function(void)
#define MI_ENDS_BY_ATEXIT   1
#else
// Before main, and before constructors of the program without a priority of their own.
#define MI_AT_START(function, entry) __attribute__((constructor(101))) static void function(void)
#define MI_AT_END(function)          __attribute__((destructor(101))) static void function(void)
#define MI_ENDS_BY_ATEXIT            0
#endif
