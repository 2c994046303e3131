// SPDX-License-Identifier: MIT
// The proof that a jump may be written over a function's first bytes.
// Two questions: do the bytes belong to the function (or to padding that nothing reaches), and can
// anything arrive between them? The first is answered by decoding from the entry, the second by
// following every branch of the function to wherever it leads, as compilers move cold parts away.
#include "redirect/patch_plan.h"
#include "redirect/decode_arm64.h"
#include "redirect/hook_arm64.h"

enum {
    MAX_INSNS = 4096, // followed per function before giving up
    MAX_PENDING = 256,
    SEEN_SLOTS = 8192, // twice MAX_INSNS: a sparse hash table
    // A jump farther than this leads to another function: its body is not this one's business.
    TAIL_CALL_DISTANCE = 0x1000,
};

typedef struct walk {
    const rd_code_t *code;
    uint32_t entry;
    uint32_t first; // the first of the replaced bytes
    uint32_t last;
    uint32_t insn_count;
    uint32_t pending_count;
    uint32_t pending[MAX_PENDING];
    uint32_t seen[SEEN_SLOTS];     // offset + 1, 0: free
    uint16_t taken[MAX_INSNS + 1]; // slots of seen, so that only these need clearing
    uint32_t taken_count;
} walk_t;

uint32_t rd_patch_size(const rd_code_t *code)
{
    return code->is_arm64 ? RD_ARM64_PATCH_SIZE : RD_PATCH_SIZE;
}

static bool decode_at(const rd_code_t *code, uint32_t offset, rd_insn_t *insn)
{
    if (offset >= code->size)
        return false;
    const uint8_t *bytes = code->bytes + offset;
    uint32_t size = code->size - offset;
    return code->is_arm64 ? rd_decode_arm64_flow(bytes, size, insn)
                          : rd_decode(bytes, size, code->is_64, insn);
}

// Where a branch at `offset` leads; false when that is outside of these bytes.
static bool target_of(const rd_code_t *code, uint32_t offset, const rd_insn_t *insn, uint32_t *out)
{
    int64_t target = (int64_t)offset + insn->length + insn->rel;
    if (target < 0 || target >= (int64_t)code->size)
        return false;
    *out = (uint32_t)target;
    return true;
}

static bool leaves_module(const rd_code_t *code, uint32_t offset, const rd_insn_t *insn)
{
    uint64_t target = code->va + offset + insn->length + (uint64_t)(int64_t)insn->rel;
    return target - code->module_va >= code->module_size;
}

static bool is_padding_between(const rd_code_t *code, uint32_t from, uint32_t to)
{
    while (from < to) {
        rd_insn_t insn;
        if (!decode_at(code, from, &insn) || !insn.is_padding)
            return false;
        from += insn.length;
    }
    return true;
}

static bool another_starts_between(const rd_code_t *code, uint32_t from, uint32_t to)
{
    for (uint32_t i = 0; i < code->start_count; i++)
        if (code->starts[i] > from && code->starts[i] < to)
            return true;
    return false;
}

static bool is_endbr64(const rd_code_t *code, uint32_t offset)
{
    const uint8_t *c = code->bytes + offset;
    return code->is_64 && code->size - offset >= 4 && c[0] == 0xF3 && c[1] == 0x0F &&
           c[2] == 0x1E && c[3] == 0xFA;
}

static bool has_bytes(const rd_code_t *code, uint32_t at, const char *bytes, uint32_t count)
{
    if (at > code->size || code->size - at < count)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (code->bytes[at + i] != (uint8_t)bytes[i])
            return false;
    return true;
}

// push imm32; ret, or with the upper half of the address written behind the push.
static bool is_push_hook(const rd_code_t *code, uint32_t at)
{
    return has_bytes(code, at, "\x68", 1) &&
           (has_bytes(code, at + 5, "\xC3", 1) || (has_bytes(code, at + 5, "\xC7\x44\x24\x04", 4) &&
                                                   has_bytes(code, at + 13, "\xC3", 1)));
}

// mov register, address; jmp register, or push register; ret.
static bool is_register_hook(const rd_code_t *code, uint32_t at, const rd_insn_t *insn)
{
    const uint8_t *c = code->bytes + at;
    uint32_t prefix = code->is_64 ? 1 : 0;
    if (insn->length != prefix + 1 + (code->is_64 ? 8u : 4u) || (c[prefix] & 0xF8) != 0xB8 ||
        (code->is_64 && (c[0] & 0xFE) != 0x48))
        return false;
    uint64_t target = 0;
    for (uint32_t i = insn->length - 1u; i > prefix; i--)
        target = target << 8 | c[i];
    if (target - code->module_va < code->module_size)
        return false;
    char reg = (char)(c[prefix] & 7);
    uint32_t next = at + insn->length;
    if (code->is_64 && (c[0] & 1) != 0 && !has_bytes(code, next++, "\x41", 1))
        return false;
    const char jump[2] = {(char)0xFF, (char)(0xE0 | reg)};
    const char push[2] = {(char)(0x50 | reg), (char)0xC3};
    return has_bytes(code, next, jump, 2) || has_bytes(code, next, push, 2);
}

// A jump at the very entry, or behind its landing pad, that leads out of the module was written by
// somebody else, be it directly, through a pointer or a register, or by way of the padding before the
// entry.
static bool is_hooked(const rd_code_t *code, uint32_t entry)
{
    uint32_t at = is_endbr64(code, entry) ? entry + 4 : entry;
    for (unsigned hops = 0; hops < 8; hops++) {
        rd_insn_t insn;
        if (!decode_at(code, at, &insn))
            return false;
        if (insn.flow == RD_FLOW_JUMP) {
            if (leaves_module(code, at, &insn))
                return true;
            if (!target_of(code, at, &insn, &at))
                return false;
            continue;
        }
        // jmp [pointer]: no compiler starts a function so, nor with the other two.
        return (insn.flow == RD_FLOW_END && code->bytes[at] == 0xFF) || is_push_hook(code, at) ||
               is_register_hook(code, at, &insn);
    }
    return true;
}

// Where the jump may go at the earliest: a landing pad of indirect branches stays.
static rd_status_t first_x86(const rd_code_t *code, uint32_t entry, uint32_t *first)
{
    if (entry >= code->size)
        return RD_NOT_CODE;
    if (is_hooked(code, entry))
        return RD_HOOKED;
    *first = is_endbr64(code, entry) ? entry + 4 : entry;
    return RD_OK;
}

static rd_status_t first_arm64(const rd_code_t *code, uint32_t entry, uint32_t *first)
{
    rd_arm64_insn_t insn;
    if (code->size < 4 || entry > code->size - 4 || (code->va + entry) % 4 != 0)
        return RD_NOT_CODE;
    if (rd_arm64_is_hooked(code, entry))
        return RD_HOOKED;
    if (!rd_decode_arm64(rd_arm64_word(code->bytes + entry), &insn))
        return RD_UNKNOWN_CODE;
    // Signing the return address is a landing pad, too, but nothing may stay behind it: the
    // allocator would return to a signed address.
    if (insn.signs_return && code->needs_landing_pads)
        return RD_LANDING_PAD;
    *first = insn.is_landing_pad ? entry + 4 : entry;
    return RD_OK;
}

// Decodes over the bytes to be replaced.
static rd_status_t check_head(const rd_code_t *code, uint32_t entry, uint32_t first,
                              bool *is_single)
{
    uint32_t size = rd_patch_size(code);
    uint32_t end = first + size;
    uint32_t at = first;
    if (first > code->size || code->size - first < size)
        return RD_TOO_SHORT;
    if (another_starts_between(code, entry, end))
        return RD_NEXT_FUNCTION;
    while (at < end) {
        rd_insn_t insn;
        if (!decode_at(code, at, &insn))
            return RD_UNKNOWN_CODE;
        if (at == first)
            *is_single = insn.length >= size;
        at += insn.length;
        if (insn.flow == RD_FLOW_CALL && at < end)
            return RD_CALL_INSIDE;
        if (insn.flow == RD_FLOW_JUMP || insn.flow == RD_FLOW_END)
            return is_padding_between(code, at, end) ? RD_OK : RD_TOO_SHORT;
    }
    return RD_OK;
}

static bool mark_seen(walk_t *walk, uint32_t offset)
{
    uint32_t slot = (offset * 2654435761u) % SEEN_SLOTS;
    while (walk->seen[slot] != 0) {
        if (walk->seen[slot] == offset + 1)
            return false;
        slot = (slot + 1) % SEEN_SLOTS;
    }
    walk->seen[slot] = offset + 1;
    walk->taken[walk->taken_count++] = (uint16_t)slot;
    return true;
}

static bool is_near(uint32_t a, uint32_t b)
{
    return (a > b ? a - b : b - a) < TAIL_CALL_DISTANCE;
}

static rd_status_t follow_target(walk_t *walk, uint32_t at, const rd_insn_t *insn)
{
    uint32_t target;
    if (!target_of(walk->code, at, insn, &target))
        return RD_OK;
    if (target > walk->first && target <= walk->last)
        return RD_BRANCH_INSIDE;
    if (insn->flow == RD_FLOW_CALL)
        return RD_OK;
    // Back to the very first byte is a loop over the whole function: it meets the jump. On A64 it
    // may also be a loop that begins there, with registers that are no arguments any more.
    if (walk->code->is_arm64 && target >= walk->entry && target <= walk->last)
        return RD_BRANCH_INSIDE;
    if (insn->flow == RD_FLOW_JUMP && !is_near(target, walk->entry))
        return RD_OK;
    if (walk->pending_count == MAX_PENDING)
        return RD_UNPROVEN;
    walk->pending[walk->pending_count++] = target;
    return RD_OK;
}

// One straight run of instructions.
static rd_status_t follow_run(walk_t *walk, uint32_t at)
{
    rd_insn_t insn;
    while (decode_at(walk->code, at, &insn) && mark_seen(walk, at)) {
        if (++walk->insn_count > MAX_INSNS)
            return RD_UNPROVEN;
        if (insn.rel_size != 0) {
            rd_status_t status = follow_target(walk, at, &insn);
            if (status != RD_OK)
                return status;
        }
        if (insn.flow == RD_FLOW_JUMP || insn.flow == RD_FLOW_END)
            return RD_OK;
        at += insn.length;
    }
    return RD_OK;
}

static rd_status_t check_branches(const rd_code_t *code, uint32_t entry, uint32_t first)
{
    // Static, as it is too large for a stack that nobody has probed; the redirect plans under the
    // loader lock, one function at a time.
    static walk_t walk;
    walk.code = code;
    walk.entry = entry;
    walk.first = first;
    walk.last = first + rd_patch_size(code) - 1;
    walk.insn_count = 0;
    walk.pending_count = 1;
    walk.pending[0] = entry;
    while (walk.taken_count > 0)
        walk.seen[walk.taken[--walk.taken_count]] = 0;
    while (walk.pending_count > 0) {
        rd_status_t status = follow_run(&walk, walk.pending[--walk.pending_count]);
        if (status != RD_OK)
            return status;
    }
    return RD_OK;
}

rd_status_t rd_plan_site(const rd_code_t *code, uint32_t entry, rd_site_t *site)
{
    uint32_t first = entry;
    bool is_single = false;
    rd_status_t status =
        code->is_arm64 ? first_arm64(code, entry, &first) : first_x86(code, entry, &first);
    if (status == RD_OK)
        status = check_head(code, entry, first, &is_single);
    if (status != RD_OK)
        return status;
    status = check_branches(code, entry, first);
    if (status != RD_OK)
        return status;
    *site = (rd_site_t){.offset = first, .is_single_insn = is_single};
    return RD_OK;
}
