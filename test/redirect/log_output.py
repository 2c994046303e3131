#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""log_output.py PROGRAM OTHER MANY TWO [LAUNCHER]: what MIMALLOC_VERBOSE, MIMALLOC_LOG_FILE and
MIMALLOC_SHOW_STATS make a program print. On Windows itself there is no launcher.

The program is redirected in code mode and otherwise prints its own test results to stdout only. The
other one runs on our own allocator and frees blocks that are older, MANY loads more runtimes than can
be handled, and TWO has two allocators."""
import os
import re
import subprocess
import sys
import tempfile

PREFIX = "mimalloc-redirect: "
LAUNCHER = sys.argv[5:]


def run(program, **settings):
    env = dict(os.environ, **settings)
    result = subprocess.run(LAUNCHER + [program], env=env, capture_output=True, text=True,
                            errors="replace", check=False)
    ours = [line for line in result.stderr.replace("\r", "").splitlines() if line.startswith(PREFIX)]
    return result.returncode, [line[len(PREFIX):] for line in ours]


def require(condition, what, lines):
    if not condition:
        sys.exit("failed: %s\n%s" % (what, "\n".join(lines)))


def check_silence(program):
    status, lines = run(program)
    require(status == 0 and not lines, "silent unless asked", lines)


def check_verdict(program):
    _, lines = run(program, MIMALLOC_VERBOSE="1")
    require(len(lines) == 2, "one line for the runtime and one verdict", lines)
    require(re.match(r"ucrtbase\.dll at 0x[0-9a-f]+: \d+ functions by code, before its start-up, "
                     r"\d+ import entries, self-test passed$", lines[0]), "the runtime's line", lines)
    require(lines[1] == "redirected: yes (ucrtbase.dll -> mimalloc.dll)", "the verdict", lines)


def check_functions(program):
    _, lines = run(program, MIMALLOC_VERBOSE="2")
    # A jump of x86 and x64, e9 and a distance, or ARM64's b.
    rows = [line for line in lines if re.match(
        r"  (\S+) at 0x[0-9a-f]+: code, (([0-9a-f]{2} ){5}-> e9 ([0-9a-f]{2} ){4}"
        r"|([0-9a-f]{2} ){4}-> ([0-9a-f]{2} ){3}1[4-7] ), to 0x[0-9a-f]+$", line)]
    require(len(rows) >= 19, "a line for each function, with its bytes", lines)
    require(any(row.startswith("  malloc at") for row in rows), "malloc among them", lines)
    require(not any("left alone" in line or "has left" in line for line in lines),
            "nothing that sounds like a failure", lines)


def check_disabled(program):
    for name, value in (("MIMALLOC_DISABLE_REDIRECT", "1"), ("MIMALLOC_DISABLE_OVERRIDE", "yes"),
                        ("MIMALLOC_ENABLE_REDIRECT", "off")):
        _, lines = run(program, MIMALLOC_VERBOSE="1", **{name: value})
        require(lines == ["redirected: no (disabled by the environment). Unset %s." % name],
                "the reason and what to do", lines)


def check_bad_values(program):
    _, lines = run(program, MIMALLOC_VERBOSE="1", MIMALLOC_REDIRECT_MODE="fast",
                   MIMALLOC_DISABLE_REDIRECT="perhaps", MIMALLOC_PATCH_IMPORTS="2",
                   MIMALLOC_REDIRECT_CRT="ucrtbase," + "x" * 300)
    require(lines[:4] == ["MIMALLOC_DISABLE_REDIRECT is ignored: set it to 1 or 0",
                          "MIMALLOC_PATCH_IMPORTS is ignored: set it to 1 or 0",
                          "MIMALLOC_REDIRECT_MODE is ignored: set it to code, imports or auto",
                          "MIMALLOC_REDIRECT_CRT is ignored: it is longer than 254 characters"],
            "a line for each value that is ignored", lines)
    require(lines[-1].startswith("redirected: yes"), "redirected all the same", lines)


def check_nothing_selected(program):
    _, lines = run(program, MIMALLOC_VERBOSE="1", MIMALLOC_REDIRECT_CRT="msvcr90")
    require(lines == ["redirected: no (not asked for). Name it in MIMALLOC_REDIRECT_CRT if it shall "
                      "be redirected."], "the reason and what to do", lines)


def check_log_file_that_cannot_be(program):
    for path in ("Z:\\no\\such\\folder\\redirect.log", "C:\\windows", "a<b>?*"):
        status, lines = run(program, MIMALLOC_VERBOSE="1", MIMALLOC_LOG_FILE=path)
        told = [line for line in lines if re.match(
            r"the file that MIMALLOC_LOG_FILE names cannot be opened \(status 0x[0-9a-f]{8}\): does "
            r"its folder exist, and may this user write there\?$", line)]
        require(status == 0 and len(told) == 1 and lines[-1].startswith("redirected: yes"),
                "told once, and everything else as usual", lines)


def windows_path(path):
    return path if os.name == "nt" else "Z:" + path.replace("/", "\\")


def check_log_file(program):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "redirect.log")
        for _ in range(2):
            _, lines = run(program, MIMALLOC_VERBOSE="1", MIMALLOC_LOG_FILE=windows_path(path))
        with open(path, encoding="ascii") as file:
            logged = file.read().splitlines()
        # Appended by the second run, not overwritten.
        logged = [re.match(r"([^ ]+) (\d+): (.*)$", line) for line in logged]
        require(all(logged), "each line tells its process", lines)
        require([line[3] for line in logged] == [PREFIX + line for line in lines * 2],
                "the same lines in the file", [line[0] for line in logged])
        require({line[1] for line in logged} == {os.path.basename(program)} and
                len({line[2] for line in logged}) == 2, "both runs", [line[0] for line in logged])


def check_too_many(program):
    status, lines = run(program, MIMALLOC_VERBOSE="1", MIMALLOC_REDIRECT_CRT="all")
    require(status == 0, "it works all the same", lines)
    require(any(re.match(r"msvcr120\.dll at 0x[0-9a-f]+: not redirected \(more runtimes or threads "
                         r"than can be handled\)$", line) for line in lines), "which is told", lines)


def check_two_allocators(program):
    _, lines = run(program, MIMALLOC_VERBOSE="1")
    require("mimalloc-override.dll is one more allocator: the runtimes use mimalloc.dll, and it serves "
            "its own callers" in lines, "the second allocator is told of", lines)


def check_statistics(program):
    env = dict(os.environ, MIMALLOC_SHOW_STATS="1")
    said = subprocess.run(LAUNCHER + [program], env=env, capture_output=True, text=True,
                          errors="replace", check=False).stderr
    found = re.search(r"redirect: the runtime's own blocks: (\d+) freed, (\d+) resized, (\d+) asked "
                      r"for their size\s+: our blocks at the system's heap functions: (\d+) taken "
                      r"back", said)
    require(found, "the statistics have the redirect's counts", [said])
    counts = [int(count) for count in found.groups()]
    require(counts[0] >= 12 and counts[1] >= 2 and counts[2] >= 2, "all calls counted", [said])


def main(program, other, many, two):
    check_silence(program)
    check_verdict(program)
    check_functions(program)
    check_disabled(program)
    check_bad_values(program)
    check_nothing_selected(program)
    check_log_file(program)
    check_log_file_that_cannot_be(program)
    check_statistics(other)
    check_too_many(many)
    check_two_allocators(two)
    print("11 passed, 0 failed")


if __name__ == "__main__":
    main(*sys.argv[1:5])
