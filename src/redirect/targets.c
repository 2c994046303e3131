// SPDX-License-Identifier: MIT
// The table of targets. A runtime exports some of these names; several names may share one address.
// The internal workers behind the exports are no targets: on x86 they have calling conventions of
// their own, and all their callers come through an exported name.
#include "redirect/targets.h"

#define WHOLE(name, function) {name, RD_F_##function, RD_TARGET_WHOLE}
#define EXTRA(name, function) {name, RD_F_##function, RD_TARGET_EXTRA}
#define DEBUG(name, function) {name, RD_F_##function, RD_TARGET_DEBUG}

const rd_target_t rd_targets[] = {
    WHOLE("malloc", malloc),
    WHOLE("calloc", calloc),
    WHOLE("realloc", realloc),
    WHOLE("free", free),
    WHOLE("_msize", msize),
    WHOLE("_expand", expand),
    WHOLE("_recalloc", recalloc),
    WHOLE("_malloc_base", malloc),
    WHOLE("_calloc_base", calloc),
    WHOLE("_realloc_base", realloc),
    WHOLE("_free_base", free),
    WHOLE("_msize_base", msize),
    WHOLE("_expand_base", expand),
    WHOLE("_recalloc_base", recalloc),
    WHOLE("_malloc_crt", malloc),
    WHOLE("_calloc_crt", calloc),
    WHOLE("_realloc_crt", realloc),
    WHOLE("_recalloc_crt", recalloc),
    WHOLE("_aligned_malloc", aligned_malloc),
    WHOLE("_aligned_realloc", aligned_realloc),
    WHOLE("_aligned_recalloc", aligned_recalloc),
    WHOLE("_aligned_free", aligned_free),
    WHOLE("_aligned_msize", aligned_msize),
    WHOLE("_aligned_offset_malloc", aligned_offset_malloc),
    WHOLE("_aligned_offset_realloc", aligned_offset_realloc),
    WHOLE("_aligned_offset_recalloc", aligned_offset_recalloc),

    EXTRA("_o_malloc", malloc),
    EXTRA("_o_calloc", calloc),
    EXTRA("_o_realloc", realloc),
    EXTRA("_o_free", free),
    EXTRA("_o__msize", msize),
    EXTRA("_o__expand", expand),
    EXTRA("_o__recalloc", recalloc),
    EXTRA("_o__malloc_base", malloc),
    EXTRA("_o__calloc_base", calloc),
    EXTRA("_o__realloc_base", realloc),
    EXTRA("_o__free_base", free),
    EXTRA("_o__aligned_malloc", aligned_malloc),
    EXTRA("_o__aligned_realloc", aligned_realloc),
    EXTRA("_o__aligned_recalloc", aligned_recalloc),
    EXTRA("_o__aligned_free", aligned_free),
    EXTRA("_o__aligned_msize", aligned_msize),
    EXTRA("_o__aligned_offset_malloc", aligned_offset_malloc),
    EXTRA("_o__aligned_offset_realloc", aligned_offset_realloc),
    EXTRA("_o__aligned_offset_recalloc", aligned_offset_recalloc),

    DEBUG("_malloc_dbg", malloc),
    DEBUG("_calloc_dbg", calloc),
    DEBUG("_realloc_dbg", realloc),
    DEBUG("_recalloc_dbg", recalloc),
    DEBUG("_free_dbg", free),
    DEBUG("_msize_dbg", msize),
    DEBUG("_expand_dbg", expand),
    DEBUG("_aligned_malloc_dbg", aligned_malloc),
    DEBUG("_aligned_realloc_dbg", aligned_realloc),
    DEBUG("_aligned_recalloc_dbg", aligned_recalloc),
    DEBUG("_aligned_free_dbg", aligned_free),
    DEBUG("_aligned_msize_dbg", aligned_msize),
    DEBUG("_aligned_offset_malloc_dbg", aligned_offset_malloc),
    DEBUG("_aligned_offset_realloc_dbg", aligned_offset_realloc),
    DEBUG("_aligned_offset_recalloc_dbg", aligned_offset_recalloc),

    // operator new and delete, plain and [], x64 and x86.
    WHOLE("??2@YAPEAX_K@Z", new),
    WHOLE("??_U@YAPEAX_K@Z", new),
    WHOLE("??3@YAXPEAX@Z", delete),
    WHOLE("??_V@YAXPEAX@Z", delete),
    WHOLE("??2@YAPAXI@Z", new),
    WHOLE("??_U@YAPAXI@Z", new),
    WHOLE("??3@YAXPAX@Z", delete),
    WHOLE("??_V@YAXPAX@Z", delete),
    // The same with type, file and line, as debug builds call them; release runtimes have them too.
    EXTRA("??2@YAPEAX_KHPEBDH@Z", new),
    EXTRA("??_U@YAPEAX_KHPEBDH@Z", new),
    EXTRA("??3@YAXPEAXHPEBDH@Z", delete),
    EXTRA("??_V@YAXPEAXHPEBDH@Z", delete),
    EXTRA("??2@YAPAXIHPBDH@Z", new),
    EXTRA("??_U@YAPAXIHPBDH@Z", new),
    EXTRA("??3@YAXPAXHPBDH@Z", delete),
    EXTRA("??_V@YAXPAXHPBDH@Z", delete),
};

const size_t rd_target_count = sizeof rd_targets / sizeof rd_targets[0];
_Static_assert(sizeof rd_targets / sizeof rd_targets[0] <= RD_TARGET_MAX, "grow RD_TARGET_MAX");
