#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_imports.py FOLDER [DLLTOOL]

Makes import libraries for ARM64 programs: libNAME.a for what Wine's DLLs of that name export on x64, as
a test program may use any of it. The heap functions are taken from the name that Microsoft's linker
takes them from."""
import os
import re
import subprocess
import sys

WINE = "/usr/lib/x86_64-linux-gnu/wine/x86_64-windows"
HEAP_SET = "api-ms-win-crt-heap-l1-1-0"
HEAP = re.compile(r"^(malloc|calloc|realloc|free|_msize|_expand|_recalloc|_callnewh"
                  r"|_(malloc|calloc|realloc|free)_base|_aligned_\w+|_(query|set)_new_(mode|handler)"
                  r"|_get_heap_handle|_heap(min|chk|walk))$")
# The program's own (arm64_start.c).
LEFT_OUT = {"longjmp", "_setjmp", "_setjmpex", "__intrinsic_setjmp", "__intrinsic_setjmpex"}
NAME = re.compile(r"^ *Name: (\S+)$", re.M)


def exports(dll):
    text = subprocess.run(["llvm-readobj-19", "--coff-exports", os.path.join(WINE, dll + ".dll")],
                          capture_output=True, text=True, check=True).stdout
    return set(NAME.findall(text)) - LEFT_OUT


def make(folder, tool, library, dll, names):
    path = os.path.join(folder, library + ".def")
    with open(path, "w", encoding="ascii") as file:
        file.write("LIBRARY %s.dll\nEXPORTS\n" % dll)
        file.write("".join("    %s\n" % name for name in sorted(names)))
    subprocess.run([tool, "-m", "arm64", "-d", path, "-l",
                    os.path.join(folder, "lib%s.a" % library)], check=True)


def main(folder, tool="llvm-dlltool-19"):
    os.makedirs(folder, exist_ok=True)
    runtime = exports("ucrtbase")
    heap = set(filter(HEAP.match, runtime))
    make(folder, tool, "ucrt_heap", HEAP_SET, heap)
    make(folder, tool, "ucrt_rest", "ucrtbase", runtime - heap)
    for dll in ("kernel32", "ntdll"):
        make(folder, tool, "full_" + dll, dll, exports(dll))


if __name__ == "__main__":
    main(*sys.argv[1:])
