// SPDX-License-Identifier: MIT
// See vcruntime.h. It declares the C++ operators of debug builds; C programs need nothing of it.
#pragma once

#include <vcruntime.h>
