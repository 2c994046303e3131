// SPDX-License-Identifier: MIT
// A DLL that is started before the redirect, as security products and shims are: it allocates with
// the runtime, keeps the blocks, and uses and frees them long after the runtime was redirected.
#include "keeper.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

enum { COUNT = 12 };

static char *blocks[COUNT];
static char *aligned[4];

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved)
{
    (void)instance;
    (void)reserved;
    if (reason != DLL_PROCESS_ATTACH)
        return TRUE;
    for (int i = 0; i < COUNT; i++) {
        blocks[i] = malloc((size_t)64 << (i % 6));
        memset(blocks[i], 'a' + i, 64);
    }
    for (int i = 0; i < 4; i++) {
        aligned[i] = i % 2 == 0 ? _aligned_malloc(200, 64) : _aligned_offset_malloc(200, 64, 20);
        memset(aligned[i], 'A' + i, 200);
    }
    return TRUE;
}

char *keeper_block(void)
{
    return blocks[0];
}

static int use_plain(void)
{
    // Ask, grow, zero-grow, then free: each on its own block.
    if (_msize(blocks[1]) != 128)
        return 1;
    blocks[2] = realloc(blocks[2], 5000);
    if (blocks[2] == NULL || blocks[2][63] != 'a' + 2)
        return 2;
    blocks[3] = _recalloc(blocks[3], 10, 1000);
    if (blocks[3] == NULL || blocks[3][63] != 'a' + 3 || blocks[3][9999] != 0)
        return 3;
    if (_expand(blocks[4], 100) != blocks[4])
        return 4;
    if (realloc(blocks[5], 0) != NULL)
        return 5;
    for (int i = 0; i < COUNT; i++)
        if (i != 5)
            free(blocks[i]);
    return 0;
}

static int use_aligned(void)
{
    aligned[0] = _aligned_realloc(aligned[0], 4000, 64);
    if (aligned[0] == NULL || (uintptr_t)aligned[0] % 64 != 0 || aligned[0][199] != 'A')
        return 10;
    aligned[1] = _aligned_offset_recalloc(aligned[1], 10, 100, 64, 20);
    if (aligned[1] == NULL || ((uintptr_t)aligned[1] + 20) % 64 != 0 || aligned[1][199] != 'B')
        return 11;
    for (int i = 0; i < 4; i++)
        _aligned_free(aligned[i]);
    return 0;
}

int keeper_use_and_free(void)
{
    int status = use_plain();
    return status != 0 ? status : use_aligned();
}
