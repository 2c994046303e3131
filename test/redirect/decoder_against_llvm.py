#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""decoder_against_llvm.py DECODE_LINES DLL...

Disassembles each DLL with llvm-objdump and has DECODE_LINES measure each distinct instruction. The
lengths must agree. What the decoder does not know is allowed where compilers do not put it."""
import re
import subprocess
import sys

LINE = re.compile(r"^ *[0-9a-f]+: ([0-9a-f ]+)\t(.*)$")
# A prefix without an instruction is a disassembler's way to go on in data; salc is not for compilers.
IGNORED = re.compile(r"^(<unknown>|lock$|rep$|repne$|xacquire$|xrelease$|data16$|addr16$|cs$|ds$"
                     r"|.*\bsalc$)")


def width_of(path):
    with open(path, "rb") as file:
        head = file.read(4096)
    at = int.from_bytes(head[0x3C:0x40], "little")
    return {0x8664: "64", 0x14C: "32"}[int.from_bytes(head[at + 4:at + 6], "little")]


def instructions(path):
    text = subprocess.run(["llvm-objdump-19", "-d", path], capture_output=True, text=True,
                          check=True).stdout
    found = {}
    for line in text.splitlines():
        match = LINE.match(line)
        if match and not IGNORED.search(match.group(2).strip()):
            found[match.group(1).strip()] = match.group(2).strip()
    return found


def main(tool, paths):
    wrong = 0
    for path in paths:
        found = instructions(path)
        codes = sorted(found)
        lengths = subprocess.run([tool, width_of(path)], input="\n".join(codes) + "\n",
                                 capture_output=True, text=True, check=True).stdout.split()
        for code, length in zip(codes, lengths):
            if int(length) != len(code.split()):
                wrong += 1
                print("%s: %s (%s): measured %s" % (path, code, found[code], length))
        print("%s: %d encodings" % (path, len(codes)))
        if len(codes) < 1000 or len(codes) != len(lengths):
            sys.exit("%s: too few instructions were compared" % path)
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
