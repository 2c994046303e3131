// SPDX-License-Identifier: MIT
// What each status means to a user: the reason, the cure, the exit code, and whether --force goes on
// in spite of it. docs/minject.md explains each of them at more length.
#include "minject/minject.h"

typedef struct verdict {
    const char *text;
    const char *cure;
    mj_exit_t exit;
    bool yields_to_force;
} verdict_t;

#define RUN_INSTEAD "use 'minject run' on Windows, which leaves the file as it is"

static const verdict_t verdicts[MJ_STATUS_COUNT] = {
    [MJ_OK] = {"done", "", MJ_EXIT_OK, false},
    [MJ_ALREADY] = {"already as asked, nothing changed", "", MJ_EXIT_OK, false},
    [MJ_USAGE] = {"wrong command line", "see minject --help", MJ_EXIT_USAGE, false},
    [MJ_NO_MEMORY] = {"not enough memory", "", MJ_EXIT_FILE, false},
    [MJ_CANNOT_READ] = {"cannot be read", "", MJ_EXIT_FILE, false},
    [MJ_CANNOT_WRITE] = {"cannot be written", "close the program and check the permissions",
                         MJ_EXIT_FILE, false},
    [MJ_NOT_CONFIRMED] = {"exists, and overwriting it was not confirmed", "use --force",
                          MJ_EXIT_DECLINED, false},
    [MJ_TOO_LARGE] = {"is 4 GiB or larger, which Windows does not load", "", MJ_EXIT_FORMAT, false},
    [MJ_BAD_IMAGE] = {"is not a Windows program, or damaged", "", MJ_EXIT_FORMAT, false},
    [MJ_BAD_IMAGE_LAYOUT] = {"has sections or directories that overlap each other or the headers",
                             "use the undamaged or unpacked file", MJ_EXIT_FORMAT, false},
    [MJ_TOO_MANY_IMPORTS] = {"imports more DLLs than can be true", "use the undamaged file",
                             MJ_EXIT_FORMAT, false},
    [MJ_UNKNOWN_MACHINE] = {"is for a processor that the allocator is not built for", "",
                            MJ_EXIT_REFUSED, false},
    [MJ_NATIVE] = {"is a driver or another program that runs without the Win32 subsystem", "",
                   MJ_EXIT_REFUSED, false},
    [MJ_FIRMWARE] = {"is for EFI or the boot loader, not for Windows", "", MJ_EXIT_REFUSED, false},
    [MJ_OTHER_SUBSYSTEM] = {"is neither a console nor a GUI program", "", MJ_EXIT_REFUSED, false},
    [MJ_IL_ONLY] = {"is managed code alone, whose imports the loader does not look at",
                    "inject the native host (the apphost) that starts it", MJ_EXIT_REFUSED, false},
    [MJ_MIXED_MODE] = {"holds managed and native code", "try --force on a copy", MJ_EXIT_REFUSED,
                       true},
    [MJ_DATA_ONLY] = {"is a DLL without code or imports", "inject the program that uses it",
                      MJ_EXIT_REFUSED, true},
    [MJ_FORCE_INTEGRITY] = {"demands a valid signature (FORCE_INTEGRITY), which a change breaks",
                            RUN_INSTEAD ", or --force to clear the demand", MJ_EXIT_REFUSED, true},
    [MJ_APP_CONTAINER] = {"runs in an app container, where packages are checked",
                          "change it before it is packaged, with --force", MJ_EXIT_REFUSED, true},
    [MJ_SYSTEM32_ONLY] = {"looks for DLLs outside its own folder only (DependentLoadFlags)",
                          "--force clears the flags in the result", MJ_EXIT_REFUSED, true},
    [MJ_PROTECTED] = {"is wrapped by a protector that checks its own file", RUN_INSTEAD,
                      MJ_EXIT_REFUSED, true},
    [MJ_OVERLAY_AT_END] = {"looks for the data appended to it at the file's very end",
                           RUN_INSTEAD ", or inject before the data is appended", MJ_EXIT_REFUSED,
                           true},
    [MJ_OVERLAY_BY_SECTIONS] = {"looks for the data appended to it behind its last section",
                                RUN_INSTEAD ", or inject before the data is appended",
                                MJ_EXIT_REFUSED, true},
    [MJ_OVERLAY_CHECKED] =
        {"is an installer that checks its own headers, without room to adjust them", RUN_INSTEAD,
         MJ_EXIT_REFUSED, true},
    [MJ_HYBRID_HEADERS] = {"is an ARM64X image that rewrites its own imports when loaded as x64",
                           RUN_INSTEAD, MJ_EXIT_REFUSED, false},
    [MJ_NO_ROOM] = {"has no room for another section", RUN_INSTEAD, MJ_EXIT_REFUSED, false},
    [MJ_ADDRESS_SPACE] = {"has no address space left behind its last section", RUN_INSTEAD,
                          MJ_EXIT_REFUSED, false},
    [MJ_NOT_INJECTED] = {"holds nothing of minject's to remove", "", MJ_EXIT_REFUSED, false},
    [MJ_BAD_RECORD] = {"holds a damaged record of the original", "take the original from elsewhere",
                       MJ_EXIT_FORMAT, false},
    [MJ_CHANGED_SINCE] = {"was changed after it was injected; the original cannot be given back",
                          "take the original from elsewhere", MJ_EXIT_REFUSED, false},
    [MJ_VERIFY_FAILED] = {"the result did not pass verification and was not written",
                          "please report this file", MJ_EXIT_INTERNAL, false},
    [MJ_CHECK_FAILED] = {"redirection would not work", "", MJ_EXIT_CHECK, false},
    [MJ_NOT_HERE] = {"only possible on Windows", "", MJ_EXIT_USAGE, false},
};

static const verdict_t *verdict_of(mj_status_t status)
{
    return &verdicts[(unsigned)status < MJ_STATUS_COUNT ? status : MJ_VERIFY_FAILED];
}

const char *mj_status_text(mj_status_t status)
{
    return verdict_of(status)->text;
}

const char *mj_status_cure(mj_status_t status)
{
    return verdict_of(status)->cure;
}

mj_exit_t mj_status_exit(mj_status_t status)
{
    return verdict_of(status)->exit;
}

bool mj_status_yields_to_force(mj_status_t status)
{
    return verdict_of(status)->yields_to_force;
}
