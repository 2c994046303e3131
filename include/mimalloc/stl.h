// SPDX-License-Identifier: MIT
// C++ allocators for containers, included by mimalloc.h. They meet the requirements of C++11 to C++20.
//   mi_stl_allocator<T>               the calling thread's default heap, from any thread
//   mi_heap_stl_allocator<T>          one heap, new or the caller's; copies share it
//   mi_heap_destroy_stl_allocator<T>  the same, but freeing does nothing: the heap is destroyed at
//                                     once with the last copy
// A container with one of the latter two must stay in the thread that made its heap.
#pragma once

#ifdef __cplusplus

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "mimalloc.h"

// What C++ does when there is no memory, in the program's own runtime, which alone can throw: its new
// handler is called until it gives up. Returns when the allocation is to be tried again.
inline void mi_cpp_no_memory()
{
    std::new_handler handler = std::get_new_handler();
    if (handler != nullptr) {
        handler();
        return;
    }
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
    throw std::bad_alloc();
#else
    std::abort();
#endif
}

inline void *mi_cpp_new(std::size_t size)
{
    void *p = mi_malloc(size);
    while (p == nullptr) {
        mi_cpp_no_memory();
        p = mi_malloc(size);
    }
    return p;
}

inline void *mi_cpp_new_aligned(std::size_t size, std::size_t alignment)
{
    void *p = mi_malloc_aligned(size, alignment);
    while (p == nullptr) {
        mi_cpp_no_memory();
        p = mi_malloc_aligned(size, alignment);
    }
    return p;
}

inline void *mi_cpp_heap_new(mi_heap_t *heap, std::size_t size, std::size_t alignment)
{
    void *p = mi_heap_malloc_aligned(heap, size, alignment);
    while (p == nullptr) {
        mi_cpp_no_memory();
        p = mi_heap_malloc_aligned(heap, size, alignment);
    }
    return p;
}

// What the three have in common. Members that C++17 deprecated are kept for older containers.
template <class T> struct mi_stl_allocator_common {
    typedef T value_type;
    typedef std::size_t size_type;
    typedef std::ptrdiff_t difference_type;
    typedef value_type &reference;
    typedef const value_type &const_reference;
    typedef value_type *pointer;
    typedef const value_type *const_pointer;

    size_type max_size() const noexcept
    {
        return static_cast<size_type>(PTRDIFF_MAX) / sizeof(value_type);
    }

  protected:
    // The bytes of count objects; a number that no allocation can have when there are too many.
    static size_type bytes(size_type count) noexcept
    {
        return count > static_cast<size_type>(PTRDIFF_MAX) / sizeof(T)
                   ? static_cast<size_type>(PTRDIFF_MAX)
                   : count * sizeof(T);
    }
};

template <class T> struct mi_stl_allocator : public mi_stl_allocator_common<T> {
    using typename mi_stl_allocator_common<T>::value_type;
    using typename mi_stl_allocator_common<T>::size_type;
    using propagate_on_container_copy_assignment = std::true_type;
    using propagate_on_container_move_assignment = std::true_type;
    using propagate_on_container_swap = std::true_type;
    using is_always_equal = std::true_type;
    template <class U> struct rebind {
        typedef mi_stl_allocator<U> other;
    };

    mi_stl_allocator() noexcept = default;
    mi_stl_allocator(const mi_stl_allocator &) noexcept = default;
    mi_stl_allocator &operator=(const mi_stl_allocator &) noexcept = default;
    template <class U> mi_stl_allocator(const mi_stl_allocator<U> &) noexcept
    {
    }

    mi_decl_nodiscard T *allocate(size_type count)
    {
        if (alignof(T) > 16)
            return static_cast<T *>(mi_cpp_new_aligned(this->bytes(count), alignof(T)));
        return static_cast<T *>(mi_cpp_new(this->bytes(count)));
    }

    void deallocate(T *p, size_type)
    {
        mi_free(p);
    }

    mi_stl_allocator select_on_container_copy_construction() const
    {
        return *this;
    }
};

template <class T, class U>
bool operator==(const mi_stl_allocator<T> &, const mi_stl_allocator<U> &) noexcept
{
    return true;
}

template <class T, class U>
bool operator!=(const mi_stl_allocator<T> &, const mi_stl_allocator<U> &) noexcept
{
    return false;
}

// ---- with a heap of its own ----

// Copies of an allocator share the heap; the last one ends it, by destroying or by deleting it. A
// heap that the caller gave stays the caller's.
template <class T, bool destroys>
struct mi_heap_stl_allocator_common : public mi_stl_allocator_common<T> {
    using typename mi_stl_allocator_common<T>::value_type;
    using typename mi_stl_allocator_common<T>::size_type;
    using propagate_on_container_copy_assignment = std::true_type;
    using propagate_on_container_move_assignment = std::true_type;
    using propagate_on_container_swap = std::true_type;
    using is_always_equal = std::false_type;

    mi_heap_stl_allocator_common() : heap(new_heap(), &end)
    {
    }

    explicit mi_heap_stl_allocator_common(mi_heap_t *callers) : heap(callers, &keep)
    {
    }

    template <class U>
    mi_heap_stl_allocator_common(const mi_heap_stl_allocator_common<U, destroys> &other) noexcept
        : heap(other.heap)
    {
    }

    mi_decl_nodiscard T *allocate(size_type count)
    {
        return static_cast<T *>(mi_cpp_heap_new(heap.get(), this->bytes(count), alignof(T)));
    }

    void deallocate(T *p, size_type)
    {
        if (!destroys)
            mi_free(p);
    }

    void collect(bool force)
    {
        mi_heap_collect(heap.get(), force);
    }

    template <class U>
    bool is_equal(const mi_heap_stl_allocator_common<U, destroys> &other) const noexcept
    {
        return heap == other.heap;
    }

  protected:
    std::shared_ptr<mi_heap_t> heap;
    template <class, bool> friend struct mi_heap_stl_allocator_common;

  private:
    static mi_heap_t *new_heap()
    {
        mi_heap_t *fresh = mi_heap_new();
        while (fresh == nullptr) {
            mi_cpp_no_memory();
            fresh = mi_heap_new();
        }
        return fresh;
    }

    static void end(mi_heap_t *last)
    {
        if (destroys)
            mi_heap_destroy(last);
        else
            mi_heap_delete(last);
    }

    static void keep(mi_heap_t *)
    {
    }
};

template <class T> struct mi_heap_stl_allocator : public mi_heap_stl_allocator_common<T, false> {
    using typename mi_heap_stl_allocator_common<T, false>::size_type;
    template <class U> struct rebind {
        typedef mi_heap_stl_allocator<U> other;
    };

    mi_heap_stl_allocator() = default;
    explicit mi_heap_stl_allocator(mi_heap_t *callers)
        : mi_heap_stl_allocator_common<T, false>(callers)
    {
    }
    template <class U>
    mi_heap_stl_allocator(const mi_heap_stl_allocator<U> &other) noexcept
        : mi_heap_stl_allocator_common<T, false>(other)
    {
    }

    mi_heap_stl_allocator select_on_container_copy_construction() const
    {
        return *this;
    }
};

template <class T, class U>
bool operator==(const mi_heap_stl_allocator<T> &a, const mi_heap_stl_allocator<U> &b) noexcept
{
    return a.is_equal(b);
}

template <class T, class U>
bool operator!=(const mi_heap_stl_allocator<T> &a, const mi_heap_stl_allocator<U> &b) noexcept
{
    return !a.is_equal(b);
}

template <class T>
struct mi_heap_destroy_stl_allocator : public mi_heap_stl_allocator_common<T, true> {
    using typename mi_heap_stl_allocator_common<T, true>::size_type;
    template <class U> struct rebind {
        typedef mi_heap_destroy_stl_allocator<U> other;
    };

    mi_heap_destroy_stl_allocator() = default;
    explicit mi_heap_destroy_stl_allocator(mi_heap_t *callers)
        : mi_heap_stl_allocator_common<T, true>(callers)
    {
    }
    template <class U>
    mi_heap_destroy_stl_allocator(const mi_heap_destroy_stl_allocator<U> &other) noexcept
        : mi_heap_stl_allocator_common<T, true>(other)
    {
    }

    mi_heap_destroy_stl_allocator select_on_container_copy_construction() const
    {
        return *this;
    }
};

template <class T, class U>
bool operator==(const mi_heap_destroy_stl_allocator<T> &a,
                const mi_heap_destroy_stl_allocator<U> &b) noexcept
{
    return a.is_equal(b);
}

template <class T, class U>
bool operator!=(const mi_heap_destroy_stl_allocator<T> &a,
                const mi_heap_destroy_stl_allocator<U> &b) noexcept
{
    return !a.is_equal(b);
}

#endif
