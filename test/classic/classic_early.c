// SPDX-License-Identifier: MIT
// The DLL of classic_early.h. The program imports it, so its DllMain runs before main loads the
// allocator. Keep the allocator's names out of it.
#include "classic_early.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>

static early_blocks_t blocks;

static void write_text(char *block)
{
    if (block != NULL)
        memcpy(block, EARLY_TEXT, sizeof EARLY_TEXT);
}

early_blocks_t *early_get_blocks(void)
{
    return &blocks;
}

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, LPVOID reserved)
{
    (void)module;
    (void)reserved;
    if (reason != DLL_PROCESS_ATTACH)
        return TRUE;
    blocks.of_malloc = malloc(64);
    write_text(blocks.of_malloc);
    blocks.of_calloc = calloc(10, 10);
    blocks.of_realloc = realloc(malloc(10), 3000);
    write_text(blocks.of_realloc);
    blocks.of_strdup = _strdup(EARLY_TEXT);
    blocks.of_aligned = _aligned_malloc(500, 128);
    write_text(blocks.of_aligned);
    blocks.of_large = malloc(EARLY_LARGE_SIZE);
    if (blocks.of_large != NULL)
        blocks.of_large[EARLY_LARGE_SIZE - 1] = 'z';
    return TRUE;
}
