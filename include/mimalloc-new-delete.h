// SPDX-License-Identifier: MIT
// Replaces operator new and delete in all their forms up to C++17. Include it in exactly one source
// file of a program.
#pragma once

#ifdef __cplusplus

#include <new>

#include "mimalloc.h"

#if defined(_MSC_VER) && defined(_Ret_notnull_) && defined(_Post_writable_byte_size_)
#define mi_decl_new(n)         mi_decl_nodiscard _Ret_notnull_ _Post_writable_byte_size_(n)
#define mi_decl_new_nothrow(n) mi_decl_nodiscard _Ret_maybenull_ _Success_(return != NULL)
#else
#define mi_decl_new(n)         mi_decl_nodiscard
#define mi_decl_new_nothrow(n) mi_decl_nodiscard
#endif

// The new handler may throw, which means here: no memory. alignment 0: the natural one.
static inline void *mi_cpp_new_nothrow(std::size_t n, std::size_t alignment) noexcept
{
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
    try {
        return alignment == 0 ? mi_cpp_new(n) : mi_cpp_new_aligned(n, alignment);
    } catch (...) {
        return nullptr;
    }
#else
    return alignment == 0 ? mi_malloc(n) : mi_malloc_aligned(n, alignment);
#endif
}

mi_decl_new(n) void *operator new(std::size_t n)
{
    return mi_cpp_new(n);
}

mi_decl_new(n) void *operator new[](std::size_t n)
{
    return mi_cpp_new(n);
}

mi_decl_new_nothrow(n) void *operator new(std::size_t n, const std::nothrow_t &) noexcept
{
    return mi_cpp_new_nothrow(n, 0);
}

mi_decl_new_nothrow(n) void *operator new[](std::size_t n, const std::nothrow_t &) noexcept
{
    return mi_cpp_new_nothrow(n, 0);
}

void operator delete(void *p) noexcept
{
    mi_free(p);
}

void operator delete[](void *p) noexcept
{
    mi_free(p);
}

void operator delete(void *p, const std::nothrow_t &) noexcept
{
    mi_free(p);
}

void operator delete[](void *p, const std::nothrow_t &) noexcept
{
    mi_free(p);
}

// With the size: C++14, and compilers that have it earlier.
void operator delete(void *p, std::size_t n) noexcept
{
    mi_free_size(p, n);
}

void operator delete[](void *p, std::size_t n) noexcept
{
    mi_free_size(p, n);
}

#if defined(__cpp_aligned_new) || __cplusplus >= 201703L

mi_decl_new(n) void *operator new(std::size_t n, std::align_val_t alignment)
{
    return mi_cpp_new_aligned(n, static_cast<std::size_t>(alignment));
}

mi_decl_new(n) void *operator new[](std::size_t n, std::align_val_t alignment)
{
    return mi_cpp_new_aligned(n, static_cast<std::size_t>(alignment));
}

mi_decl_new_nothrow(n) void *operator new(std::size_t n, std::align_val_t alignment,
                                          const std::nothrow_t &) noexcept
{
    return mi_cpp_new_nothrow(n, static_cast<std::size_t>(alignment));
}

mi_decl_new_nothrow(n) void *operator new[](std::size_t n, std::align_val_t alignment,
                                            const std::nothrow_t &) noexcept
{
    return mi_cpp_new_nothrow(n, static_cast<std::size_t>(alignment));
}

void operator delete(void *p, std::align_val_t alignment) noexcept
{
    mi_free_aligned(p, static_cast<std::size_t>(alignment));
}

void operator delete[](void *p, std::align_val_t alignment) noexcept
{
    mi_free_aligned(p, static_cast<std::size_t>(alignment));
}

void operator delete(void *p, std::size_t n, std::align_val_t alignment) noexcept
{
    mi_free_size_aligned(p, n, static_cast<std::size_t>(alignment));
}

void operator delete[](void *p, std::size_t n, std::align_val_t alignment) noexcept
{
    mi_free_size_aligned(p, n, static_cast<std::size_t>(alignment));
}

void operator delete(void *p, std::align_val_t alignment, const std::nothrow_t &) noexcept
{
    mi_free_aligned(p, static_cast<std::size_t>(alignment));
}

void operator delete[](void *p, std::align_val_t alignment, const std::nothrow_t &) noexcept
{
    mi_free_aligned(p, static_cast<std::size_t>(alignment));
}

#endif

#endif
