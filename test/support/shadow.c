// SPDX-License-Identifier: MIT
// A table of bitmaps, one for each segment's worth of addresses; both are made on first use.
#include "support/shadow.h"

#include "os/os.h"

#include <stdio.h>
#include <stdlib.h>

#define UNIT       ((size_t)16)
#define PART_WORDS (MI_SEGMENT_SIZE / UNIT / 64)

typedef _Atomic(uint64_t) word_t;

static _Atomic(word_t *) parts[MI_SEGMENT_MAP_ENTRIES];
static _Atomic(size_t) units;

static word_t *part_of(uintptr_t address)
{
    _Atomic(word_t *) *entry = &parts[address >> MI_SEGMENT_SHIFT];
    word_t *part = mi_load_acquire(entry);
    if (part != NULL)
        return part;
    // From the system: malloc may be the allocator under test.
    mi_os_memory_t fresh =
        mi_os_reserve(PART_WORDS * sizeof(word_t), MI_SLICE_SIZE, true, MI_OS_PAGES_NORMAL);
    if (fresh.start == NULL) {
        fprintf(stderr, "no memory for the shadow\n");
        abort();
    }
    if (mi_cas_strong_acq_rel(entry, &part, fresh.start))
        return fresh.start;
    mi_os_release(&fresh);
    return part;
}

// Sets or clears the bits of the words between the two addresses; false when one was so already.
static bool mark(const void *p, size_t size, bool in_use)
{
    uintptr_t at = mi_align_down((uintptr_t)p, UNIT);
    uintptr_t end = mi_align_up((uintptr_t)p + mi_max(size, 1), UNIT);
    bool was_other = true;
    while (at < end) {
        size_t unit = (at & MI_SEGMENT_MASK) / UNIT;
        size_t count = mi_min((end - at) / UNIT, 64 - unit % 64);
        uint64_t bits = (count == 64 ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1) << (unit % 64);
        word_t *word = &part_of(at)[unit / 64];
        uint64_t old = in_use ? atomic_fetch_or_explicit(word, bits, memory_order_relaxed)
                              : ~atomic_fetch_and_explicit(word, ~bits, memory_order_relaxed);
        was_other = was_other && (old & bits) == 0;
        at += count * UNIT;
    }
    return was_other;
}

static size_t units_of(const void *p, size_t size)
{
    return mi_div_up((uintptr_t)p % UNIT + mi_max(size, 1), UNIT);
}

bool shadow_enter(const void *p, size_t size)
{
    (void)mi_add_relaxed(&units, units_of(p, size));
    return mark(p, size, true);
}

bool shadow_leave(const void *p, size_t size)
{
    (void)mi_sub_relaxed(&units, units_of(p, size));
    return mark(p, size, false);
}

size_t shadow_bytes(void)
{
    return mi_load_relaxed(&units) * UNIT;
}
