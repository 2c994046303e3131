// SPDX-License-Identifier: MIT
// Threads that halt at some instruction of a module, to be killed there. The first byte of chosen
// instructions is exchanged for one that programs may not execute; a thread that comes there stays in
// the exception handler, in user code, where it holds nothing of the system's. Nobody is suspended:
// in Wine 8 a 32-bit thread that is suspended at the end of a system call may lose its register fs.
// ARM64: no such byte; there a thread is suspended again and again until it is in the module.
#pragma once

#include <stdbool.h>
#include <windows.h>

enum { HALTS_MAX = 8 }; // threads at a time

// Finds the instructions that can be reached from the exports named, up to a NULL. False: not there.
bool halt_prepare(const char *module, const char *const *exports);

// A thread says which one it is, before it is to be halted.
void halt_enroll(unsigned index);

// Returns when all of the enrolled threads have halted, which must go on using the module; nobody
// else may meanwhile, until halt_end.
void halt_all(const HANDLE *threads, unsigned count, unsigned seed);

// After they have been killed: the code is as before.
void halt_end(void);
