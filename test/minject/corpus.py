# SPDX-License-Identifier: MIT
"""minject on real files: every file is rewritten or refused with a reason, and for each result an
independent reader (llvm-readobj) sees what was promised.

    corpus.py MINJECT [--every N] PATH...

takes the .exe, .dll and other PE files at and below each PATH (every Nth of those that follow) and
checks:
  * exit status 0, or 3 or 4 with a message that names the file and a reason;
  * llvm-readobj warns of nothing in the result that it did not warn of in the original;
  * the imports are ours and then the original ones, in order; the sections are the original ones,
    with one more or with a longer last one;
  * outside of the headers the original bytes are all at their places;
  * a second run changes nothing; --remove gives the original back."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

FAILURES = []


def fail(path, what):
    FAILURES.append(path)
    print("%s: %s" % (path, what))


def is_pe(path):
    with open(path, "rb") as file:
        return file.read(2) == b"MZ"


def files_below(path):
    if os.path.isfile(path):
        return [path]
    found = []
    for folder, _, names in os.walk(path):
        found += [os.path.join(folder, name) for name in names]
    return sorted(name for name in found if os.path.isfile(name) and is_pe(name))


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False,
                          stdin=subprocess.DEVNULL)


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Listing:
    """What llvm-readobj tells of a file."""

    def __init__(self, path):
        result = run("llvm-readobj-19", "--file-headers", "--sections", "--coff-imports", path)
        self.warnings = result.stderr.replace(path, "FILE")
        self.is_read = result.returncode == 0
        text = result.stdout
        blocks = re.findall(r"^Import \{\n(.*?)^\}", text, re.M | re.S)
        self.imports = [re.sub(r"Import(Lookup|Address)TableRVA: 0x0\n", "", block)
                        for block in blocks]
        self.names = [re.search(r"Name: (.*)", block).group(1) for block in blocks]
        self.sections = re.findall(r"^    Name: (\S*)", text, re.M)
        raw = [int(value, 16) for value in re.findall(r"PointerToRawData: (0x\w+)", text)]
        self.first_raw = min([value for value in raw if value] or [0])


def check_bytes(path, before, after, first_raw):
    """Everything behind the headers is where it was, but for the comment's length of a zip archive."""
    after = bytearray(after[:len(before)])
    record = before.rfind(b"PK\5\6")
    if record >= 0 and after[record:record + 20] == before[record:record + 20]:
        after[record + 20:record + 22] = before[record + 20:record + 22]
    if after[first_raw:] != before[first_raw:]:
        fail(path, "bytes behind the headers changed")


def check_result(path, result):
    old, new = Listing(path), Listing(result)
    if not new.is_read and old.is_read:
        fail(path, "llvm-readobj cannot read the result")
    if new.warnings != old.warnings:
        fail(path, "new warnings: " + new.warnings)
    if new.names != ["mimalloc-override.dll"] + old.names:
        fail(path, "imports are %s" % new.names)
    elif new.imports[1:] != old.imports:
        fail(path, "an original import changed")
    if new.sections not in (old.sections, old.sections + [".minject"]):
        fail(path, "sections are %s" % new.sections)
    check_bytes(path, read(path), read(result), max(old.first_raw, 0x400))


def check_second_run(minject, path, result):
    before = read(result)
    again = run(minject, "--inplace", result)
    if again.returncode != 0 or "already" not in again.stdout or read(result) != before:
        fail(path, "a second run says: %s%s" % (again.stdout, again.stderr))


def check_removal(minject, path, result):
    removed = run(minject, "--inplace", "--remove", result)
    if removed.returncode != 0 or read(result) != read(path):
        fail(path, "--remove says: %s%s" % (removed.stdout, removed.stderr))


def check_file(minject, path, folder, reasons):
    copy = os.path.join(folder, "copy.exe")
    result = os.path.join(folder, "copy-mi.exe")
    shutil.copyfile(path, copy)
    made = run(minject, "--verbose", copy)
    if made.returncode in (3, 4):
        reason = made.stderr.split("\n")[0].partition("copy.exe: ")[2]
        if not reason or os.path.exists(result) or read(copy) != read(path):
            fail(path, "refused without a reason, or touched: " + made.stderr)
        reasons[reason] = reasons.get(reason, 0) + 1
        return
    if made.returncode != 0:
        fail(path, "exit status %d: %s" % (made.returncode, made.stderr))
        return
    if "already in front" in made.stdout:
        reasons["already in front"] = reasons.get("already in front", 0) + 1
        return
    room = re.search(r"import table in (.*)", made.stdout).group(1)
    reasons["rewritten: " + room] = reasons.get("rewritten: " + room, 0) + 1
    check_result(path, result)
    check_second_run(minject, path, result)
    check_removal(minject, path, result)
    os.remove(result)


def main(arguments):
    minject, every, files = arguments[0], 1, []
    rest = iter(arguments[1:])
    for argument in rest:
        if argument == "--every":
            every = int(next(rest))
            continue
        found = files_below(argument)
        if not found:
            sys.exit("corpus: no program at %s; bin/setup fetches them" % argument)
        files += found[::every]
    if not files:
        sys.exit("corpus: no path given")
    reasons = {}
    with tempfile.TemporaryDirectory() as folder:
        for path in files:
            check_file(minject, path, folder, reasons)
    for reason in sorted(reasons):
        print("%6d %s" % (reasons[reason], reason))
    print("%d files, %d failed" % (len(files), len(set(FAILURES))))
    return 1 if FAILURES else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
