// SPDX-License-Identifier: MIT
// The pipeline of main.c without its files and messages.
#include "inject.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

mj_options_t options_of(const char *first, ...)
{
    char *arguments[16] = {NULL};
    char texts[16][64];
    int count = 1;
    va_list list;
    mj_options_t options;
    va_start(list, first);
    for (const char *text = first; text != NULL && count < 15; text = va_arg(list, const char *)) {
        size_t length = strlen(text) < 63 ? strlen(text) : 63;
        memcpy(texts[count], text, length);
        texts[count][length] = '\0';
        arguments[count] = texts[count];
        count++;
    }
    va_end(list);
    texts[0][0] = '\0';
    arguments[0] = texts[0];
    arguments[count++] = texts[0]; // the file's name, which the pure part never looks at
    if (mj_args_parse(count, arguments, &options) != MJ_OK)
        abort();
    options.path = "made.exe";
    return options;
}

static const char *check_second_run(const injected_t *injected, const mj_options_t *options)
{
    pe_view_t view;
    mj_facts_t facts;
    mj_plan_t plan;
    if (pe_view_init(&view, injected->bytes, injected->size, PE_LAYOUT_FILE) != PE_OK ||
        mj_facts_gather(&view, &facts) != PE_OK)
        return "the result cannot be read";
    mj_status_t status = mj_plan_make(&view, &facts, options, &plan);
    mj_plan_free(&plan);
    return status == MJ_ALREADY ? NULL : "a second run would change the result";
}

static const char *check_removal(const injected_t *injected, const uint8_t *original, uint32_t size)
{
    pe_view_t view;
    uint32_t restored = 0;
    const char *broken = NULL;
    uint8_t *copy = malloc(injected->size);
    if (copy == NULL)
        return "no memory";
    memcpy(copy, injected->bytes, injected->size);
    if (pe_view_init(&view, copy, injected->size, PE_LAYOUT_FILE) != PE_OK ||
        mj_record_restore(&view, copy, &restored) != MJ_OK)
        broken = "the original cannot be restored";
    else if (restored != size || memcmp(copy, original, size) != 0)
        broken = "the restored file is not the original";
    free(copy);
    return broken;
}

// What output.c does with files.
static void rewrite(injected_t *injected, const uint8_t *bytes, uint32_t size)
{
    const char *what = NULL;
    mj_seal_t seal;
    injected->size = injected->plan.new_size;
    injected->bytes = malloc(injected->size);
    if (injected->bytes == NULL)
        abort();
    // Stale bytes in the new part must not show.
    memset(injected->bytes + size, 0xa5, injected->size - size);
    memcpy(injected->bytes, bytes, size);
    mj_rewrite(injected->bytes, &injected->plan);
    mj_seal_begin(&seal, injected->bytes, &injected->plan);
    for (uint32_t off = 0; off < size; off += 0x1337)
        mj_seal_take(&seal, bytes + off, size - off < 0x1337 ? size - off : 0x1337);
    mj_seal_end(&seal, injected->bytes);
    injected->status = mj_verify(injected->bytes, &injected->plan, &seal, &what);
    injected->broken = what;
}

static const char *check_checksum(const injected_t *injected)
{
    uint32_t off = injected->plan.checksum_off;
    uint32_t checksum;
    if (off == 0)
        return NULL;
    memcpy(&checksum, injected->bytes + off, sizeof checksum);
    return checksum == mj_pe_checksum(injected->bytes, injected->size, off)
               ? NULL
               : "the checksum is wrong";
}

injected_t inject_bytes(const uint8_t *bytes, uint32_t size, const mj_options_t *options)
{
    return inject_up_to(bytes, size, options, UINT32_MAX);
}

injected_t inject_up_to(const uint8_t *bytes, uint32_t size, const mj_options_t *options,
                        uint32_t limit)
{
    injected_t injected = {.status = MJ_BAD_IMAGE};
    pe_view_t view;
    mj_facts_t facts;
    injected.pe_status = pe_view_init(&view, bytes, size, PE_LAYOUT_FILE);
    if (injected.pe_status == PE_OK)
        injected.pe_status = mj_facts_gather(&view, &facts);
    if (injected.pe_status != PE_OK)
        return injected;
    injected.status = mj_plan_make(&view, &facts, options, &injected.plan);
    if (injected.status == MJ_OK && injected.plan.new_size > limit)
        injected.status = MJ_NO_MEMORY;
    if (injected.status == MJ_OK)
        rewrite(&injected, bytes, size);
    mj_plan_free(&injected.plan);
    if (injected.status == MJ_OK)
        injected.broken = check_second_run(&injected, options);
    if (injected.status == MJ_OK && injected.broken == NULL)
        injected.broken = check_removal(&injected, bytes, size);
    if (injected.status == MJ_OK && injected.broken == NULL)
        injected.broken = check_checksum(&injected);
    return injected;
}

void injected_free(injected_t *injected)
{
    free(injected->bytes);
    injected->bytes = NULL;
}
