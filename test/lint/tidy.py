# SPDX-License-Identifier: MIT
"""clang-tidy finds nothing, with the checks of .clang-tidy.

    tidy.py BUILD_FOLDER TOP [WITHOUT_FOLDER]

looks at the files below TOP that BUILD_FOLDER compiles, less those that WITHOUT_FOLDER compiles too:
a Windows build needs to look only at what the native build has not."""
import concurrent.futures
import json
import os
import subprocess
import sys

import tree


def compiled(folder, top):
    try:
        with open(os.path.join(folder, "compile_commands.json")) as file:
            names = {os.path.relpath(entry["file"], tree.ROOT) for entry in json.load(file)}
    except FileNotFoundError:
        return set()
    return {name for name in names if name.startswith(top + "/")}


def look_at(job):
    folder, name = job
    result = subprocess.run(
        ["clang-tidy-19", "--quiet", "-p", folder, "--extra-arg=-Wno-unknown-warning-option",
         "--extra-arg=-Wno-ignored-optimization-argument",
         "--extra-arg=-Wno-unknown-attributes", name],
        cwd=tree.ROOT, text=True, capture_output=True, check=False)
    if result.returncode == 0:
        return None
    return "%s\n%s%s" % (name, result.stdout, result.stderr)


def main(folder, top, without=None):
    names = compiled(folder, top)
    if without:
        names -= compiled(without, top)
    jobs = [(folder, name) for name in sorted(names)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        problems = [problem for problem in pool.map(look_at, jobs) if problem]
    tree.finish("tidy", len(names), problems)


main(*sys.argv[1:])
