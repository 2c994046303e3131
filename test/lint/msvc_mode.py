# SPDX-License-Identifier: MIT
"""Every source of the product for Windows compiles in Microsoft's mode (clang-cl) against the headers
of Microsoft's newest SDK, for x64 and ARM64, with warnings as errors.

    msvc_mode.py SDK_INCLUDE_FOLDER

The headers that only Visual Studio has are replaced by those of cmake/msvc."""
import concurrent.futures
import os
import subprocess
import sys
import tempfile

import tree

TARGETS = ("x86_64-pc-windows-msvc", "aarch64-pc-windows-msvc")


def problems_of(job):
    target, source, headers, folder = job
    command = ["clang-cl-19", "--target=" + target, "/nologo", "/c", "/O2", "/W4", "/WX",
               "/clang:-std=c11", "-D_CRT_SECURE_NO_WARNINGS", "-Wno-nonportable-include-path",
               "/Isrc", "/Iinclude", "/Fo" + os.path.join(folder, "%s.obj" % abs(hash(job)))]
    for name in ("cmake/msvc", folder, headers + "/ucrt", headers + "/um", headers + "/shared"):
        command += ["-imsvc", name]
    result = subprocess.run(command + [source], cwd=tree.ROOT, text=True, check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return [] if result.returncode == 0 else [result.stdout or source + ": failed"]


def main(headers):
    sources = [name for name in tree.c_files("src")
               if name.endswith(".c") and not name.endswith("_linux.c")]
    with tempfile.TemporaryDirectory() as folder:
        # winver.h spells a name so, which matters where file names have cases.
        with open(os.path.join(folder, "SpecStrings.h"), "w", encoding="ascii") as spelling:
            spelling.write("#include <specstrings.h>\n")
        jobs = [(target, source, headers, folder) for target in TARGETS for source in sources]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            problems = [text for found in pool.map(problems_of, jobs) for text in found]
    tree.finish("msvc_mode", len(jobs), problems)


main(*sys.argv[1:])
