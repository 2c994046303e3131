// SPDX-License-Identifier: MIT
// The system refuses one change of protection, the first, the second, and so on, each in a process of
// its own: the runtime is taken over wholly or left wholly as it was, no page stays writable and
// executable, and the program runs.
#include "check.h"
#include "mimalloc/redirect.h"
#include "stock_allocator.h"

#include <malloc.h>
#include <stdlib.h>
#include <windows.h>

bool saboteur_code_is_unchanged(void);
unsigned saboteur_refusals(void);

enum { NOTHING_REFUSED = 20, LEFT_ALONE, TAKEN_OVER, FAILED, CALLS_MAX = 400 };

static bool is_any_page_writable_and_executable(void)
{
    MEMORY_BASIC_INFORMATION info;
    for (char *at = NULL; VirtualQuery(at, &info, sizeof info) == sizeof info;
         at = (char *)info.BaseAddress + info.RegionSize)
        if (info.State == MEM_COMMIT && ((info.Protect & 0xFF) == PAGE_EXECUTE_READWRITE ||
                                         (info.Protect & 0xFF) == PAGE_EXECUTE_WRITECOPY))
            return true;
    return false;
}

static bool the_program_runs(void)
{
    char *block = malloc(100);
    char *copy = _strdup("a text");
    block = realloc(block, 5000);
    bool is_good = block != NULL && strcmp(copy, "a text") == 0 && _msize(block) >= 5000;
    free(block);
    free(copy);
    return is_good;
}

static int outcome(bool is_code_mode)
{
    mi_redirect_status_t status = {.size = sizeof status};
    void *block = malloc(100);
    bool is_ours = mi_is_in_heap_region(block);
    free(block);
    if (!mi_redirect_get_status(&status) || !the_program_runs() ||
        is_any_page_writable_and_executable())
        return FAILED;
    // By import tables one table may stay as it is, the program's too.
    if (is_code_mode && is_ours != status.is_redirected)
        return FAILED;
    if (is_code_mode && status.is_redirected == saboteur_code_is_unchanged())
        return FAILED;
    if (saboteur_refusals() == 0)
        return status.is_redirected ? NOTHING_REFUSED : FAILED;
    return status.is_redirected ? TAKEN_OVER : LEFT_ALONE;
}

static DWORD outcome_of_child(unsigned call)
{
    char command[MAX_PATH + 64];
    char path[MAX_PATH];
    char number[16];
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    DWORD result = FAILED;
    GetModuleFileNameA(NULL, path, sizeof path);
    snprintf(command, sizeof command, "\"%s\" child", path);
    snprintf(number, sizeof number, "%u", call);
    SetEnvironmentVariableA("MI_SABOTAGE", "protect_once");
    SetEnvironmentVariableA("MI_SABOTAGE_CALL", number);
    if (!CreateProcessA(NULL, command, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process))
        return result;
    if (WaitForSingleObject(process.hProcess, 60000) == WAIT_OBJECT_0)
        GetExitCodeProcess(process.hProcess, &result);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return result;
}

TEST(one_refusal_leaves_all_or_nothing)
{
    unsigned left_alone = 0;
    unsigned taken_over = 0;
    DWORD result = FAILED;
    for (unsigned call = 1; call < CALLS_MAX; call++) {
        result = outcome_of_child(call);
        if (result != LEFT_ALONE && result != TAKEN_OVER)
            break;
        left_alone += result == LEFT_ALONE;
        taken_over += result == TAKEN_OVER;
    }
    printf("     %u refusals left the runtime alone, %u did not matter\n", left_alone, taken_over);
    CHECK_EQ(result, NOTHING_REFUSED);
    CHECK(taken_over > 0);
    // By import tables it depends on how many of them there are.
    CHECK(left_alone > 0);
}

int main(int argc, char **argv)
{
    (void)argv;
    const char *mode = getenv("MIMALLOC_REDIRECT_MODE");
    if (argc > 1)
        return outcome(mode != NULL && strcmp(mode, "code") == 0);
    RUN(one_refusal_leaves_all_or_nothing)
    printf("%u passed, %u failed\n", check_state.passed, check_state.failed);
    return check_state.failed != 0;
}
