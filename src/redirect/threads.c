// SPDX-License-Identifier: MIT
// Freezing. Only the instruction pointers are looked at: no return address can lie within the bytes
// to be replaced, as the planner refuses code that calls from there.
// All are suspended before any is asked for its instruction pointer, and only those are asked that can
// answer: under Wine a thread exists from the moment its creator has announced it, and its context can
// be had only when the creator, which is suspended now, has really made it.
#include "redirect/threads.h"

#include "compiler/compiler.h"

enum {
    FROZEN_MAX = 2048,
    ATTEMPTS = 100, // to find no thread within the bytes
};

typedef struct frozen {
    HANDLE handle;
    uintptr_t id;
} frozen_t;

static frozen_t frozen[FROZEN_MAX];
static unsigned frozen_count;

typedef struct basic_information {
    LONG exit_status;
    void *teb;
    uintptr_t process_id;
    uintptr_t thread_id;
    uintptr_t affinity;
    LONG priority;
    LONG base_priority;
} basic_information_t;

static basic_information_t information_of(HANDLE thread)
{
    basic_information_t info = {0};
    if (!RD_NT_SUCCESS(NtQueryInformationThread(thread, 0, &info, sizeof info, NULL)))
        info = (basic_information_t){0};
    return info;
}

static uintptr_t id_of(HANDLE thread)
{
    return information_of(thread).thread_id;
}

// A thread gets its thread block before its first instruction and loses it after its last. Asked of a
// suspended thread: without one it is not inside of any code, and will not be until it is resumed.
static bool may_run_code(HANDLE thread)
{
    return information_of(thread).teb != NULL;
}

static bool is_frozen(uintptr_t id)
{
    for (unsigned i = 0; i < frozen_count; i++)
        if (frozen[i].id == id)
            return true;
    return false;
}

void rd_threads_thaw(void)
{
    while (frozen_count > 0) {
        HANDLE thread = frozen[--frozen_count].handle;
        (void)NtResumeThread(thread, NULL);
        (void)NtClose(thread);
    }
}

typedef enum pass { PASS_NOTHING_NEW, PASS_FROZE_SOME, PASS_FULL } pass_t;

// Goes through the threads once. A thread that is ending cannot be suspended and needs not be.
static pass_t freeze_once(uintptr_t self)
{
    const ACCESS_MASK access =
        THREAD_SUSPEND_RESUME | THREAD_GET_CONTEXT | THREAD_QUERY_INFORMATION;
    pass_t pass = PASS_NOTHING_NEW;
    HANDLE previous = NULL;
    HANDLE thread = NULL;
    bool is_kept = true; // previous belongs to frozen[], or is nothing
    while (RD_NT_SUCCESS(NtGetNextThread(RD_CURRENT_PROCESS, previous, access, 0, 0, &thread))) {
        if (!is_kept)
            (void)NtClose(previous);
        uintptr_t id = id_of(thread);
        is_kept = false;
        previous = thread;
        if (id == 0 || id == self || is_frozen(id))
            continue;
        if (frozen_count == FROZEN_MAX) {
            pass = PASS_FULL;
            break;
        }
        if (!RD_NT_SUCCESS(NtSuspendThread(thread, NULL)))
            continue;
        frozen[frozen_count++] = (frozen_t){thread, id};
        is_kept = true;
        pass = PASS_FROZE_SOME;
    }
    if (!is_kept)
        (void)NtClose(previous);
    return pass;
}

static uintptr_t instruction_of(const CONTEXT *context)
{
#if MI_CPU_X64
    return context->Rip;
#elif MI_CPU_X86
    return context->Eip;
#else
    return context->Pc;
#endif
}

static bool is_inside(const rd_runtime_t *runtime, uintptr_t address)
{
    for (uint32_t i = 0; i < runtime->entry_count; i++) {
        const rd_entry_t *entry = &runtime->entries[i];
        uintptr_t site = (uintptr_t)entry->site;
        if (entry->byte_count != 0 && address > site && address < site + entry->byte_count)
            return true;
    }
    return false;
}

static bool nobody_is_inside(const rd_runtime_t *runtime)
{
    for (unsigned i = 0; i < frozen_count; i++) {
        static CONTEXT context; // large; one thread at a time is here, under the loader lock
        context.ContextFlags = CONTEXT_CONTROL;
        if (!may_run_code(frozen[i].handle))
            continue;
        if (!RD_NT_SUCCESS(NtGetContextThread(frozen[i].handle, &context)))
            continue;
        if (is_inside(runtime, instruction_of(&context)))
            return false;
    }
    return true;
}

rd_status_t rd_threads_freeze(const rd_runtime_t *runtime)
{
    uintptr_t self = id_of(RD_CURRENT_THREAD);
    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
        pass_t pass;
        // Again until a pass finds no thread that a still running one has started.
        do {
            pass = freeze_once(self);
        } while (pass == PASS_FROZE_SOME);
        if (pass == PASS_NOTHING_NEW && nobody_is_inside(runtime))
            return RD_OK;
        rd_threads_thaw();
        if (pass == PASS_FULL)
            return RD_TOO_MANY;
        (void)NtYieldExecution();
    }
    return RD_THREAD_INSIDE;
}
