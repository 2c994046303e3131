// SPDX-License-Identifier: MIT
// What compilers spell differently, under one name each: attributes, and code that the system calls
// before main. Three of them: GCC, clang (also in Microsoft's mode), and Microsoft's own.
#pragma once

#if defined(_MSC_VER)
// A pointer in a named section of the image: the linker sorts the pieces by name, and the runtime or
// the loader calls what they point at. Not static, or it would be dropped as unused.
#define MI_IN_SECTION(name) __pragma(section(name, long, read)) __declspec(allocate(name)) extern
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
