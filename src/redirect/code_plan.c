// SPDX-License-Identifier: MIT
// Plans the patches of one mapped module: finds the section of each entry and what else starts
// near it, and asks patch_plan about the bytes.
#include "redirect/code_plan.h"
#include "redirect/freestanding.h"

// Behind an entry: an endbr64 and the bytes to be replaced.
enum { NEAR_STARTS_MAX = 4 + RD_PATCH_SIZE };

// Sizes of unwind records; each begins with its function's RVA.
enum { UNWIND_SIZE_X64 = 12, UNWIND_SIZE_ARM64 = 8 };

static rd_status_t find_entry(const pe_view_t *module, const char *name, uint8_t **address)
{
    pe_export_t found;
    if (pe_export_find(module, name, &found) != PE_OK)
        return RD_NOT_EXPORTED;
    if (found.forwarder != NULL)
        return RD_FORWARDED;
    *address = (uint8_t *)(uintptr_t)module->base + found.rva;
    return RD_OK;
}

uint32_t rd_code_entries(const pe_view_t *module, rd_build_t build,
                         rd_entry_t entries[RD_TARGET_MAX])
{
    uint32_t count = 0;
    for (size_t i = 0; i < rd_target_count; i++) {
        const rd_target_t *target = &rd_targets[i];
        uint8_t *address = NULL;
        rd_status_t status = find_entry(module, target->name, &address);
        if (status == RD_NOT_EXPORTED)
            continue;
        // In a release runtime these are other functions, or none.
        if (target->kind == RD_TARGET_DEBUG && build != RD_DEBUG_RUNTIME)
            continue;
        entries[count++] = (rd_entry_t){.name = target->name,
                                        .address = address,
                                        .function = target->function,
                                        .kind = target->kind,
                                        .status = status};
    }
    return count;
}

// Hybrid images hold code of several processors. A process sees the headers and exports of its own
// one (x64 ones have short sequences in x64 code there, which lead on into ARM64EC code): only code of
// the module's processor may be changed, and only that is looked at.
static rd_status_t clip_to_processor(const pe_view_t *view, uint32_t rva, rd_code_t *code)
{
    pe_code_range_t range;
    pe_status_t status = pe_code_range_of_rva(view, rva, &range);
    pe_code_kind_t kind = code->is_arm64 ? PE_CODE_ARM64 : PE_CODE_AMD64;
    if (status == PE_END)
        return RD_OK;
    if (status != PE_OK || range.kind != kind || view->file.machine == PE_MACHINE_I386)
        return RD_OTHER_PROCESSOR;
    uint32_t start = (uint32_t)(code->bytes - view->base);
    uint32_t end = start + code->size;
    uint32_t range_end = range.size < end - range.rva ? range.rva + range.size : end;
    uint32_t from = range.rva > start ? range.rva : start;
    code->bytes = view->base + from;
    code->va = (uintptr_t)view->base + from;
    code->size = range_end - from;
    return RD_OK;
}

static rd_status_t find_code(const pe_view_t *view, uint32_t rva, rd_code_t *code)
{
    pe_section_t section;
    if (!pe_section_of_rva(view, rva, &section) ||
        (section.characteristics & PE_SECTION_EXECUTE) == 0)
        return RD_NOT_CODE;
    uint32_t size = pe_section_virtual_size(&section);
    uint32_t available = pe_available(view, section.rva);
    *code = (rd_code_t){
        .bytes = view->base + section.rva,
        .size = size < available ? size : available,
        .va = (uintptr_t)view->base + section.rva,
        .is_64 = view->is_plus,
        .is_arm64 = view->file.machine == PE_MACHINE_ARM64,
        .needs_landing_pads = (pe_ex_characteristics(view) & PE_EX_FORWARD_CFI) != 0,
        .module_va = (uintptr_t)view->base,
        .module_size = view->optional.image_size,
    };
    return clip_to_processor(view, rva, code);
}

// Where something else begins behind an entry, each place once.
typedef struct starts {
    uint32_t count;
    uint32_t rva[NEAR_STARTS_MAX];
} starts_t;

static void add_start(starts_t *starts, uint32_t rva)
{
    for (uint32_t i = 0; i < starts->count; i++)
        if (starts->rva[i] == rva)
            return;
    if (starts->count < NEAR_STARTS_MAX)
        starts->rva[starts->count++] = rva;
}

static bool is_near_behind(uint32_t rva, uint32_t entry_rva)
{
    return rva > entry_rva && rva - entry_rva <= NEAR_STARTS_MAX;
}

// Exports that begin within the bytes behind an entry. All entries at once: a runtime has more than
// two thousand exports, and the start of each process waits for this.
static void add_exports(const pe_view_t *view, const rd_entry_t *entries, uint32_t count,
                        starts_t *starts)
{
    pe_export_t found;
    pe_status_t status;
    for (uint32_t i = 0; (status = pe_export_slot_at(view, i, &found)) != PE_END; i++) {
        if (status != PE_OK && status != PE_NOT_FOUND)
            return;
        if (status == PE_NOT_FOUND || found.forwarder != NULL)
            continue;
        for (uint32_t e = 0; e < count; e++)
            if (entries[e].status != RD_FORWARDED &&
                is_near_behind(found.rva, (uint32_t)(entries[e].address - view->base)))
                add_start(&starts[e], found.rva);
    }
}

// The table of unwind records is sorted: the first one behind rva is enough.
static void add_unwind_start(const pe_view_t *view, uint32_t rva, starts_t *starts)
{
    pe_directory_t directory = pe_directory(view, PE_DIR_EXCEPTION);
    uint32_t size = view->file.machine == PE_MACHINE_ARM64 ? UNWIND_SIZE_ARM64 : UNWIND_SIZE_X64;
    uint32_t low = 0;
    uint32_t high = directory.size / size;
    uint32_t begin_rva;
    if (!view->is_plus || pe_at(view, directory.rva, directory.size) == NULL)
        return;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (!pe_read(view, directory.rva + middle * size, &begin_rva, sizeof begin_rva))
            return;
        if (begin_rva > rva)
            high = middle;
        else
            low = middle + 1;
    }
    if (low < directory.size / size &&
        pe_read(view, directory.rva + low * size, &begin_rva, sizeof begin_rva) &&
        is_near_behind(begin_rva, rva))
        add_start(starts, begin_rva);
}

static const rd_entry_t *planned_at(const rd_entry_t *entries, uint32_t count,
                                    const uint8_t *address)
{
    for (uint32_t i = 0; i < count; i++)
        if (entries[i].address == address && entries[i].status == RD_OK)
            return &entries[i];
    return NULL;
}

// Two names of one function must agree on what it does.
static bool agree(rd_function_t a, rd_function_t b)
{
    return a == b || (a == RD_F_free && b == RD_F_delete);
}

// The decoders know these.
static bool is_known_machine(const pe_view_t *view)
{
    uint16_t machine = view->file.machine;
    return machine == PE_MACHINE_AMD64 || machine == PE_MACHINE_I386 || machine == PE_MACHINE_ARM64;
}

static rd_status_t plan_entry(const pe_view_t *view, rd_entry_t *entry, starts_t *starts)
{
    uint32_t rva = (uint32_t)(entry->address - view->base);
    rd_code_t code;
    rd_site_t site;
    if (!is_known_machine(view))
        return RD_OTHER_PROCESSOR;
    rd_status_t status = find_code(view, rva, &code);
    if (status != RD_OK)
        return status;
    uint32_t code_rva = (uint32_t)(code.bytes - view->base);
    add_unwind_start(view, rva, starts);
    for (uint32_t i = 0; i < starts->count; i++)
        starts->rva[i] -= code_rva;
    code.starts = starts->rva;
    code.start_count = starts->count;
    status = rd_plan_site(&code, rva - code_rva, &site);
    if (status != RD_OK)
        return status;
    entry->site = (uint8_t *)(uintptr_t)code.bytes + site.offset;
    entry->is_single_insn = site.is_single_insn;
    entry->byte_count = (uint8_t)rd_patch_size(&code);
    memcpy(entry->before, entry->site, entry->byte_count);
    return RD_OK;
}

rd_status_t rd_code_plan(const pe_view_t *module, rd_entry_t *entries, uint32_t count)
{
    starts_t starts[RD_TARGET_MAX];
    rd_status_t result = RD_OK;
    for (uint32_t i = 0; i < count; i++)
        starts[i].count = 0;
    add_exports(module, entries, count, starts);
    for (uint32_t i = 0; i < count; i++) {
        rd_entry_t *entry = &entries[i];
        // The real function is in another module, which is looked at itself.
        if (entry->status == RD_FORWARDED)
            continue;
        const rd_entry_t *same = planned_at(entries, i, entry->address);
        if (same == NULL)
            entry->status = plan_entry(module, entry, &starts[i]);
        else
            entry->status = agree((rd_function_t)same->function, (rd_function_t)entry->function)
                                ? RD_ALREADY_PLANNED
                                : RD_SHARED_CODE;
        bool is_refused = entry->status != RD_OK && entry->status != RD_ALREADY_PLANNED;
        if (is_refused && entry->kind != RD_TARGET_EXTRA && result == RD_OK)
            result = entry->status;
    }
    return result;
}
