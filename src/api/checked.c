// SPDX-License-Identifier: MIT
// What debug and secure builds do around every block: exact sizes, fills, reports of misuse.
#include "api/checked.h"

#include <errno.h>

#include "api/alloc.h"
#include "support/message.h"

// Patterns that show in a debugger where memory was read before it was written, or after free.
#define FILL_NEW   0xd0
#define FILL_FREED 0xdf

static mi_page_t *page_of(const void *p)
{
    mi_segment_t *segment = mi_segment_map_start(p);
    return segment->huge_size != 0 ? &segment->pages[MI_SEGMENT_INFO_SLICES]
                                   : mi_segment_page_at(segment, p);
}

static bool is_invalid(const mi_page_t *page)
{
    return page == &mi_segment_of_page(page)->invalid;
}

// ---- allocating ----

static void *finish(void *block, size_t size, bool zero)
{
    if (block == NULL)
        return NULL;
    if (MI_DEBUG && !zero)
        mi_fill(block, FILL_NEW, size);
    mi_padding_set(page_of(block), block, size);
    return block;
}

void *mi_checked_alloc(mi_heap_t *heap, size_t size, bool zero)
{
    if (size > MI_ALLOC_MAX - MI_PADDING_SIZE)
        return NULL;
    return finish(mi_heap_alloc_slow(heap, size + MI_PADDING_SIZE, zero), size, zero);
}

void *mi_checked_alloc_aligned(mi_heap_t *heap, size_t size, size_t alignment, size_t offset,
                               bool zero)
{
    if (size > MI_ALLOC_MAX - MI_PADDING_SIZE)
        return NULL;
    size_t total = size + MI_PADDING_SIZE;
    return finish(mi_heap_alloc_aligned(heap, total, alignment, offset, zero), size, zero);
}

// ---- freeing ----

static mi_cold void report_no_block(const mi_page_t *page, const void *p)
{
    const void *block = is_invalid(page) ? NULL : mi_padding_block_around(page, p);
    size_t size;
    size_t past_end;
    if (block == NULL) {
        mi_error_report(EINVAL, "free of %p, which is no block: nothing was freed", p);
        return;
    }
    (void)mi_padding_check(page, block, &size, &past_end);
    mi_error_report(EINVAL,
                    "free of %p, which is %zu bytes into block %p of %zu bytes: nothing was freed",
                    p, (size_t)((uintptr_t)p - (uintptr_t)block), block, size);
}

static mi_cold void report(mi_block_fault_t fault, const void *p, size_t size, size_t past_end)
{
    if (fault == MI_BLOCK_FREED)
        mi_error_report(EAGAIN, "double free of block %p of %zu bytes", p, size);
    else
        mi_error_report(EFAULT,
                        "buffer overflow in block %p of %zu bytes: written %zu bytes past its end",
                        p, size, past_end + 1);
}

static bool free_checked_block(mi_page_t *page, void *p)
{
    size_t size;
    size_t past_end;
    mi_block_fault_t fault = mi_padding_check(page, p, &size, &past_end);
    if (fault == MI_BLOCK_NOT_START) {
        report_no_block(page, p);
        return true;
    }
    if (fault != MI_BLOCK_GOOD)
        report(fault, p, size, past_end);
    if (fault == MI_BLOCK_FREED)
        return true;
    mi_padding_set_freed(page, p);
    if (MI_DEBUG)
        mi_fill(p, FILL_FREED, size);
    return mi_free_local(p) || mi_free_other(p);
}

bool mi_checked_free(void *p)
{
    if (!mi_is_ours(p))
        return false;
    mi_page_t *page = page_of(p);
    if (is_invalid(page)) {
        report_no_block(page, p);
        return true;
    }
    return free_checked_block(page, p);
}

// ---- sizes ----

size_t mi_checked_size(const void *p)
{
    mi_page_t *page = page_of(p);
    size_t size;
    size_t past_end;
    if (is_invalid(page) || mi_padding_check(page, p, &size, &past_end) == MI_BLOCK_NOT_START)
        return 0;
    return size;
}

void mi_checked_resize(void *p, size_t size)
{
    mi_page_t *page = page_of(p);
    size_t old_size;
    size_t past_end;
    mi_block_fault_t fault = mi_padding_check(page, p, &old_size, &past_end);
    // The new record would cover up what the old one tells.
    if (fault == MI_BLOCK_FREED || fault == MI_BLOCK_OVERFLOWED)
        report(fault, p, old_size, past_end);
    mi_padding_set(page, p, size);
}
