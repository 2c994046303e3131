# SPDX-License-Identifier: MIT
"""A library exports every function that the public headers declare, and no other mi_ name.

    exports.py FILE [REGEX]    FILE: .so, .dll or .a; REGEX: further mi_ names that may be there

In a static library "exported" means: defined, and visible to who links it."""
import json
import re
import subprocess
import sys

import tree

HEADERS = ("mimalloc.h", "mimalloc-stats.h")
# The size of the interface: a header that loses a function is noticed too.
FUNCTION_COUNT = 159


def declared():
    source = "".join('#include "%s"\n' % header for header in HEADERS)
    dump = subprocess.run(
        ["clang-19", "-std=c11", "-xc", "-Iinclude", "-fsyntax-only", "-Xclang", "-ast-dump=json",
         "-"], cwd=tree.ROOT, input=source.encode(), stdout=subprocess.PIPE, check=True).stdout
    return {node["name"] for node in json.loads(dump)["inner"]
            if node["kind"] == "FunctionDecl" and node["name"].startswith("mi_")
            and node.get("storageClass") != "static"}


def exported(path):
    if path.endswith(".dll"):
        text = subprocess.check_output(["llvm-readobj-19", "--coff-exports", path], text=True)
        return set(re.findall(r"^  Name: (\S+)", text, re.MULTILINE))
    command = ["llvm-nm-19", "--defined-only", "--extern-only", "--format=posix", path]
    if path.endswith(".so"):
        command.insert(1, "--dynamic")
    text = subprocess.check_output(command, text=True, stderr=subprocess.DEVNULL)
    return set(re.findall(r"^(\S+) [TW] ", text, re.MULTILINE))


def problems_of(path, further):
    wanted, found = declared(), {name for name in exported(path) if re.match(r"_?mi_", name)}
    if len(wanted) != FUNCTION_COUNT:
        yield "the headers declare %d functions, not %d" % (len(wanted), FUNCTION_COUNT)
    for name in sorted(wanted - found):
        yield "%s does not export %s" % (path, name)
    for name in sorted(found - wanted):
        if not (further and re.fullmatch(further, name)):
            yield "%s exports %s, which no header declares" % (path, name)


def main(path, further=None):
    tree.finish("exports", 1, list(problems_of(path, further)))


main(*sys.argv[1:])
