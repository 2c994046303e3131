# SPDX-License-Identifier: MIT
"""minject run with the allocator itself: programs run redirected, and their files stay untouched.

    run_real.py BIN LAUNCHER CACHE

BIN is the folder of the Windows build. The environment variable MI_RUNTIME says on whose C runtime
(wine or ms); the launcher puts Microsoft's beside the programs."""
import os
import re
import shutil
import subprocess
import sys

BIN, LAUNCHER, CACHE = sys.argv[1:4]
RUNTIME = os.environ.get("MI_RUNTIME", "wine")
TOOLS = ("minject.exe", "mimalloc-override.dll", "mimalloc-redirect.dll", "minject_echo.exe")
HERMES = CACHE + "/hermes-compiler-260318099.0.6/hermesc/win64-bin/hermesc.exe"
SCRIPT = "function add(a, b) { return a + b; }\nprint(add(1, 2));\n" * 200
VERDICT = "redirected: yes (ucrtbase.dll -> mimalloc-override.dll)"
FAILED = []
PASSED = []


def judge(name, condition, what):
    (PASSED if condition else FAILED).append(name)
    print("%s %s%s" % ("ok  " if condition else "FAIL", name, "" if condition else ": %r" % (what,)))


def run(program, *arguments):
    env = dict(os.environ, MIMALLOC_VERBOSE="1")
    return subprocess.run([LAUNCHER, program, *arguments], env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, errors="replace", check=False)


def staged(program):
    """The program's path where the wanted runtime lies beside it."""
    if RUNTIME == "wine":
        return program
    done = subprocess.run([LAUNCHER, "--stage", "--runtime=" + RUNTIME, program], check=True,
                          capture_output=True, text=True)
    return done.stdout.strip()


def windows(path):
    return "Z:" + path.replace("/", "\\")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def try_program(tool):
    echo = os.path.join(os.path.dirname(tool), "minject_echo.exe")
    done = run(tool, "run", windows(staged(echo)), "where")
    runtime = re.search("runtime: (.*)", done.stdout)
    # Wine shows its own DLLs in the system's folder.
    is_wanted = runtime is not None and \
        runtime.group(1).lower().startswith("c:\\windows") == (RUNTIME == "wine")
    judge("a program is redirected, on the runtime asked for",
          done.returncode == 77 and VERDICT in done.stderr and is_wanted, done)


def try_real(tool):
    before = read(HERMES)
    with open("small.js", "w", encoding="ascii") as file:
        file.write(SCRIPT)
    arguments = ["-dump-ast", "small.js"]
    plain = run(HERMES, *arguments)
    through = run(tool, "run", "--", windows(staged(HERMES)), *arguments)
    judge("hermesc does the same, redirected",
          through.returncode == plain.returncode == 0 and len(plain.stdout) > 100000 and
          plain.stdout == through.stdout and VERDICT in through.stderr,
          (plain.returncode, through.returncode, through.stderr))
    broken = run(tool, "run", "--", windows(staged(HERMES)), "-dump-ast", "missing.js")
    expected = run(HERMES, "-dump-ast", "missing.js")
    judge("hermesc fails the same, redirected",
          broken.returncode == expected.returncode != 0 and VERDICT in broken.stderr,
          (expected, broken))
    judge("its file is untouched", read(HERMES) == before, "changed")


def main():
    # Always the same, as the launcher mirrors it for Microsoft's runtime.
    folder = os.path.join(os.path.dirname(BIN), "run_real_" + RUNTIME)
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    for name in TOOLS:
        shutil.copy(os.path.join(BIN, name), folder)
    os.chdir(folder)
    tool = os.path.join(folder, "minject.exe")
    try_program(tool)
    try_real(tool)
    print("%d passed, %d failed" % (len(PASSED), len(FAILED)))
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
