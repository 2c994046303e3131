#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""log_output.py LAUNCHER PROGRAM: what MIMALLOC_VERBOSE and MIMALLOC_LOG_FILE make a program print.

The program is redirected in code mode and otherwise prints its own test results to stdout only."""
import os
import re
import subprocess
import sys
import tempfile

PREFIX = "mimalloc-redirect: "


def run(launcher, program, **settings):
    env = dict(os.environ, **settings)
    result = subprocess.run([launcher, program], env=env, capture_output=True, text=True,
                            errors="replace", check=False)
    ours = [line for line in result.stderr.replace("\r", "").splitlines() if line.startswith(PREFIX)]
    return result.returncode, [line[len(PREFIX):] for line in ours]


def require(condition, what, lines):
    if not condition:
        sys.exit("failed: %s\n%s" % (what, "\n".join(lines)))


def check_silence(launcher, program):
    status, lines = run(launcher, program)
    require(status == 0 and not lines, "silent unless asked", lines)


def check_verdict(launcher, program):
    _, lines = run(launcher, program, MIMALLOC_VERBOSE="1")
    require(len(lines) == 2, "one line for the runtime and one verdict", lines)
    require(re.match(r"ucrtbase\.dll at 0x[0-9a-f]+: \d+ functions by code, before its start-up, "
                     r"\d+ import entries, self-test passed$", lines[0]), "the runtime's line", lines)
    require(lines[1] == "redirected: yes (ucrtbase.dll -> mimalloc.dll)", "the verdict", lines)


def check_functions(launcher, program):
    _, lines = run(launcher, program, MIMALLOC_VERBOSE="2")
    bytes_ = r"([0-9a-f]{2} ){5}"
    rows = [line for line in lines if re.match(
        r"  (\S+) at 0x[0-9a-f]+: code, %s-> e9 ([0-9a-f]{2} ){4}, to 0x[0-9a-f]+$" % bytes_, line)]
    require(len(rows) >= 19, "a line for each function, with its bytes", lines)
    require(any(row.startswith("  malloc at") for row in rows), "malloc among them", lines)


def check_disabled(launcher, program):
    _, lines = run(launcher, program, MIMALLOC_VERBOSE="1", MIMALLOC_DISABLE_REDIRECT="1")
    require(lines == ["redirected: no (disabled by the environment; "
                      "Unset MIMALLOC_DISABLE_REDIRECT.)"], "the reason and what to do", lines)


def check_log_file(launcher, program):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "redirect.log")
        windows_path = "Z:" + path.replace("/", "\\")
        for _ in range(2):
            _, lines = run(launcher, program, MIMALLOC_VERBOSE="1", MIMALLOC_LOG_FILE=windows_path)
        with open(path, encoding="ascii") as file:
            logged = file.read().splitlines()
        # Appended by the second run, not overwritten.
        require(logged == [PREFIX + line for line in lines * 2], "the same lines in the file", logged)


def main(launcher, program):
    check_silence(launcher, program)
    check_verdict(launcher, program)
    check_functions(launcher, program)
    check_disabled(launcher, program)
    check_log_file(launcher, program)
    print("5 passed, 0 failed")


if __name__ == "__main__":
    main(*sys.argv[1:])
