# SPDX-License-Identifier: MIT
"""Every program that runs here still runs when it is changed: with the same exit status and output.

    programs.py BIN LAUNCHER MACHINE [--every N] PATH...

takes the console programs for MACHINE (x64, x86) at and below each PATH, runs each as it is and changed
by minject.exe, with a DLL in front that says when it is loaded (minject_mark.dll). BIN is the folder of
the Windows build. Programs that do not end by themselves or lack something of Windows are counted, not
compared. Wine loads its own programs from its own folder, whichever copy is started; so they lose, in
both copies, the mark by which it knows them."""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

from corpus import files_below, read

MACHINES = {"x64": 0x8664, "x86": 0x14C}
MARK = "minject_mark: loaded"
SECONDS = "20"
# What starts Wine's machinery anew, or ends it.
LEFT_OUT = {"services.exe", "winedevice.exe", "plugplay.exe", "rpcss.exe", "svchost.exe",
            "wineboot.exe", "shutdown.exe", "conhost.exe", "start.exe", "winedbg.exe",
            "ntoskrnl.exe", "dllhost.exe"}
# The word that makes a program tell something and end.
ARGUMENTS = {"7za.exe": "i", "7z-x64.exe": "i", "7z.exe": "i", "basisu.exe": "-version",
             "ISCC.exe": "/?", "signtool.exe": "/?", "pg_ctl.exe": "--help", "esbuild.exe": "--help"}
TIMED_OUT = 124
MISSING = 53 # the low byte of STATUS_DLL_NOT_FOUND and its like, as Wine gives it


def fields(content):
    """Machine, subsystem and whether it is managed."""
    at = struct.unpack_from("<I", content, 0x3C)[0]
    machine, = struct.unpack_from("<H", content, at + 4)
    magic, = struct.unpack_from("<H", content, at + 24)
    subsystem, = struct.unpack_from("<H", content, at + 24 + 68)
    clr, = struct.unpack_from("<I", content, at + 24 + (96 if magic == 0x10B else 112) + 14 * 8)
    return machine, subsystem, clr != 0


def is_candidate(path, machine):
    if not path.lower().endswith(".exe") or os.path.basename(path) in LEFT_OUT:
        return False
    try:
        return fields(read(path)[:0x1000]) == (MACHINES[machine], 3, False)
    except struct.error:
        return False


def run(launcher, program):
    name = os.path.basename(program)
    done = subprocess.run([launcher, "--timeout=" + SECONDS, program, ARGUMENTS.get(name, "--version")],
                          cwd=os.path.dirname(program), stdin=subprocess.DEVNULL, check=False,
                          capture_output=True)
    text = done.stderr.decode("utf-8", "replace")
    # A number in what it says may be a time or an address.
    return done.returncode, re.sub(rb"[0-9]+", b"0", done.stdout), text


def make_folder(path, folder, mark):
    """The program's folder with the program itself as a file of its own; gives its path."""
    source = os.path.dirname(path)
    is_wines = os.path.basename(source).endswith("-windows")
    for name in [] if is_wines else os.listdir(source):
        os.symlink(os.path.join(source, name), os.path.join(folder, name))
    target = os.path.join(folder, os.path.basename(path))
    if os.path.lexists(target):
        os.unlink(target)
    with open(target, "wb") as file:
        file.write(read(path).replace(b"Wine builtin DLL", b"Some builtin DLL", 1))
    shutil.copy(mark, folder)
    return target


def try_program(path, binaries, launcher, reports):
    with tempfile.TemporaryDirectory() as folder:
        target = make_folder(path, folder, os.path.join(binaries, "minject_mark.dll"))
        before = run(launcher, target)
        if before[0] in (TIMED_OUT, MISSING):
            reports["does not run here"].append(path)
            return
        done = subprocess.run([launcher, os.path.join(binaries, "minject.exe"), "--inplace",
                               "--dll=minject_mark.dll:mi_version", target], capture_output=True,
                              check=False, text=True, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            reports["refused" if done.returncode == 4 else "FAILED"].append(path)
            print("%s: %s" % (path, done.stderr))
            return
        after = run(launcher, target)
    same = after[0] == before[0] and after[1] == before[1] and MARK in after[2] and \
        after[2].replace(MARK, "").split() == before[2].split()
    reports["same" if same else "FAILED"].append(path)
    if not same:
        print("%s: %.300r and %.300r" % (path, before, after))


def main(arguments):
    binaries, launcher, machine = arguments[:3]
    every, files = 1, []
    rest = iter(arguments[3:])
    for argument in rest:
        if argument == "--every":
            every = int(next(rest))
            continue
        files += [path for path in files_below(argument) if is_candidate(path, machine)][::every]
    reports = {"same": [], "refused": [], "does not run here": [], "FAILED": []}
    for path in files:
        try_program(path, binaries, launcher, reports)
    for name, paths in reports.items():
        print("%4d %s%s" % (len(paths), name,
                            "" if name == "same" else ": " + " ".join(map(os.path.basename, paths))))
    # A corpus of which nothing runs proves nothing.
    failed = len(reports["FAILED"]) + (not reports["same"])
    print("%d passed, %d failed" % (len(reports["same"]), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
