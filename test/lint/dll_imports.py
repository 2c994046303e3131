# SPDX-License-Identifier: MIT
"""A DLL imports from the expected DLLs, in the expected order, and from no other.

    dll_imports.py FILE.dll NAME...    a NAME in [brackets] may be absent

The order matters: the loader starts what is imported first first."""
import re
import subprocess
import sys

import tree


def imported(path):
    text = subprocess.check_output(["llvm-readobj-19", "--coff-imports", path], text=True)
    # Each import block begins with the DLL's name, indented once.
    return re.findall(r"^(?:Delay)?Import \{\n  Name: (\S+)", text, re.MULTILINE)


def problems_of(path, expected):
    found = [name.lower() for name in imported(path)]
    wanted = [name.strip("[]").lower() for name in expected]
    required = [name.lower() for name in expected if not name.startswith("[")]
    if [name for name in wanted if name in found] != found or not set(required) <= set(found):
        yield "%s imports from %s; expected: %s" % (path, ", ".join(found), ", ".join(expected))


def main(path, *expected):
    tree.finish("dll_imports", 1, list(problems_of(path, expected)))


main(*sys.argv[1:])
