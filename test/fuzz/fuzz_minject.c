// SPDX-License-Identifier: MIT
// Property: a file is refused, or it is rewritten, passes verification, is not changed by a second
// run, and gives the original back byte for byte. --list and --check end too. One that claims to be
// injected gives the original that its record has the hash of, or stays as it is. The last byte
// chooses the options.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "inject.h"
#include "minject/check.h"

// How many inputs got how far, told at the end: a total of executions means little alone.
static struct {
    unsigned long long damaged;
    unsigned long long refused;
    unsigned long long rewritten;
} counts;

static void tell_counts(void)
{
    printf("%llu damaged, %llu refused, %llu rewritten and restored\n", counts.damaged,
           counts.refused, counts.rewritten);
}

static void count(mj_status_t status)
{
    if (counts.damaged + counts.refused + counts.rewritten == 0)
        atexit(tell_counts);
    counts.damaged += status == MJ_BAD_IMAGE;
    counts.refused += status != MJ_BAD_IMAGE && status != MJ_OK;
    counts.rewritten += status == MJ_OK;
}

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

// As main.c does with every input: one that claims to be injected is taken back first, or refused.
static void restore(const uint8_t *data, size_t size)
{
    pe_view_t view;
    mj_record_t record;
    uint32_t blob_off;
    uint32_t restored = 0;
    if (pe_view_init(&view, data, size, PE_LAYOUT_FILE) != PE_OK ||
        mj_record_find(&view, &record, &blob_off) == MJ_NOT_INJECTED)
        return;
    uint8_t *copy = malloc(size);
    if (copy == NULL)
        return;
    memcpy(copy, data, size);
    view.base = copy;
    mj_status_t status = mj_record_restore(&view, copy, &restored);
    if (status == MJ_OK ? restored > size || mj_hash(copy, restored) != record.original_hash
                        : memcmp(copy, data, size) != 0)
        abort();
    free(copy);
}

// Parsed once: a fuzzer lives from speed.
static const mj_options_t *options_for(unsigned choice)
{
    static mj_options_t options[4];
    static bool is_made;
    if (!is_made) {
        options[0] = options_of(NULL);
        options[1] = options_of("--force", NULL);
        options[1].is_json = true; // for the printing
        options[2] = options_of("--dll=a.dll", "--dll=ntdll.dll:x", "--verbose", NULL);
        options[3] = options_of("--force", "--dll=KERNEL32.dll", NULL);
        is_made = true;
    }
    return &options[choice];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 0x80000)
        return 0;
    // Zeros that the headers ask for make a result large, and memory slow: seldom.
    bool is_large = data[size - 1] >= 0xfc;
    const mj_options_t *options = options_for(data[size - 1] & 3);
    if ((data[size - 1] & 4) == 0)
        print(data, size, options);
    restore(data, size);
    injected_t injected =
        inject_up_to(data, (uint32_t)size, options, is_large ? 0x5000000 : 0x20000);
    if (injected.broken != NULL) {
        fprintf(stderr, "broken: %s\n", injected.broken);
        abort();
    }
    count(injected.status);
    injected_free(&injected);
    return 0;
}
