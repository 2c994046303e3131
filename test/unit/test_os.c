// SPDX-License-Identifier: MIT
// The contract with the system, as os.h states it, on the system that runs the test.
#include "os/os.h"

#include "check.h"
#include "os/os_tls.h"

#include <errno.h>
#include <stdlib.h>

static bool is_zero(const char *p, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (p[i] != 0)
            return false;
    return true;
}

TEST(reservations_are_aligned_and_separate)
{
    for (size_t alignment = 4096; alignment <= 64 * MI_MIB; alignment *= 4) {
        mi_os_memory_t a = mi_os_reserve(3 * MI_MIB, alignment, true, MI_OS_PAGES_NORMAL);
        mi_os_memory_t b = mi_os_reserve(3 * MI_MIB, alignment, true, MI_OS_PAGES_NORMAL);
        REQUIRE(a.start != NULL && b.start != NULL);
        CHECK(mi_is_aligned(a.start, alignment) && mi_is_aligned(b.start, alignment));
        CHECK(a.is_committed && a.is_zero);
        memset(a.start, 1, a.size);
        CHECK(is_zero(b.start, b.size));
        mi_os_release(&a);
        mi_os_release(&b);
    }
}

TEST(committed_memory_is_zero_again_after_decommit)
{
    mi_os_memory_t memory = mi_os_reserve(MI_MIB, MI_MIB, false, MI_OS_PAGES_NORMAL);
    char *part = (char *)memory.start + 256 * MI_KIB;
    REQUIRE(mi_os_commit(part, 128 * MI_KIB));
    memset(part, 0xEE, 128 * MI_KIB);
    REQUIRE(mi_os_decommit(part, 128 * MI_KIB));
    REQUIRE(mi_os_commit(part, 128 * MI_KIB));
    CHECK(is_zero(part, 128 * MI_KIB));
    mi_os_release(&memory);
}

TEST(reset_memory_can_be_written)
{
    mi_os_memory_t memory = mi_os_reserve(MI_MIB, MI_MIB, true, MI_OS_PAGES_NORMAL);
    memset(memory.start, 1, memory.size);
    CHECK(mi_os_reset(memory.start, memory.size));
    memset(memory.start, 2, memory.size);
    CHECK_EQ(*(char *)memory.start, 2);
    mi_os_release(&memory);
}

TEST(protected_memory_works_again_when_unprotected)
{
    mi_os_memory_t memory = mi_os_reserve(MI_MIB, MI_MIB, true, MI_OS_PAGES_NORMAL);
    char *page = (char *)memory.start + 64 * MI_KIB;
    *page = 7;
    CHECK(mi_os_protect(page, mi_os_config.page_size));
    CHECK(mi_os_unprotect(page, mi_os_config.page_size));
    CHECK_EQ(*page, 7);
    mi_os_release(&memory);
}

TEST(what_cannot_be_reserved_is_null_and_errno_stays)
{
    errno = 77;
    mi_os_memory_t memory = mi_os_reserve(SIZE_MAX / 2, MI_MIB, false, MI_OS_PAGES_NORMAL);
    CHECK_EQ(memory.start, NULL);
    CHECK_EQ(errno, 77);
}

TEST(the_clocks_go_forward)
{
    uint64_t ms = mi_os_clock_ms();
    uint64_t us = mi_os_clock_us();
    mi_os_sleep(20);
    CHECK(mi_os_clock_ms() > ms);
    CHECK(mi_os_clock_us() >= us + 10000);
    CHECK(mi_os_cycles() != mi_os_cycles());
}

static void store_thread(void *arg)
{
    uintptr_t *seen = arg;
    seen[1] = mi_os_thread_key();
    seen[2] = mi_os_thread_id();
    // release: pairs with the acquire load of the test.
    mi_store_release((_Atomic(uintptr_t) *)&seen[0], (uintptr_t)1);
}

TEST(threads_have_keys_of_their_own)
{
    static uintptr_t seen[3];
    REQUIRE(mi_os_start_thread(store_thread, seen));
    while (mi_load_acquire((_Atomic(uintptr_t) *)&seen[0]) == 0)
        mi_os_yield();
    CHECK(seen[1] != mi_os_thread_key() && seen[1] > 15);
    CHECK(seen[2] != mi_os_thread_id());
}

static size_t visits;
static char value_seen[64];

static void see(const char *name, const char *value)
{
    visits++;
    if (strcmp(name, "VARIABLE") == 0 && strlen(value) < sizeof value_seen)
        memcpy(value_seen, value, strlen(value) + 1);
}

TEST(variables_with_a_prefix_are_visited)
{
    visits = 0;
    CHECK(mi_os_each_env("MI_TEST_", see));
    CHECK(visits >= 1);
    CHECK_STR_EQ(value_seen, "one=two");
}

TEST(variables_are_copied_when_they_fit)
{
    char room[16] = "unchanged";
    CHECK_EQ(mi_os_env_copy("MI_TEST_VARIABLE", room, 3), 8);
    CHECK_EQ(mi_os_env_copy("MI_TEST_VARIABLE", room, sizeof room), 8);
    CHECK_STR_EQ(room, "one=two");
    CHECK_EQ(mi_os_env_copy("MI_TEST_NO_SUCH", room, sizeof room), 0);
}

TEST(a_lock_is_exclusive)
{
    mi_os_lock_t lock = {0};
    CHECK(mi_os_lock(&lock));
    CHECK_EQ(mi_load_relaxed(&lock.taken), 1);
    mi_os_unlock(&lock);
    CHECK(mi_os_lock(&lock));
    mi_os_unlock(&lock);
}

TEST(numa_nodes_are_counted_from_one)
{
    CHECK(mi_os_numa_node_count() >= 1);
    CHECK(mi_os_numa_node() < 1024);
}

// Last: locks give up once the process ends.
TEST(a_lock_that_is_held_when_the_process_ends_is_not_waited_for)
{
    mi_os_lock_t lock = {0};
    CHECK(mi_os_lock(&lock));
    mi_os_set_process_ending();
    CHECK(!mi_os_lock(&lock));
}

int main(int argc, char **argv)
{
    mi_os_init();
    check_state.only = argc > 1 ? argv[1] : NULL;
    RUN(reservations_are_aligned_and_separate)
    RUN(committed_memory_is_zero_again_after_decommit)
    RUN(reset_memory_can_be_written)
    RUN(protected_memory_works_again_when_unprotected)
    RUN(what_cannot_be_reserved_is_null_and_errno_stays)
    RUN(the_clocks_go_forward)
    RUN(threads_have_keys_of_their_own)
    RUN(variables_with_a_prefix_are_visited)
    RUN(variables_are_copied_when_they_fit)
    RUN(a_lock_is_exclusive)
    RUN(numa_nodes_are_counted_from_one)
    RUN(a_lock_that_is_held_when_the_process_ends_is_not_waited_for)
    printf("%u passed, %u failed\n", check_state.passed, check_state.failed);
    return check_state.failed != 0 || check_state.passed == 0;
}
