// SPDX-License-Identifier: MIT
// Finds a module's instructions by following its code, as far as calls and jumps say where they lead,
// and exchanges first bytes of some of them, more and more until every thread has come by one.
#include "halt.h"

#include "redirect/decode.h"
#include "support/rng.h"

#include <stdint.h>
#include <stdlib.h>

static uint8_t *module_start; // const after halt_prepare
static size_t module_size;

static bool find_module(const char *name)
{
    module_start = (uint8_t *)GetModuleHandleA(name);
    if (module_start == NULL)
        return false;
    const IMAGE_DOS_HEADER *dos = (const IMAGE_DOS_HEADER *)(const void *)module_start;
    const IMAGE_NT_HEADERS *nt =
        (const IMAGE_NT_HEADERS *)(const void *)(module_start + dos->e_lfanew);
    module_size = nt->OptionalHeader.SizeOfImage;
    return true;
}

static volatile LONG thread_ids[HALTS_MAX]; // 0: nobody

void halt_enroll(unsigned index)
{
    thread_ids[index] = (LONG)GetCurrentThreadId();
}

#if defined(__x86_64__) || defined(__i386__)

enum { SITES_MAX = 20000, LONGEST = 15, FIRST_SITES = 32 };

#define HLT ((uint8_t)0xF4) // a privileged instruction

typedef struct site {
    uint8_t *code;
    uint8_t first; // its byte, while it is exchanged
    bool is_armed;
} site_t;

static site_t sites[SITES_MAX];
static unsigned site_count;
static bool *is_found; // for each byte of the module's code: an instruction begins there
static uint8_t *code_start;
static size_t code_size;
static volatile LONG is_halted[HALTS_MAX];

// ---- the instructions ----

static bool find_code(const uint8_t *inside)
{
    MEMORY_BASIC_INFORMATION info;
    if (VirtualQuery(inside, &info, sizeof info) == 0)
        return false;
    code_start = info.BaseAddress;
    code_size = info.RegionSize;
    is_found = calloc(code_size, sizeof *is_found);
    return is_found != NULL;
}

static void add(uint8_t *code)
{
    size_t at = (size_t)(code - code_start);
    if (at >= code_size || is_found[at] || site_count == SITES_MAX)
        return;
    is_found[at] = true;
    sites[site_count++].code = code;
}

// Those that are found grow the list that is gone through.
static void follow_all(void)
{
    for (unsigned i = 0; i < site_count; i++) {
        uint8_t *code = sites[i].code;
        size_t left = code_size - (size_t)(code - code_start);
        rd_insn_t insn;
        if (!rd_decode(code, left < LONGEST ? left : LONGEST, sizeof(void *) == 8, &insn))
            continue;
        uint8_t *next = code + insn.length;
        bool has_target = insn.flow == RD_FLOW_BRANCH || insn.flow == RD_FLOW_JUMP ||
                          (insn.flow == RD_FLOW_CALL && insn.rel_size != 0);
        if (has_target)
            add(next + insn.rel);
        if (insn.flow != RD_FLOW_JUMP && insn.flow != RD_FLOW_END)
            add(next);
    }
}

// ---- the exception ----

static LONG CALLBACK on_exception(EXCEPTION_POINTERS *exception)
{
    LONG id = (LONG)GetCurrentThreadId();
    if (exception->ExceptionRecord->ExceptionCode != EXCEPTION_PRIV_INSTRUCTION)
        return EXCEPTION_CONTINUE_SEARCH;
    for (unsigned i = 0; i < HALTS_MAX; i++) {
        if (thread_ids[i] != id)
            continue;
        is_halted[i] = 1;
        for (;;)
            YieldProcessor();
    }
    return EXCEPTION_CONTINUE_SEARCH;
}

bool halt_prepare(const char *module, const char *const *exports)
{
    if (!find_module(module))
        return false;
    for (unsigned i = 0; exports[i] != NULL; i++) {
        uint8_t *code =
            (uint8_t *)(uintptr_t)GetProcAddress((HMODULE)(void *)module_start, exports[i]);
        if (code == NULL || (code_start == NULL && !find_code(code)))
            return false;
        add(code);
    }
    follow_all();
    return AddVectoredExceptionHandler(1, on_exception) != NULL;
}

// ---- halting ----

static void set_protection(DWORD protection)
{
    DWORD before;
    VirtualProtect(code_start, code_size, protection, &before);
}

static void arm(site_t *site)
{
    if (site->is_armed)
        return;
    site->first = *site->code;
    site->is_armed = true;
    *(volatile uint8_t *)site->code = HLT;
}

static bool are_halted(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (!is_halted[i])
            return false;
    return true;
}

void halt_all(const HANDLE *threads, unsigned count, unsigned seed)
{
    (void)threads;
    rng_t rng = rng_from_seed(seed);
    set_protection(PAGE_EXECUTE_READWRITE);
    for (unsigned more = FIRST_SITES; !are_halted(count); more *= 2) {
        for (unsigned i = 0; i < more && i < site_count; i++)
            arm(&sites[rng_below(&rng, site_count)]);
        FlushInstructionCache(GetCurrentProcess(), code_start, code_size);
        Sleep(5);
    }
}

void halt_end(void)
{
    for (unsigned i = 0; i < site_count; i++) {
        if (sites[i].is_armed)
            *(volatile uint8_t *)sites[i].code = sites[i].first;
        sites[i].is_armed = false;
    }
    set_protection(PAGE_EXECUTE_READ);
    FlushInstructionCache(GetCurrentProcess(), code_start, code_size);
    for (unsigned i = 0; i < HALTS_MAX; i++) {
        is_halted[i] = 0;
        thread_ids[i] = 0;
    }
}

#else

bool halt_prepare(const char *module, const char *const *exports)
{
    (void)exports;
    return find_module(module);
}

static bool is_inside(HANDLE thread)
{
    CONTEXT context = {.ContextFlags = CONTEXT_CONTROL};
    return GetThreadContext(thread, &context) &&
           (uintptr_t)context.Pc - (uintptr_t)module_start < module_size;
}

void halt_all(const HANDLE *threads, unsigned count, unsigned seed)
{
    (void)seed;
    for (unsigned i = 0; i < count; i++) {
        while (SuspendThread(threads[i]) != (DWORD)-1 && !is_inside(threads[i])) {
            ResumeThread(threads[i]);
            SwitchToThread();
        }
    }
}

void halt_end(void)
{
}

#endif
