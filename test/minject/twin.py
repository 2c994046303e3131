# SPDX-License-Identifier: MIT
"""One code, two homes: minject.exe and the native minject give the same bytes, the same exit status and
the same words for the same file.

    twin.py MINJECT MINJECT_EXE LAUNCHER BIN [--every N] PATH...

MINJECT is the native program, MINJECT_EXE the Windows one, run by LAUNCHER; BIN has minject_made.exe.
Inputs are made files of every peculiarity, damaged ones, and every Nth program and DLL at and below
each PATH. One batch file starts minject.exe for all of them, because a start of the launcher costs more
than a start of minject."""
import os
import shutil
import subprocess
import sys
import tempfile

from corpus import files_below, read

CMD = "/usr/lib/x86_64-linux-gnu/wine/x86_64-windows/cmd.exe"

MADE = [
    [], ["x86"], ["machine=0xaa64"], ["has_lookup=0"], ["has_iat_directory=0"], ["checksum=1"],
    ["has_iat_directory=0", "directory_count=6"], ["directory_count=1"], ["is_bound=1"],
    ["certificate_size=512"], ["overlay_size=5000"], ["junk_after_table=16"],
    ["junk_after_table=16", "nt_off=64"], ["junk_after_table=16", "nt_off=64", "checksum=1"],
    ["junk_after_table=16", "nt_off=64", "last_virtual_size=0x5000"],
    ["extra_sections=1", "nt_off=64", "last_is_code=1"], ["extra_sections=93"],
    ["file_alignment=0x1000"], ["section_alignment=0x200"], ["section_alignment=0x10000"],
    ["headers_size=0x1000"], ["import_size=0"], ["symbols_size=360"], ["export_count=9", "x86"],
    ["load_flags=0x800"], ["clr_flags=1"], ["clr_flags=0x10"], ["subsystem=1"], ["subsystem=10"],
    ["dll_characteristics=0x80"], ["machine=0x1c4"],
]

# name: what is done to the bytes of a plain made file
DAMAGED = {
    "empty": lambda b: b"",
    "text": lambda b: b"a text\r\n",
    "dos": lambda b: b[:0x3C] + b"\0" * 4 + b[0x40:],
    "ne": lambda b: b[:0xC0] + b"NE" + b[0xC2:],
    "cut in the headers": lambda b: b[:0x100],
    "cut in a section": lambda b: b[:-100],
    "far headers": lambda b: b[:0x3C] + b"\xf0\xff\xff\xff" + b[0x40:],
    "many sections": lambda b: b[:0xC6] + b"\xff\xff" + b[0xC8:],
    "wild imports": lambda b: b[:0xC0 + 24 + 120] + b"\0\0\xff\x7f" + b[0xC0 + 24 + 124:],
}

OPTIONS = ([], ["--force"], ["--dll=first.dll", "--dll=second.dll:name"], ["--postfix=override-debug"])
# What follows on the same file.
MORE = (["--check"], ["--list", "--verbose"], ["--check", "--json"], ["--remove", "--inplace"])


def quoted(arguments):
    return " ".join('"%s"' % argument for argument in arguments)


def steps(number, name):
    """The command lines for one file; the last two depend on what the first did."""
    options = OPTIONS[number % len(OPTIONS)]
    return [["--verbose", "--inplace", *options, name], [*MORE[number % 3], name], [*MORE[3], name]]


def make_inputs(folder, launcher, binaries, files):
    """Fills folder with inputs, named 000.exe and on; returns what each is."""
    what = []
    with open(os.path.join(folder, "make.bat"), "w", encoding="ascii", newline="\r\n") as batch:
        for number, fields in enumerate(MADE):
            print(quoted([binaries + "/minject_made.exe", "%03d.exe" % number, *fields])
                  .replace("/", "\\"), file=batch)
            what.append("made: " + " ".join(fields))
    run_batch(folder, launcher, "make.bat")
    plain = read(os.path.join(folder, "000.exe"))
    for name, damage in DAMAGED.items():
        with open(os.path.join(folder, "%03d.exe" % len(what)), "wb") as file:
            file.write(damage(plain))
        what.append(name)
    for path in files:
        shutil.copyfile(path, os.path.join(folder, "%03d.exe" % len(what)))
        what.append(path)
    return what


def run_batch(folder, launcher, name):
    done = subprocess.run([launcher, CMD, "/c", name], cwd=folder, check=False, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode != 0:
        sys.exit("twin: cmd ended with %d: %s" % (done.returncode, done.stderr))


def run_windows(folder, launcher, minject, count):
    """Every step's exit status, output and resulting file, by number and step."""
    with open(os.path.join(folder, "all.bat"), "w", encoding="ascii", newline="\r\n") as batch:
        print("@echo off", file=batch)
        for number in range(count):
            for step, arguments in enumerate(steps(number, "%03d.exe" % number)):
                mark = "%03d-%d" % (number, step)
                print("%s >%s.out 2>%s.err" % (quoted([minject.replace("/", "\\"), *arguments]), mark,
                                               mark), file=batch)
                print("echo %%ERRORLEVEL%% >%s.status" % mark, file=batch)
                print('copy /b /y "%03d.exe" %s.bytes >nul' % (number, mark), file=batch)
    run_batch(folder, launcher, "all.bat")


def windows_result(folder, number, step):
    mark = os.path.join(folder, "%03d-%d" % (number, step))
    with open(mark + ".status", encoding="ascii") as file:
        status = int(file.read())
    # Wine's copy makes no file of an empty one.
    content = read(mark + ".bytes") if os.path.exists(mark + ".bytes") else b""
    return status, read(mark + ".out"), read(mark + ".err"), content


def native_result(folder, minject, arguments, name):
    done = subprocess.run([minject, *arguments], cwd=folder, check=False, capture_output=True,
                          stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr, read(os.path.join(folder, name))


def compare(native, windows, minject, what):
    """Returns the number of differences and of each exit status."""
    failed, statuses = 0, {}
    for number, name in enumerate(what):
        for step, arguments in enumerate(steps(number, "%03d.exe" % number)):
            here = native_result(native, minject, arguments, "%03d.exe" % number)
            there = windows_result(windows, number, step)
            statuses[here[0]] = statuses.get(here[0], 0) + 1
            for part, mine, other in zip(("status", "output", "errors", "bytes"), here, there):
                if mine != other:
                    failed += 1
                    print("%s: %s: %s differs: %.200r and %.200r" %
                          (name, " ".join(arguments), part, mine, other))
    return failed, statuses


def main(arguments):
    minject, minject_exe, launcher, binaries = arguments[:4]
    every, files = 1, []
    rest = iter(arguments[4:])
    for argument in rest:
        if argument == "--every":
            every = int(next(rest))
            continue
        found = files_below(argument)
        if not found:
            sys.exit("twin: no program at %s; bin/setup fetches them" % argument)
        files += found[::every]
    with tempfile.TemporaryDirectory() as folder:
        windows, native = os.path.join(folder, "w"), os.path.join(folder, "n")
        os.mkdir(windows)
        what = make_inputs(windows, launcher, "Z:" + binaries, files)
        shutil.copytree(windows, native)
        run_windows(windows, launcher, "Z:" + minject_exe, len(what))
        failed, statuses = compare(native, windows, minject, what)
    print("%d files; steps by exit status: %s" %
          (len(what), ", ".join("%d: %d" % pair for pair in sorted(statuses.items()))))
    # Both ways of ending must have been seen, or nothing was compared.
    seen = {0, 3, 4} <= set(statuses)
    print("%d passed, %d failed" % (3 * len(what) - failed, failed + (not seen)))
    return 1 if failed or not seen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
