// SPDX-License-Identifier: MIT
// Property: a file is refused, or it is rewritten, passes verification, is not changed by a second
// run, and gives the original back byte for byte. The last byte chooses the options.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "inject.h"

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
    injected_t injected = inject_bytes(data, (uint32_t)size, &options);
    if (injected.broken != NULL) {
        fprintf(stderr, "broken: %s\n", injected.broken);
        abort();
    }
    injected_free(&injected);
    return 0;
}
