// SPDX-License-Identifier: MIT
// The failures and their texts, in one place.
#include "api/fail.h"

#include "support/message.h"

#include <errno.h>

void *mi_fail_memory(size_t size)
{
    mi_set_errno(ENOMEM);
    mi_error_report(ENOMEM, "unable to allocate %zu bytes", size);
    return NULL;
}

void *mi_fail_overflow(size_t count, size_t size)
{
    mi_set_errno(ENOMEM);
    mi_error_report(EOVERFLOW, "allocation of %zu times %zu bytes overflows", count, size);
    return NULL;
}

void *mi_fail_alignment(size_t alignment)
{
    mi_set_errno(EINVAL);
    mi_error_report(EINVAL, "alignment %zu is not a power of two within the limit", alignment);
    return NULL;
}

void mi_fail_pointer(const char *what, const void *p)
{
    mi_error_report(EINVAL, "%s of %p, which is no block of ours: ignored", what, p);
}
