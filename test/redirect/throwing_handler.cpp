// SPDX-License-Identifier: MIT
// A new handler that throws, as programs have them: the exception leaves through the allocator, which
// needs unwind records for that.
#include "check.h"
#include "mimalloc.h"

#include <stdlib.h>

// MinGW's new.h declares them as C++ functions, which the runtime does not have.
extern "C" {
__declspec(dllimport) int (*_set_new_handler(int (*handler)(size_t)))(size_t);
__declspec(dllimport) int _set_new_mode(int mode);
}

namespace
{

const size_t too_much = size_t(1) << 46;
int calls;

int throwing_handler(size_t size)
{
    calls++;
    throw size;
}

size_t thrown_by(void *(*allocate)(size_t))
{
    try {
        free(allocate(too_much));
    } catch (size_t size) {
        return size;
    }
    return 0;
}

void *by_malloc(size_t size)
{
    return malloc(size);
}

void *by_realloc(size_t size)
{
    return realloc(malloc(10), size);
}

void *by_calloc(size_t size)
{
    return calloc(1, size);
}

} // namespace

TEST(an_exception_of_the_new_handler_arrives)
{
    REQUIRE(mi_is_redirected());
    _set_new_handler(throwing_handler);
    _set_new_mode(1);
    CHECK_EQ(thrown_by(by_malloc), too_much);
    CHECK_EQ(thrown_by(by_calloc), too_much);
    CHECK_EQ(thrown_by(by_realloc), too_much);
    CHECK_EQ(calls, 3);
}

TEST(the_allocator_works_after_an_exception)
{
    _set_new_mode(0);
    void *block = malloc(100);
    CHECK(block != nullptr);
    free(block);
}

TEST_MAIN(RUN(an_exception_of_the_new_handler_arrives) RUN(the_allocator_works_after_an_exception))
