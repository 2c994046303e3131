// SPDX-License-Identifier: MIT
// A user's program that only links the allocator: it must be in the process all the same.
#include <stdio.h>
#include <string.h>

#if defined(_WIN32)
#include <windows.h>

static int is_there(void)
{
    return GetModuleHandleA("mimalloc-override.dll") != NULL;
}
#else
static int is_there(void)
{
    char row[512];
    int found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps != NULL && fgets(row, sizeof row, maps) != NULL)
        found |= strstr(row, "libmimalloc-override.so") != NULL;
    if (maps != NULL)
        fclose(maps);
    return found;
}
#endif

int main(void)
{
    puts(is_there() ? "there" : "not there");
    return is_there() ? 0 : 1;
}
