#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""arm64_against_llvm.py DECODE_LINES DLL...

Disassembles each DLL's A64 code with llvm-objdump and has DECODE_LINES say of each distinct word where
control goes, what it is relative to and how far that is; then the same of many made words, of which
most are no instructions at all. Both must agree wherever LLVM knows the word."""
import random
import re
import subprocess
import sys

LINE = re.compile(r"^ *([0-9a-f]+): ([0-9a-f]{8}) +\t(\S+)(?:\t(.*))?$")
TARGET = re.compile(r"0x([0-9a-f]+)(?: <.*>)?$")
NEXT, BRANCH, JUMP, CALL, END = range(5)
PLAIN, B, BL, B_COND, TBZ, ADR, ADRP, LITERAL = range(8)
# Mnemonic -> flow and form; everything else goes on behind itself and is not relative.
KNOWN = {"b": (JUMP, B), "bl": (CALL, BL), "cbz": (BRANCH, B_COND), "cbnz": (BRANCH, B_COND),
         "tbz": (BRANCH, TBZ), "tbnz": (BRANCH, TBZ), "adr": (NEXT, ADR), "adrp": (NEXT, ADRP)}
CALLS = re.compile(r"^blr(aa|ab)?z?$")
ENDS = re.compile(r"^(br(aa|ab)?z?|ret(aa|ab)?|eret(aa|ab)?|drps|brk|hlt)$")
LOADS = ("ldr", "ldrsw", "prfm")
# Scalable vectors and matrices, on purpose unknown: the group of the word's bits 25 to 28.
LEFT_OUT = (0, 2)
MADE_COUNT = 20000


def expected(address, mnemonic, operands):
    """Flow, form and distance as the disassembler's text has them."""
    match = TARGET.search(operands)
    if mnemonic in KNOWN:
        flow, form = KNOWN[mnemonic]
    elif re.match(r"^bc?\.", mnemonic):
        flow, form = BRANCH, B_COND
    elif mnemonic in LOADS and match and "[" not in operands:
        flow, form = NEXT, LITERAL
    elif CALLS.match(mnemonic):
        flow, form = CALL, PLAIN
    elif ENDS.match(mnemonic):
        flow, form = END, PLAIN
    else:
        flow, form = NEXT, PLAIN
    if form == PLAIN:
        return flow, form, 0
    base = address & ~0xFFF if form == ADRP else address
    distance = (int(match.group(1), 16) - base + (1 << 63)) % (1 << 64) - (1 << 63)
    return flow, form, distance


def disassembly(command):
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = {}
    for row in text.splitlines():
        match = LINE.match(row)
        if match and match.group(3) not in ("<unknown>", "udf"):
            found.setdefault(match.group(2), (int(match.group(1), 16), match.group(3),
                                              (match.group(4) or "").split("//")[0].strip()))
    return found


def made_words(folder):
    """Words of all kinds as an object file, so that they are disassembled in the same way."""
    rng = random.Random(1)
    fixed = [0x14000000, 0x94000000, 0x54000000, 0x34000000, 0x36000000, 0xD6000000, 0xD4000000,
             0x10000000, 0x18000000, 0xD5032000]
    words = [rng.getrandbits(32) for _ in range(MADE_COUNT)]
    words += [base | rng.getrandbits(24) for base in fixed for _ in range(MADE_COUNT // 50)]
    source, target = folder + "/made.s", folder + "/made.o"
    with open(source, "w", encoding="ascii") as file:
        file.write(".text\n" + "".join(".inst 0x%08x\n" % word for word in words))
    subprocess.run(["llvm-mc-19", "--triple=aarch64-windows", "--filetype=obj", source, "-o",
                    target], check=True)
    return target


def compare(tool, name, found, least):
    words = sorted(word for word in found if (int(word, 16) >> 25) & 15 not in LEFT_OUT)
    told = subprocess.run([tool, "arm64"], input="\n".join(words) + "\n", capture_output=True,
                          text=True, check=True).stdout.splitlines()
    wrong = 0
    for word, line in zip(words, told):
        wanted = "%d %d %d" % expected(*found[word])
        if line != wanted:
            wrong += 1
            print("%s: %s (%s %s): %s, expected %s" % ((name, word) + found[word][1:] +
                                                       (line, wanted)))
    print("%s: %d words" % (name, len(words)))
    if len(words) < least or len(words) != len(told):
        sys.exit("%s: too few instructions were compared" % name)
    return wrong


def main(tool, folder, paths):
    objdump = ["llvm-objdump-19", "-d", "--mattr=+all"]
    wrong = compare(tool, "made words", disassembly(objdump + [made_words(folder)]), 8000)
    for path in paths:
        wrong += compare(tool, path, disassembly(objdump + [path]), 1000)
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
