// SPDX-License-Identifier: MIT
// The words for each reason.
#include "redirect/status.h"

typedef struct status_text {
    const char *text;
    const char *advice;
} status_text_t;

static const char use_imports[] = "MIMALLOC_REDIRECT_MODE=imports redirects without changing code.";
static const char ask_other_hook[] =
    "Another product (security software, a profiler) has changed the runtime; "
    "MIMALLOC_REDIRECT_MODE=imports may still work.";

static const status_text_t texts[RD_STATUS_COUNT] = {
    [RD_OK] = {"ok", ""},
    [RD_NOT_EXPORTED] = {"not exported", ""},
    [RD_FORWARDED] = {"forwarded to another module", ""},
    [RD_NOT_CODE] = {"not in an executable section", use_imports},
    [RD_UNKNOWN_CODE] = {"unknown instruction", use_imports},
    [RD_TOO_SHORT] = {"too short for a jump", use_imports},
    [RD_NEXT_FUNCTION] = {"the next function starts too early", use_imports},
    [RD_BRANCH_INSIDE] = {"a branch leads into the first bytes", use_imports},
    [RD_CALL_INSIDE] = {"a call returns into the first bytes", use_imports},
    [RD_LANDING_PAD] = {"the entry must stay a landing pad", use_imports},
    [RD_OTHER_PROCESSOR] = {"code of another processor", use_imports},
    [RD_HOOKED] = {"already hooked by somebody else", ask_other_hook},
    [RD_UNPROVEN] = {"too complex to be proven safe", use_imports},
    [RD_SHARED_CODE] = {"shares its code with another function", use_imports},
    [RD_ALREADY_PLANNED] = {"same address as another name", ""},
    [RD_NO_RELAY] = {"no free memory within reach of a jump", use_imports},
    [RD_PROTECT_REFUSED] = {"the system refuses changes of code",
                            "A process mitigation (arbitrary code guard) is on; "
                            "MIMALLOC_REDIRECT_MODE=imports works with it."},
    [RD_WRITE_FAILED] = {"the written bytes did not stay", use_imports},
    [RD_THREAD_INSIDE] = {"a thread does not leave the first bytes",
                          "Load the allocator before other threads run."},
    [RD_BAD_MODULE] = {"damaged module headers",
                       "Another product may have changed them in memory."},
    [RD_NO_HEAP_EXPORTS] = {"no heap functions among its exports", ""},
    [RD_TOO_MANY] = {"more runtimes or threads than can be handled",
                     "Load the allocator when the program starts, and name fewer runtimes in "
                     "MIMALLOC_REDIRECT_CRT."},
    [RD_SELF_TEST_FAILED] = {"the self-test failed",
                             "Please report it with the output of MIMALLOC_VERBOSE=2."},
    [RD_IMPORTS_REFUSED] = {"the system refuses changes of import tables",
                            "Another product (security software, copy protection) guards the "
                            "process's memory."},
    [RD_NOT_SELECTED] = {"not asked for",
                         "Name it in MIMALLOC_REDIRECT_CRT if it shall be redirected."},
    [RD_DISABLED] = {"disabled by the environment", ""}, // the verdict names the variable
    [RD_NO_ALLOCATOR] = {"no allocator DLL is loaded",
                         "Link the program with mimalloc-override.dll, or use minject."},
    [RD_OLD_ALLOCATOR] = {"the allocator DLL lacks needed functions",
                          "Use mimalloc-override.dll and mimalloc-redirect.dll of one release."},
    [RD_NO_RUNTIME] = {"the program imports no C runtime DLL",
                       "A static runtime stays as it is: link the program with /MD. If its DLLs "
                       "use a runtime of their own, name that in MIMALLOC_REDIRECT_CRT."},
    [RD_TURNED_OFF] = {"turned off by mi_redirect_disable",
                       "mi_redirect_enable turns it on again."},
};

static const status_text_t *text_of(rd_status_t status)
{
    static const status_text_t unknown = {"unknown reason", ""};
    unsigned index = (unsigned)status;
    return index < RD_STATUS_COUNT && texts[index].text != 0 ? &texts[index] : &unknown;
}

const char *rd_status_text(rd_status_t status)
{
    return text_of(status)->text;
}

const char *rd_status_advice(rd_status_t status)
{
    return text_of(status)->advice;
}
