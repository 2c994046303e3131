#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The body of bin/demo, which has prepared everything: runs hermesc.exe with and without the allocator
and tells what happens. Options: --rounds=N."""
import hashlib
import os
import re
import shutil
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build")
WORK = os.path.join(BUILD, "demo")
HERMES = os.path.join(BUILD, "cache/hermes-compiler-260318099.0.6/hermesc/win64-bin")
WINDOWS_BIN = os.path.join(BUILD, "win-x64/bin")
MINJECT = os.path.join(BUILD, "linux/bin/minject")
WINE_RUN = os.path.join(ROOT, "test/support/wine-run")
OUR_DLLS = ("mimalloc-override.dll", "mimalloc-redirect.dll")
FUNCTIONS = "5000"
RUNTIMES = {"wine": "Wine's ucrtbase.dll", "ms": "Microsoft's ucrtbase.dll"}
VARIANTS = ("before", "after")
STEPS = iter(range(1, 100))


def step(text):
    print("\n[%d] %s" % (next(STEPS), text), flush=True)


def fail(text):
    sys.exit("\ndemo: FAILED: " + text)


def show(text):
    for row in text.rstrip("\n").split("\n"):
        print("      " + row)


def shown(path):
    return os.path.relpath(path, ROOT)


def command(arguments):
    """Runs a command of ours where the reader can see it; a failure ends the demo."""
    print("    $ " + " ".join(shown(a) if os.path.isabs(a) else a for a in arguments), flush=True)
    result = subprocess.run(arguments, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            stdin=subprocess.DEVNULL, check=False)
    if result.stdout:
        show(result.stdout.replace(ROOT + "/", ""))
    if result.returncode != 0:
        fail("exit status %d" % result.returncode)
    return result.stdout


def make_program():
    path = os.path.join(WORK, "big.js")
    with open(path, "wb") as out:
        subprocess.run([os.path.join(ROOT, "test/data/make_js.py"), FUNCTIONS], stdout=out,
                       check=True)
    print("    %s: %s functions and classes, %.1f MB" % (
        shown(path), FUNCTIONS, os.path.getsize(path) / 1e6))
    return path


def make_copies():
    """The program as its makers ship it, and a copy with our two DLLs beside it."""
    for variant in VARIANTS:
        shutil.copytree(HERMES, os.path.join(WORK, variant))
    for name in OUR_DLLS:
        shutil.copy2(os.path.join(WINDOWS_BIN, name), os.path.join(WORK, "after", name))


def compile_once(variant, runtime, source, verbose=False):
    """One run of the compiler; returns (seconds, CPU seconds, peak MiB), the output's digest and what
    the run said."""
    out = os.path.join(WORK, "%s-%s.hbc" % (variant, runtime))
    stats = os.path.join(WORK, "stats")
    for path in (out, stats):
        if os.path.exists(path):
            os.unlink(path)
    env = {name: value for name, value in os.environ.items() if not name.startswith("MIMALLOC_")}
    if verbose:
        env["MIMALLOC_VERBOSE"] = "1"
    program = os.path.join(WORK, variant, "hermesc.exe")
    result = subprocess.run(
        [WINE_RUN, "--runtime=" + runtime, "--stats=" + stats, program, "-O", "-emit-binary",
         "-out", os.path.basename(out), os.path.basename(source)],
        cwd=WORK, env=env, text=True, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    if result.returncode != 0 or not os.path.exists(out):
        show(result.stdout + result.stderr)
        fail("hermesc.exe (%s, %s): exit status %d" % (variant, runtime, result.returncode))
    with open(stats) as file:
        seconds, user, system, peak_kib = (float(word) for word in file.read().split())
    with open(out, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    return (seconds, user + system, peak_kib / 1024), digest, result.stdout + result.stderr


def show_verdicts(source):
    """The redirect's own account; its yes rests on a self-test in the running program."""
    for runtime, title in RUNTIMES.items():
        print("    on %s:" % title, flush=True)
        said = compile_once("after", runtime, source, verbose=True)[2]
        show("\n".join(row for row in said.splitlines() if "redirect" in row))
        if not re.search(r"redirected: yes", said):
            show(said)
            fail("not redirected on %s" % title)


def measure(source, rounds):
    """Before and after take turns, so that a busy moment of the machine meets both."""
    samples = {(runtime, variant): [] for runtime in RUNTIMES for variant in VARIANTS}
    digests = set()
    for number in range(1, rounds + 1):
        print("    round %d of %d:" % (number, rounds), end="", flush=True)
        for key in samples:
            figures, digest, _ = compile_once(key[1], key[0], source)
            samples[key].append(figures)
            digests.add(digest)
            print(" %s/%s %.2f s" % (key[0], key[1], figures[0]), end="", flush=True)
        print()
    return samples, digests


def cell(values, form):
    return form % statistics.median(values)


def show_table(samples):
    row_form = "    %-26s %-16s %10s %10s %8s"
    print(row_form % ("C runtime", "", "before", "after", "ratio"))
    print("    " + "-" * 74)
    for runtime, title in RUNTIMES.items():
        for index, what, form in ((0, "seconds", "%.2f"), (1, "CPU seconds", "%.2f"),
                                  (2, "peak MiB", "%.0f")):
            before, after = ([sample[index] for sample in samples[runtime, variant]]
                             for variant in VARIANTS)
            ratio = statistics.median(after) / statistics.median(before)
            print(row_form % (title if index == 0 else "", what, cell(before, form),
                              cell(after, form), "%.2f" % ratio))
    print("    medians; peak: the most resident memory the process had. All of it under Wine.")


def main(arguments):
    rounds = 3
    for argument in arguments:
        if not argument.startswith("--rounds="):
            sys.exit("demo: unknown option " + argument)
        rounds = int(argument.partition("=")[2])
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    print("\nThe Hermes JavaScript compiler for Windows (npm hermes-compiler 260318099.0.6, C++,\n"
          "Microsoft's runtime), before and after it is given our allocator.", flush=True)
    step("A large JavaScript program to compile")
    source = make_program()
    step("Two copies of the compiler; our DLLs lie beside the second")
    make_copies()
    program = os.path.join(WORK, "after", "hermesc.exe")
    step("What the compiler imports")
    command([MINJECT, "--list", program])
    step("Put the allocator first in the second copy's imports")
    command([MINJECT, "--inplace", "--force", "--verbose", program])
    command([MINJECT, "--list", program])
    step("Is the runtime's malloc ours now? (MIMALLOC_VERBOSE=1)")
    show_verdicts(source)
    step("Compile, before and after, on both runtimes")
    samples, digests = measure(source, rounds)
    step("Is the compiler's output the same?")
    if len(digests) != 1:
        fail("the outputs differ: " + ", ".join(sorted(digests)))
    print("    yes: all %d runs wrote the same bytes, sha256 %s..." % (
        4 * rounds, digests.pop()[:16]))
    step("Time and memory")
    show_table(samples)
    print("\ndemo: redirected: yes, on both runtimes; output byte-identical")


main(sys.argv[1:])
