// SPDX-License-Identifier: MIT
// Sizes, limits and switches of the allocator: the only place where they are chosen.
// Switches are always defined, as 0 or 1, and tested with `if`.
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if UINTPTR_MAX == UINT64_MAX
#define MI_64BIT 1
#else
#define MI_64BIT 0
#endif

#if defined(_WIN32)
#define MI_WINDOWS 1
#else
#define MI_WINDOWS 0
#endif

// Variants: the build sets one of them to 1.
#ifndef MI_DEBUG
#define MI_DEBUG 0 // full invariants, fills, exact sizes and padding checks
#endif
#ifndef MI_SECURE
#define MI_SECURE 0 // guard pages, encoded free lists, randomised order, padding checks
#endif
// Exact sizes and checked padding behind every block; both variants have it.
#define MI_PADDING (MI_DEBUG || MI_SECURE)
// Free-list links are encoded with a key of the page.
#define MI_ENCODE (MI_DEBUG || MI_SECURE)

#define MI_KIB ((size_t)1024)
#define MI_MIB (MI_KIB * MI_KIB)
#define MI_GIB (MI_MIB * MI_KIB)

#define MI_WORD_SIZE  sizeof(void *)
#define MI_CACHE_LINE 64

// Every block is aligned to this, the alignment that malloc promises on every target.
#define MI_BLOCK_ALIGN 16

// A segment is a naturally aligned part of the address space: pointer & ~mask is its header.
#if MI_64BIT
#define MI_SEGMENT_SHIFT 25 // 32 MiB
// Our memory lies below this. Linux: all of user space, since an untouched map costs nothing there.
// Windows charges a map in zero-initialised data to the commit limit, so reservations are placed
// in the low 16 TiB (4 MiB of map); user space there has 128 TiB and VirtualAlloc takes addresses.
#define MI_ADDRESS_BITS (MI_WINDOWS ? 44 : 47)
#else
#define MI_SEGMENT_SHIFT 22 // 4 MiB
#define MI_ADDRESS_BITS  32
#endif
#define MI_SEGMENT_SIZE ((size_t)1 << MI_SEGMENT_SHIFT)
#define MI_SEGMENT_MASK ((uintptr_t)MI_SEGMENT_SIZE - 1)

// What Windows reserves in: VirtualAlloc's allocation granularity.
#define MI_RESERVE_GRANULARITY ((size_t)64 * MI_KIB)

// A segment is cut into slices; a page is a run of slices.
#define MI_SLICE_SHIFT         14 // 16 KiB: the smallest page
#define MI_SLICE_SIZE          ((size_t)1 << MI_SLICE_SHIFT)
#define MI_SLICES_PER_SEGMENT  (MI_SEGMENT_SIZE / MI_SLICE_SIZE)
#define MI_SEGMENT_MAP_ENTRIES ((size_t)1 << (MI_ADDRESS_BITS - MI_SEGMENT_SHIFT))

// Requests up to this find their page through a table with one entry per 16 bytes.
#define MI_SMALL_MAX ((size_t)1024)
// Pages of small blocks have this size, unless they are the first of their class.
#define MI_SMALL_PAGE_SIZE      ((size_t)64 * MI_KIB)
#define MI_SMALL_PAGE_BLOCK_MAX (MI_SMALL_PAGE_SIZE / 8)
// Larger blocks have a page of their own; beyond MI_LARGE_MAX, a segment of their own.
#define MI_MEDIUM_PAGE_BLOCK_MAX ((size_t)64 * MI_KIB)
#define MI_LARGE_MAX             (MI_SEGMENT_SIZE / 2)
// No request above this can succeed; PTRDIFF_MAX is the limit of pointer arithmetic in C.
#define MI_ALLOC_MAX ((size_t)PTRDIFF_MAX - MI_SEGMENT_SIZE)

// Alignments above this are refused.
#define MI_ALIGN_MAX (MI_64BIT ? 16 * MI_GIB : 256 * MI_MIB)

_Static_assert(MI_SLICES_PER_SEGMENT % 64 == 0, "bit masks of a segment are whole words");
_Static_assert((MI_BLOCK_ALIGN & (MI_BLOCK_ALIGN - 1)) == 0, "alignments are powers of two");
