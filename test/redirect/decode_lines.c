// SPDX-License-Identifier: MIT
// Reads instructions as hexadecimal lines and prints what the decoder finds for each. The argument
// is the code's kind: 32 or 64 (the length, 0 for unknown) or arm64 (flow, form and distance, or
// "unknown"). For decoder_against_llvm.py.
#include "redirect/decode_arm64.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_arm64(const char *line)
{
    rd_arm64_insn_t insn;
    if (rd_decode_arm64((uint32_t)strtoul(line, NULL, 16), &insn))
        printf("%d %d %lld\n", insn.flow, insn.form, (long long)insn.distance);
    else
        printf("unknown\n");
}

int main(int argc, char **argv)
{
    char line[256];
    bool is_64 = argc > 1 && strcmp(argv[1], "64") == 0;
    bool is_arm64 = argc > 1 && strcmp(argv[1], "arm64") == 0;
    while (is_arm64 && fgets(line, sizeof line, stdin) != NULL)
        print_arm64(line);
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
