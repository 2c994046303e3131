// SPDX-License-Identifier: MIT
// What the Windows SDK's headers expect of the compiler's own vcruntime.h, for builds in Microsoft's
// mode on machines that have the SDK but not Visual Studio. Only what C code of this project reaches.
#pragma once

#include <sal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define _CRT_PACKING 8
#define _VCRTIMP
#define _VCRT_NOALIAS  __declspec(noalias)
#define _VCRT_RESTRICT __declspec(restrict)
#define _VCRT_ALLOCATOR
#define _CRTNOALIAS  __declspec(noalias)
#define _CRTRESTRICT __declspec(restrict)
#define _CRT_BEGIN_C_HEADER
#define _CRT_END_C_HEADER
#define _CRT_UNUSED(x)          (void)x
#define _CRT_STRINGIZE_(x)      #x
#define _CRT_STRINGIZE(x)       _CRT_STRINGIZE_(x)
#define _CRT_WIDE_(s)           L##s
#define _CRT_WIDE(s)            _CRT_WIDE_(s)
#define _CRT_CONCATENATE_(a, b) a##b
#define _CRT_CONCATENATE(a, b)  _CRT_CONCATENATE_(a, b)
#define _CRT_DEPRECATE_TEXT(text)
#define _CRT_INSECURE_DEPRECATE(text)
#define _CRT_INSECURE_DEPRECATE_MEMORY(text)
#define _CRT_INSECURE_DEPRECATE_GLOBALS(text)
#define _CRT_WARN_NONSTDC_DEPRECATE
#define _SAL_VERSION   20
#define _HAS_NODISCARD 0
#define _NODISCARD
#define __CRTDECL     __cdecl
#define _CRT_ALIGN(x) __declspec(align(x))

#define __crt_va_start(list, last) __builtin_va_start(list, last)
#define __crt_va_arg(list, type)   __builtin_va_arg(list, type)
#define __crt_va_end(list)         __builtin_va_end(list)
