// SPDX-License-Identifier: MIT
// memcpy, memmove, memset and memcmp for our DLL, which has no C runtime; compilers call them by
// these names. Programs that link the static library use their runtime's. A 16-byte vector is the
// largest unit that every x64 has; long runs go to rep movsb, which the processor does best.
// Built with -fno-builtin and without loop idioms, or these would call themselves.
#include "base/bits.h"

#define VECTOR_SIZE sizeof(vector_t)
// From here on the start-up cost of rep movsb is paid back (measured by Intel at about 2 KiB).
#define REP_MIN ((size_t)2048)

#pragma pack(push, 1)
typedef struct vector {
    uint64_t words[2];
} mi_may_alias vector_t;

typedef struct word {
    uint64_t value;
} mi_may_alias word_t;

typedef struct half {
    uint32_t value;
} mi_may_alias half_t;
#pragma pack(pop)

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);

// All of 0 to 16 bytes is read before any is written, so the ranges may overlap.
static void move_up_to_16(char *to, const char *from, size_t size)
{
    if (size >= 8) {
        word_t first = *(const word_t *)from;
        word_t last = *(const word_t *)(from + size - 8);
        *(word_t *)to = first;
        *(word_t *)(to + size - 8) = last;
    } else if (size >= 4) {
        half_t first = *(const half_t *)from;
        half_t last = *(const half_t *)(from + size - 4);
        *(half_t *)to = first;
        *(half_t *)(to + size - 4) = last;
    } else if (size > 0) {
        char first = from[0];
        char middle = from[size / 2];
        char last = from[size - 1];
        to[0] = first;
        to[size / 2] = middle;
        to[size - 1] = last;
    }
}

// More than 16 bytes, upwards: right when to is below from. The last vector is read first, since
// writing may reach it.
static void move_up(char *to, const char *from, size_t size)
{
    vector_t last = *(const vector_t *)(from + size - VECTOR_SIZE);
    size_t done = 0;
    for (; done + VECTOR_SIZE < size; done += VECTOR_SIZE) {
        vector_t next = *(const vector_t *)(from + done);
        *(vector_t *)(to + done) = next;
        mi_keep_loop();
    }
    *(vector_t *)(to + size - VECTOR_SIZE) = last;
}

static void move_down(char *to, const char *from, size_t size)
{
    vector_t first = *(const vector_t *)from;
    for (; size > VECTOR_SIZE; size -= VECTOR_SIZE) {
        vector_t next = *(const vector_t *)(from + size - VECTOR_SIZE);
        *(vector_t *)(to + size - VECTOR_SIZE) = next;
        mi_keep_loop();
    }
    *(vector_t *)to = first;
}

static void copy_long(char *to, const char *from, size_t size)
{
#if MI_HAS_STRING_LOOPS
    mi_copy_up((unsigned char *)to, (const unsigned char *)from, size);
#else
    move_up(to, from, size);
#endif
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    if (size <= VECTOR_SIZE)
        move_up_to_16(to, from, size);
    else if (size < REP_MIN)
        move_up(to, from, size);
    else
        copy_long(to, from, size);
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    // As unsigned distance: true also when to is below from.
    bool is_clear = (uintptr_t)to - (uintptr_t)from >= size;
    if (size <= VECTOR_SIZE)
        move_up_to_16(to, from, size);
    else if (!is_clear)
        move_down(to, from, size);
    else if (size < REP_MIN || (uintptr_t)from - (uintptr_t)to < size)
        move_up(to, from, size);
    else
        copy_long(to, from, size);
    return to;
}

static void fill_up_to_16(char *to, uint64_t pattern, size_t size)
{
    if (size >= 8) {
        ((word_t *)to)->value = pattern;
        ((word_t *)(to + size - 8))->value = pattern;
    } else if (size >= 4) {
        ((half_t *)to)->value = (uint32_t)pattern;
        ((half_t *)(to + size - 4))->value = (uint32_t)pattern;
    } else if (size > 0) {
        to[0] = (char)pattern;
        to[size / 2] = (char)pattern;
        to[size - 1] = (char)pattern;
    }
}

static void fill_long(char *to, uint64_t pattern, size_t size)
{
    vector_t vector = {{pattern, pattern}};
#if MI_HAS_STRING_LOOPS
    if (size >= REP_MIN) {
        mi_fill_up((unsigned char *)to, (unsigned char)pattern, size);
        return;
    }
#endif
    *(vector_t *)(to + size - VECTOR_SIZE) = vector;
    for (size_t done = 0; done + VECTOR_SIZE < size; done += VECTOR_SIZE) {
        *(vector_t *)(to + done) = vector;
        mi_keep_loop();
    }
}

void *memset(void *to, int value, size_t size)
{
    uint64_t pattern = (uint64_t)(unsigned char)value * 0x0101010101010101u;
    if (size <= VECTOR_SIZE)
        fill_up_to_16(to, pattern, size);
    else
        fill_long(to, pattern, size);
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *x = a;
    const unsigned char *y = b;
    for (size_t i = 0; i < size; i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}
