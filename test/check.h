// SPDX-License-Identifier: MIT
// The test harness: a test is a function, a program lists its tests, and the last line it prints is
// "N passed, N failed". It allocates nothing, so that it can test an allocator, and needs only stdio.
//
//     TEST(free_of_null_does_nothing) { mi_free(NULL); CHECK_EQ(errno, 0); }
//     TEST_MAIN(RUN(free_of_null_does_nothing))
#pragma once

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static struct {
    const char *name;  // the running test
    unsigned checks;   // checks made by the running test
    unsigned failures; // failed checks of the running test
    unsigned passed;
    unsigned failed;
    const char *only; // argv[1]: run this test alone
    jmp_buf abandon;  // REQUIRE leaves the running test through it
} check_state;

static inline void check_fail(const char *file, int line, const char *what)
{
    check_state.failures++;
    printf("%s:%d: %s: failed: %s\n", file, line, check_state.name, what);
}

static inline int check_true(int ok, const char *file, int line, const char *what)
{
    check_state.checks++;
    if (!ok)
        check_fail(file, line, what);
    return ok;
}

static inline void check_eq(uintmax_t a, uintmax_t b, const char *file, int line, const char *what)
{
    check_state.checks++;
    if (a == b)
        return;
    check_fail(file, line, what);
    printf("    left  %jd (0x%jx)\n    right %jd (0x%jx)\n", (intmax_t)a, a, (intmax_t)b, b);
}

static inline void check_str_eq(const char *a, const char *b, const char *file, int line,
                                const char *what)
{
    check_state.checks++;
    if (a != NULL && b != NULL && strcmp(a, b) == 0)
        return;
    check_fail(file, line, what);
    printf("    left  \"%s\"\n    right \"%s\"\n", a ? a : "(null)", b ? b : "(null)");
}

static inline void check_run(const char *name, void (*body)(void))
{
    if (check_state.only != NULL && strcmp(check_state.only, name) != 0)
        return;
    check_state.name = name;
    check_state.checks = 0;
    check_state.failures = 0;
    if (setjmp(check_state.abandon) == 0)
        body();
    if (check_state.checks == 0)
        check_fail(__FILE__, __LINE__, "a test makes at least one check");
    if (check_state.failures == 0)
        check_state.passed++;
    else
        check_state.failed++;
    printf("%s %s\n", check_state.failures == 0 ? "ok  " : "FAIL", name);
    fflush(stdout);
}

#define TEST(name) static void name(void)

// Goes on after a failure.
#define CHECK(expr) check_true((expr) ? 1 : 0, __FILE__, __LINE__, #expr)
// For integers and pointers; prints both values.
#define CHECK_EQ(a, b)                                                                             \
    check_eq((uintmax_t)(uintptr_t)(a), (uintmax_t)(uintptr_t)(b), __FILE__, __LINE__, #a " == " #b)
#define CHECK_STR_EQ(a, b) check_str_eq((a), (b), __FILE__, __LINE__, #a " == " #b)
// Ends the test on failure.
#define REQUIRE(expr)                                                                              \
    do {                                                                                           \
        if (!CHECK(expr))                                                                          \
            longjmp(check_state.abandon, 1);                                                       \
    } while (0)

#define RUN(name) check_run(#name, name);

#define TEST_MAIN(...)                                                                             \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        check_state.only = argc > 1 ? argv[1] : NULL;                                              \
        __VA_ARGS__                                                                                \
        printf("%u passed, %u failed\n", check_state.passed, check_state.failed);                  \
        return check_state.failed != 0 || check_state.passed == 0;                                 \
    }
