// SPDX-License-Identifier: MIT
// The program behind both homes' entry points (start_linux.c, start_windows.c).
#pragma once

// Runs the command line (argv[0] is ignored, the rest is UTF-8) and gives the exit code.
int mj_main(int argc, char **argv);
