// SPDX-License-Identifier: MIT
// A user's program that calls the allocator by its own names.
#include <mimalloc.h>

#include <stdio.h>

int main(void)
{
    void *block = mi_malloc(1000);
    int is_ours = block != NULL && mi_is_in_heap_region(block);
    mi_free(block);
    printf("version %d, %s\n", mi_version(), is_ours ? "ours" : "not ours");
    return is_ours ? 0 : 1;
}
