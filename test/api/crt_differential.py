# SPDX-License-Identifier: MIT
"""The runtime's heap functions and ours give the same results, but for named differences.

    crt_differential.py [--exact] PROGRAM COMMAND...     COMMAND runs a Windows program

--exact: the variant stores exact sizes, so that nothing may differ from Microsoft's runtime.

Runs the program with the redirect off and on, and compares its lines. docs/crt-semantics.md has the
table of the differences, which must name those of this file and no others."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Ours differ from Microsoft's runtime on purpose; the reasons are in the document.
OURS = {
    "msize_exact",
    "aligned_msize_exact",
    "recalloc_of_malloc_zeroes_slack",
}
# Wine's runtime differs from Microsoft's here; ours does as Microsoft's.
WINE = {
    "aligned_malloc_alignment_3",
    "aligned_malloc_beyond",
    "aligned_offset_beyond_size",
    "aligned_offset_is_size",
    "aligned_realloc_bad_alignment",
    "aligned_realloc_huge_keeps",
    "aligned_realloc_zero",
    "calloc_huge",
    "expand_beyond",
    "expand_huge",
    "expand_null",
    "handler_calloc",
    "handler_expand",
    "handler_realloc",
    "realloc_huge_keeps",
    "recalloc_zero",
}
# Calling these in Wine's runtime ends the process.
WINE_MISSING = {
    "msize_null",
    "aligned_recalloc_null",
    "aligned_recalloc_overflow",
    "aligned_recalloc_zeroes",
    "aligned_offset_recalloc_zeroes",
}


def results(command, program, disable, skip):
    environment = dict(os.environ, MIMALLOC_DISABLE_REDIRECT="1" if disable else "0")
    output = subprocess.check_output(command + [program] + sorted(skip), env=environment, text=True)
    found = {}
    for line in output.splitlines():
        match = re.match(r"(\w+) = (.*)", line)
        if match:
            found[match[1]] = match[2]
    return found


def documented():
    with open(os.path.join(ROOT, "docs", "crt-semantics.md"), encoding="utf-8") as file:
        return set(re.findall(r"^\| `(\w+)` \|", file.read(), re.MULTILINE))


def problems_of(differences, program, command):
    # On Windows itself nothing stands before the program, and the runtime is Microsoft's.
    is_wine = bool(command) and os.environ.get("MI_RUNTIME", "wine") == "wine"
    skip = WINE_MISSING if is_wine else set()
    theirs = results(command, program, True, skip)
    ours = results(command, program, False, skip)
    if theirs.pop("redirected", "")[:1] != "0" or ours.pop("redirected", "")[:1] != "1":
        yield "the redirect was not off in the first run and on in the second"
    if len(theirs) < 50:
        yield "only %d cases ran" % len(theirs)
    expected = differences | WINE if is_wine else differences
    different = {name for name in theirs.keys() | ours.keys() if theirs.get(name) != ours.get(name)}
    for name in sorted(different - expected):
        yield "%s: the runtime %s; ours %s" % (name, theirs.get(name), ours.get(name))
    for name in sorted(expected - different if not is_wine else ()):
        yield "%s: is the same now; take it from the list" % name
    for name in sorted(documented() ^ OURS):
        yield "%s: is not both in docs/crt-semantics.md and in this test" % name


def main(*arguments):
    is_exact = arguments[0] == "--exact"
    program, *command = arguments[1:] if is_exact else arguments
    problems = list(problems_of(set() if is_exact else OURS, program, command))
    for problem in problems:
        print(problem)
    print("%d passed, %d failed" % (0 if problems else 1, len(problems)))
    return 1 if problems else 0


sys.exit(main(*sys.argv[1:]))
