// SPDX-License-Identifier: MIT
// Reads instructions as hexadecimal lines and prints the length that the decoder finds for each,
// 0 for unknown. The argument is the width of the code, 32 or 64. For decoder_against_llvm.py.
#include "redirect/decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    char line[256];
    bool is_64 = argc > 1 && strcmp(argv[1], "64") == 0;
    while (fgets(line, sizeof line, stdin) != NULL) {
        uint8_t code[16] = {0};
        size_t count = 0;
        char *at = line;
        for (char *end; count < sizeof code; at = end) {
            unsigned long byte = strtoul(at, &end, 16);
            if (end == at)
                break;
            code[count++] = (uint8_t)byte;
        }
        rd_insn_t insn;
        printf("%u\n", rd_decode(code, sizeof code - 1, is_64, &insn) ? insn.length : 0u);
    }
    return 0;
}
