# SPDX-License-Identifier: MIT
"""The product's headers claim the protections that the code was built for.

    hardening.py FILE WANTED...    of dynamic-base, nx, high-entropy, no-seh, guard, shadow-stacks

Each of WANTED must be claimed, and of the others only what a linker adds by itself."""
import sys

import tree

FLAGS = {"high-entropy": 0x20, "dynamic-base": 0x40, "nx": 0x100, "no-seh": 0x400, "guard": 0x4000}
OF_LINKERS = 0x8000 # for terminal servers
DEBUG_DIRECTORY, LOAD_CONFIG = 6, 10
EXTENDED_CHARACTERISTICS, SHADOW_STACKS = 20, 1
GUARD_TABLE_IS_PRESENT = 0x400


class Image:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = file.read()
        self.optional = self.number(0x3C) + 24
        self.is_plus = self.number(self.optional, 2) == 0x20B

    def number(self, off, size=4):
        return int.from_bytes(self.bytes[off:off + size], "little")

    def directory(self, index):
        """(file offset, size)"""
        at = self.optional + (112 if self.is_plus else 96) + 8 * index
        rva, size = self.number(at), self.number(at + 4)
        first = self.optional + self.number(self.optional - 4, 2)
        for at in range(first, first + 40 * self.number(self.optional - 18, 2), 40):
            start = self.number(at + 12)
            if rva != 0 and start <= rva < start + self.number(at + 16):
                return rva - start + self.number(at + 20), size
        return 0, 0

    def has_shadow_stacks(self):
        start, size = self.directory(DEBUG_DIRECTORY)
        return any(self.number(at + 12) == EXTENDED_CHARACTERISTICS and
                   self.number(self.number(at + 24)) & SHADOW_STACKS
                   for at in range(start, start + size, 28))

    def guard_count(self):
        """How many targets the table has that the loader is told of; 64 bits only."""
        start, _ = self.directory(LOAD_CONFIG)
        if start == 0 or not self.number(start + 0x90) & GUARD_TABLE_IS_PRESENT:
            return 0
        return self.number(start + 0x88, 8)


def problems_of(path, wanted):
    image = Image(path)
    flags = image.number(image.optional + 70, 2)
    claimed = {name for name, bit in FLAGS.items() if flags & bit}
    if image.has_shadow_stacks():
        claimed.add("shadow-stacks")
    if claimed != wanted or flags & ~(OF_LINKERS | sum(FLAGS.values())):
        yield "%s claims %s (0x%x); expected: %s" % (path, sorted(claimed), flags, sorted(wanted))
    if "guard" in wanted and image.guard_count() < 100:
        yield "%s lists %d targets for the guard" % (path, image.guard_count())


def main(path, *wanted):
    tree.finish("hardening", 1, list(problems_of(path, set(wanted))))


main(*sys.argv[1:])
