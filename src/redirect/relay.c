// SPDX-License-Identifier: MIT
// Finds free address space near a module, and fills it. 64-bit code only: in 32-bit code a near
// jump reaches everything.
#include "redirect/relay.h"
#include "redirect/form.h"
#include "redirect/freestanding.h"

enum { RELAY_STEP = 16 }; // one far jump, aligned

#define GRANULARITY ((uintptr_t)0x10000)

static uint8_t *try_at(uintptr_t address)
{
    void *base = (void *)address;
    SIZE_T size = RD_RELAY_SIZE;
    rd_ntstatus_t status = NtAllocateVirtualMemory(RD_CURRENT_PROCESS, &base, 0, &size,
                                                   MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    return RD_NT_SUCCESS(status) ? base : NULL;
}

static bool query(uintptr_t address, MEMORY_BASIC_INFORMATION *info)
{
    return RD_NT_SUCCESS(
        NtQueryVirtualMemory(RD_CURRENT_PROCESS, (void *)address, 0, info, sizeof *info, NULL));
}

static uint8_t *search_up(uintptr_t from, uintptr_t limit)
{
    MEMORY_BASIC_INFORMATION info;
    while (from < limit && query(from, &info)) {
        uintptr_t start = (uintptr_t)info.BaseAddress;
        uintptr_t end = start + info.RegionSize;
        uintptr_t candidate = (start + GRANULARITY - 1) & ~(GRANULARITY - 1);
        if (info.State == MEM_FREE && candidate + RD_RELAY_SIZE <= end && candidate < limit) {
            uint8_t *page = try_at(candidate);
            if (page != NULL)
                return page;
        }
        from = end;
    }
    return NULL;
}

static uint8_t *search_down(uintptr_t from, uintptr_t limit)
{
    MEMORY_BASIC_INFORMATION info;
    while (from > limit && query(from - 1, &info)) {
        uintptr_t start = (uintptr_t)info.BaseAddress;
        uintptr_t end = start + info.RegionSize;
        uintptr_t candidate = (end - RD_RELAY_SIZE) & ~(GRANULARITY - 1);
        if (info.State == MEM_FREE && candidate >= start && candidate >= limit) {
            uint8_t *page = try_at(candidate);
            if (page != NULL)
                return page;
        }
        from = start;
    }
    return NULL;
}

rd_status_t rd_relay_create(rd_runtime_t *runtime)
{
    uintptr_t start = (uintptr_t)runtime->base;
    uintptr_t end = start + runtime->image_size;
    uintptr_t lowest = end > rd_form_reach + GRANULARITY ? end - rd_form_reach : GRANULARITY;
    runtime->relay_used = 0;
    runtime->relay = search_up(end, start + rd_form_reach);
    if (runtime->relay == NULL)
        runtime->relay = search_down(start, lowest);
    return runtime->relay != NULL ? RD_OK : RD_NO_RELAY;
}

uint8_t *rd_relay_to(rd_runtime_t *runtime, const void *to)
{
    uint8_t jump[RD_FORM_FAR_MAX];
    uint32_t size = rd_form_far((uintptr_t)to, jump);
    for (uint32_t at = 0; at < runtime->relay_used; at += RELAY_STEP)
        if (memcmp(runtime->relay + at, jump, size) == 0)
            return runtime->relay + at;
    if (runtime->relay_used > RD_RELAY_SIZE - RELAY_STEP)
        return NULL;
    uint8_t *relay = runtime->relay + runtime->relay_used;
    memcpy(relay, jump, size);
    memset(relay + size, rd_form_filler, RELAY_STEP - size);
    runtime->relay_used += RELAY_STEP;
    return relay;
}

rd_status_t rd_relay_seal(const rd_runtime_t *runtime)
{
    void *base = runtime->relay;
    SIZE_T size = RD_RELAY_SIZE;
    ULONG old;
    memset(runtime->relay + runtime->relay_used, rd_form_filler,
           RD_RELAY_SIZE - runtime->relay_used);
    if (!RD_NT_SUCCESS(
            NtProtectVirtualMemory(RD_CURRENT_PROCESS, &base, &size, PAGE_EXECUTE_READ, &old)))
        return RD_PROTECT_REFUSED;
    (void)NtFlushInstructionCache(RD_CURRENT_PROCESS, runtime->relay, RD_RELAY_SIZE);
    return RD_OK;
}

void rd_relay_destroy(rd_runtime_t *runtime)
{
    void *base = runtime->relay;
    SIZE_T size = 0;
    if (base != NULL)
        (void)NtFreeVirtualMemory(RD_CURRENT_PROCESS, &base, &size, MEM_RELEASE);
    runtime->relay = NULL;
    runtime->relay_used = 0;
}
