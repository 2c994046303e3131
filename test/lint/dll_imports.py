# SPDX-License-Identifier: MIT
"""A DLL imports from the expected DLLs, in the expected order, and from no other.

    dll_imports.py FILE.dll NAME...    a NAME in [brackets] may be absent

The order matters: the loader starts what is imported first first."""
import sys

import tree


def imported(path):
    """The names in the import directory, in its order. Without tools, which Windows does not have."""
    with open(path, "rb") as file:
        image = file.read()

    def number(off, size=4):
        return int.from_bytes(image[off:off + size], "little")

    nt = number(0x3C)
    optional = nt + 24
    sections = [optional + number(nt + 20, 2) + 40 * i for i in range(number(nt + 6, 2))]

    def offset_of(rva):
        for at in sections:
            start, size = number(at + 12), max(number(at + 8), number(at + 16))
            if start <= rva < start + size:
                return rva - start + number(at + 20)
        raise SystemExit("%s: nothing at 0x%x" % (path, rva))

    directories = optional + (112 if number(optional, 2) == 0x20B else 96)
    if number(directories + 8 * 13) != 0:
        yield "something delay-loaded"
    descriptor = offset_of(number(directories + 8))
    while number(descriptor + 12) != 0:
        name = offset_of(number(descriptor + 12))
        yield image[name:image.index(b"\0", name)].decode("ascii")
        descriptor += 20


def problems_of(path, expected):
    found = [name.lower() for name in imported(path)]
    wanted = [name.strip("[]").lower() for name in expected]
    required = [name.lower() for name in expected if not name.startswith("[")]
    if [name for name in wanted if name in found] != found or not set(required) <= set(found):
        yield "%s imports from %s; expected: %s" % (path, ", ".join(found), ", ".join(expected))


def main(path, *expected):
    tree.finish("dll_imports", 1, list(problems_of(path, expected)))


main(*sys.argv[1:])
