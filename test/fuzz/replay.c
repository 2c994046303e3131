// SPDX-License-Identifier: MIT
// Runs a fuzz target as a normal test: over every seed, over many mutations of each (deterministic: the
// generator starts from the seed's number), and over the files named as arguments (former finds).
//
//     test_fuzz_x [--write FOLDER] [--mutations N] [FILE ...]
//
// --write puts the seeds into a folder, as the corpus for libFuzzer.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "pe_seeds.h"
#include "support/make_pe.h"

static uint8_t seed[MAKE_PE_CAPACITY];
static uint64_t executions;

static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

// A copy of the exact size, so that a sanitizer sees a read behind the end.
static void run(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size != 0 ? size : 1);
    if (copy == NULL)
        exit(2);
    memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    executions++;
}

// Most fields that matter lie in the headers and in the section of the imports.
static void mutate(uint8_t *bytes, uint32_t size, uint64_t *state)
{
    static const uint32_t values[] = {0, 1, 0x1000, 0x7fffffff, 0x80000000, 0xffffffff};
    uint64_t choice = next(state);
    uint32_t limit = (choice & 3) != 0 && size > 0xa00 ? 0xa00 : size;
    uint32_t off = (uint32_t)(next(state) % limit);
    if ((choice & 4) != 0 && off + 4 <= size)
        memcpy(bytes + (off & ~3U), &values[choice >> 8 & 3], 4);
    else if ((choice & 8) != 0)
        bytes[off] = (uint8_t)(choice >> 16);
    else
        bytes[off] ^= (uint8_t)(1U << (choice >> 24 & 7));
}

static void run_mutations(uint32_t size, uint32_t index, unsigned count)
{
    static uint8_t changed[MAKE_PE_CAPACITY];
    uint64_t state = 0x9e3779b97f4a7c15U * (index + 1);
    for (unsigned i = 0; i < count; i++) {
        memcpy(changed, seed, size);
        for (uint64_t k = next(&state) % 4; k < 4; k++)
            mutate(changed, size, &state);
        run(changed, next(&state) % 16 == 0 ? next(&state) % size : size);
    }
}

static void write_seed(const char *folder, uint32_t index, uint32_t size)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/seed-%02u", folder, index);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(seed, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        exit(2);
    }
}

static void run_file(const char *path)
{
    static uint8_t bytes[0x100000];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    run(bytes, fread(bytes, 1, sizeof bytes, file));
    fclose(file);
}

int main(int argc, char **argv)
{
    const char *folder = NULL;
    unsigned mutations = 2000;
    int first = 1;
    for (; first + 1 < argc && argv[first][0] == '-'; first += 2) {
        if (strcmp(argv[first], "--write") == 0)
            folder = argv[first + 1];
        else
            mutations = (unsigned)strtoul(argv[first + 1], NULL, 10);
    }
    uint32_t size;
    uint32_t index = 0;
    for (; (size = pe_seed(index, seed)) != 0; index++) {
        if (folder != NULL)
            write_seed(folder, index, size);
        run(seed, size);
        run_mutations(size, index, mutations);
    }
    for (int i = first; i < argc; i++)
        run_file(argv[i]);
    printf("%u seeds, %llu executions, no finding\n", index, (unsigned long long)executions);
    return index == 0;
}
