// SPDX-License-Identifier: MIT
// See vcruntime.h. The product uses no structured exceptions; winnt.h wants the type.
#pragma once

typedef enum _EXCEPTION_DISPOSITION {
    ExceptionContinueExecution,
    ExceptionContinueSearch,
    ExceptionNestedException,
    ExceptionCollidedUnwind
} EXCEPTION_DISPOSITION;
