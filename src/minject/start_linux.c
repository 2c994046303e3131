// SPDX-License-Identifier: MIT
// The entry point where a C runtime calls it.
#include "minject/main.h"

int main(int argc, char **argv)
{
    return mj_main(argc, argv);
}
