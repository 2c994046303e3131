// SPDX-License-Identifier: MIT
// See vcruntime.h. Included by the compiler's intrin.h; nothing here uses it.
#pragma once

typedef int jmp_buf[1];
