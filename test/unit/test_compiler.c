// SPDX-License-Identifier: MIT
// What src/compiler promises, in whichever spelling this build has: the same numbers from all
// compilers.
#include "check.h"

#include "base/atomic.h"

#include <string.h>

// Each operation on an object of this type, whose largest value is max.
#define CHECK_ATOMICS(type, max)                                                                   \
    do {                                                                                           \
        _Atomic(type) object = 5;                                                                  \
        type seen = 4;                                                                             \
        CHECK(mi_load_relaxed(&object) == (type)5);                                                \
        mi_store_release(&object, (type)(max));                                                    \
        CHECK(mi_load_acquire(&object) == (type)(max));                                            \
        CHECK(mi_exchange_acq_rel(&object, (type)7) == (type)(max));                               \
        CHECK(!mi_cas_strong_acq_rel(&object, &seen, (type)9));                                    \
        CHECK(seen == (type)7);                                                                    \
        CHECK(mi_cas_strong_acq_rel(&object, &seen, (type)9));                                     \
        CHECK(mi_add_relaxed(&object, (type)3) == (type)9);                                        \
        CHECK(mi_sub_acq_rel(&object, (type)2) == (type)12);                                       \
        CHECK(mi_or_acq_rel(&object, (type)0x40) == (type)10);                                     \
        CHECK(mi_and_acq_rel(&object, (type)0x41) == (type)0x4A);                                  \
        CHECK(mi_load_relaxed(&object) == (type)0x40);                                             \
        atomic_store_explicit(&object, (type)1, memory_order_seq_cst);                             \
        CHECK(atomic_load_explicit(&object, memory_order_seq_cst) == (type)1);                     \
    } while (0)

TEST(atomics_of_each_size)
{
    CHECK_ATOMICS(uint8_t, UINT8_MAX);
    CHECK_ATOMICS(uint32_t, UINT32_MAX);
    CHECK_ATOMICS(uint64_t, UINT64_MAX);
    CHECK_ATOMICS(uintptr_t, UINTPTR_MAX);
    CHECK_ATOMICS(long, LONG_MIN);
    CHECK_ATOMICS(int64_t, INT64_MIN);
}

TEST(atomics_touch_their_own_bytes_only)
{
    struct {
        _Atomic(uint8_t) before, object, after, last;
    } bytes = {0xAA, 0, 0xBB, 0xCC};
    mi_store_release(&bytes.object, (uint8_t)0xFF);
    CHECK_EQ(mi_exchange_acquire(&bytes.object, (uint8_t)0), (uint8_t)0xFF);
    CHECK_EQ(mi_load_relaxed(&bytes.before), 0xAA);
    CHECK_EQ(mi_load_relaxed(&bytes.after), 0xBB);
    CHECK_EQ(mi_load_relaxed(&bytes.last), 0xCC);
    struct {
        _Atomic(uint32_t) before, object, after, last;
    } words = {1, 0, 2, 3};
    mi_store_relaxed(&words.object, UINT32_MAX);
    (void)mi_add_relaxed(&words.object, 1u);
    CHECK_EQ(mi_load_relaxed(&words.object), 0u);
    CHECK_EQ(mi_load_relaxed(&words.after), 2u);
    (void)mi_sub_relaxed(&words.object, 1u);
    CHECK_EQ(mi_load_relaxed(&words.object), UINT32_MAX);
    CHECK_EQ(mi_load_relaxed(&words.before), 1u);
}

TEST(atomics_of_pointers_and_flags)
{
    int one, two;
    _Atomic(int *) pointer = NULL;
    _Atomic(bool) flag = false;
    int *expected = NULL;
    CHECK(mi_cas_strong_acq_rel(&pointer, &expected, &one));
    CHECK(!mi_cas_strong_acq_rel(&pointer, &expected, &two));
    CHECK_EQ((void *)expected, (void *)&one);
    CHECK_EQ((void *)mi_exchange_acq_rel(&pointer, &two), (void *)&one);
    mi_store_release(&flag, true);
    CHECK(mi_load_acquire(&flag));
}

TEST(a_weak_exchange_succeeds_in_the_end)
{
    _Atomic(uint64_t) object = 1;
    uint64_t seen = 1;
    while (!mi_cas_weak_acq_rel(&object, &seen, (uint64_t)1 << 40))
        CHECK_EQ(seen, (uint64_t)1);
    CHECK_EQ(mi_load_acquire(&object), (uint64_t)1 << 40);
}

TEST(plain_objects_can_be_used_atomically)
{
    uint64_t words[3] = {1, 2, 3};
    uint8_t byte = 4;
    void *slot = NULL;
    mi_plain_store_seq_cst(&words[1], UINT64_MAX - 1);
    CHECK_EQ(words[0], (uint64_t)1);
    CHECK_EQ(mi_plain_load_relaxed(&words[1]), UINT64_MAX - 1);
    CHECK_EQ(words[2], (uint64_t)3);
    mi_plain_store_relaxed(&byte, (uint8_t)200);
    CHECK_EQ(byte, 200);
    mi_plain_store_release(&slot, (void *)words);
    CHECK_EQ(slot, (void *)words);
}

TEST(bits_are_found_and_counted)
{
    for (unsigned i = 0; i < 64; i++) {
        uint64_t bit = (uint64_t)1 << i;
        CHECK_EQ(mi_bit_low(bit), i);
        CHECK_EQ(mi_bit_low(UINT64_MAX << i), i);
        CHECK_EQ(mi_bit_high(bit), i);
        CHECK_EQ(mi_bit_high(UINT64_MAX >> i), 63 - i);
        CHECK_EQ(mi_bit_count(bit), 1u);
        CHECK_EQ(mi_bit_count(UINT64_MAX >> i), 64 - i);
    }
    CHECK_EQ(mi_bit_count(0), 0u);
    CHECK_EQ(mi_bit_count(0xF0F0000000000001u), 9u);
}

TEST(what_does_not_fit_a_size_is_told)
{
    const size_t half = (size_t)1 << (sizeof(size_t) * 8 / 2);
    size_t total;
    CHECK(mi_mul_size(half, half - 1, &total));
    CHECK_EQ(total, SIZE_MAX - half + 1);
    CHECK(mi_mul_size(SIZE_MAX, 1, &total));
    CHECK_EQ(total, SIZE_MAX);
    CHECK(mi_mul_size(0, SIZE_MAX, &total));
    CHECK_EQ(total, (size_t)0);
    CHECK(!mi_mul_size(half, half, &total));
    CHECK(!mi_mul_size(SIZE_MAX, 2, &total));
    CHECK(!mi_mul_size(SIZE_MAX, SIZE_MAX, &total));
    CHECK(mi_add_size(SIZE_MAX - 3, 3, &total));
    CHECK_EQ(total, SIZE_MAX);
    CHECK(!mi_add_size(SIZE_MAX - 3, 4, &total));
    CHECK(!mi_add_size(SIZE_MAX, SIZE_MAX, &total));
}

TEST(memory_is_copied_and_filled)
{
    unsigned char from[40], to[40];
    for (unsigned i = 0; i < sizeof from; i++)
        from[i] = (unsigned char)(i + 1);
    mi_fill(to, 0xEE, sizeof to);
    mi_copy(to + 1, from, 8);
    CHECK_EQ(to[0], 0xEE);
    CHECK_EQ(memcmp(to + 1, from, 8), 0);
    CHECK_EQ(to[9], 0xEE);
#if MI_HAS_STRING_LOOPS
    mi_fill_up(to, 0x11, 20);
    CHECK_EQ(to[19], 0x11);
    CHECK_EQ(to[20], 0xEE);
    mi_copy_up(to + 3, from, 30);
    CHECK_EQ(to[2], 0x11);
    CHECK_EQ(memcmp(to + 3, from, 30), 0);
    CHECK_EQ(to[33], 0xEE);
#endif
}

TEST(the_processors_clock_goes_on)
{
#if MI_HAS_CYCLES
    uint64_t before = mi_cycles();
    uint64_t after = before;
    for (unsigned i = 0; i < 1000000 && after == before; i++)
        after = mi_cycles();
    CHECK(after != before);
#else
    CHECK(MI_CPU_ARM64);
#endif
}

TEST(the_thread_has_a_word_of_its_own)
{
#if defined(_WIN32)
    const uint32_t self = sizeof(void *) == 8 ? 0x30 : 0x18;
    uintptr_t block = mi_teb_word(self);
    REQUIRE(block != 0);
    CHECK_EQ(*(const uintptr_t *)(block + self), block);
#else
    CHECK(mi_thread_pointer() > 15);
    CHECK_EQ(mi_thread_pointer(), mi_thread_pointer());
#endif
}

TEST_MAIN(RUN(atomics_of_each_size) RUN(atomics_touch_their_own_bytes_only)
              RUN(atomics_of_pointers_and_flags) RUN(a_weak_exchange_succeeds_in_the_end)
                  RUN(plain_objects_can_be_used_atomically) RUN(bits_are_found_and_counted)
                      RUN(what_does_not_fit_a_size_is_told) RUN(memory_is_copied_and_filled)
                          RUN(the_processors_clock_goes_on) RUN(the_thread_has_a_word_of_its_own))
