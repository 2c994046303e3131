# SPDX-License-Identifier: MIT
"""Each header compiles when it is the only one included: as C11, those of include/ as C++ too, natively
and for Windows. Headers that are the border to Windows are compiled for Windows only."""
import concurrent.futures
import os
import re
import subprocess

import tree

WARNINGS = ["-Wall", "-Wextra", "-Wundef", "-Werror", "-Wno-unused-function",
            "-Wno-unused-const-variable"]
WINDOWS = ["clang-19", "--target=x86_64-w64-mingw32", "-std=c11", "-xc", "-D_WIN32_WINNT=0x0A00"]
WINDOWS_CXX = ["clang++-19", "--target=x86_64-w64-mingw32", "-std=c++17", "-xc++"]


def needs_windows(name):
    """True if the header includes windows.h, itself or through another of ours."""
    for row in tree.lines(name):
        match = re.match(r'#include ([<"])([^">]+)', row)
        if match and match.group(2) == "windows.h":
            return True
        path = "src/" + match.group(2) if match else ""
        if match and os.path.isfile(os.path.join(tree.ROOT, path)) and needs_windows(path):
            return True
    return False


def commands(name):
    if not needs_windows(name):
        yield ["gcc", "-std=c11", "-xc"]
    yield WINDOWS
    if name.startswith("include/"):
        yield ["g++", "-std=c++17", "-xc++"]
        yield ["g++", "-std=c++11", "-xc++"]
        yield WINDOWS_CXX


def compile_alone(job):
    name, command = job
    path = name.split("/", 1)[1]
    result = subprocess.run(
        command + WARNINGS + ["-fsyntax-only", "-Isrc", "-Iinclude", "-"], cwd=tree.ROOT,
        input='#include "%s"\n' % path, text=True, capture_output=True, check=False)
    if result.returncode == 0:
        return None
    return "%s: does not compile alone (%s)\n%s" % (name, command[0], result.stderr)


def main():
    names = [name for name in tree.c_files("src", "include") if name.endswith(".h")]
    jobs = [(name, command) for name in names for command in commands(name)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        problems = [problem for problem in pool.map(compile_alone, jobs) if problem]
    tree.finish("headers", len(names), problems)


main()
