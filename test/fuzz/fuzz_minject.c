// SPDX-License-Identifier: MIT
// Property: a file is refused, or it is rewritten, passes verification, is not changed by a second
// run, and gives the original back byte for byte. --list and --check end too. The last byte chooses
// the options.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "inject.h"
#include "minject/check.h"

static void print(const uint8_t *data, size_t size, const mj_options_t *options)
{
    pe_view_t view;
    mj_facts_t facts;
    mj_text_t text = {0};
    const mj_neighbour_t neighbours[2] = {{true, PE_MACHINE_AMD64}, {false, 0}};
    if (pe_view_init(&view, data, size, PE_LAYOUT_FILE) == PE_OK &&
        mj_facts_gather(&view, &facts) == PE_OK) {
        (void)mj_list(&view, options, &text);
        (void)mj_check(&view, &facts, options, neighbours, &text);
    }
    mj_text_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const choices[][2] = {{NULL, NULL},
                                             {"--force", NULL},
                                             {"--dll=a.dll", "--dll=ntdll.dll:x"},
                                             {"--force", "--dll=KERNEL32.dll"}};
    // A result needs memory for zeros that the headers ask for; the fuzzer's budget is small.
    if (size == 0 || size > 0x80000)
        return 0;
    unsigned choice = data[size - 1] & 3;
    mj_options_t options = options_of(choices[choice][0], choices[choice][1], NULL);
    print(data, size, &options);
    injected_t injected = inject_bytes(data, (uint32_t)size, &options);
    if (injected.broken != NULL) {
        fprintf(stderr, "broken: %s\n", injected.broken);
        abort();
    }
    injected_free(&injected);
    return 0;
}
