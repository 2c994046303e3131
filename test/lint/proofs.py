# SPDX-License-Identifier: MIT
"""Proofs: docs/windows-assumptions.md and test/windows/prove.ps1 have the same ids, each once; every
row says what covers it here; the tests that the script starts exist in the build for Windows; and
PowerShell's own parser, where bin/setup could build it, has nothing to say about the script.

    proofs.py WINDOWS_BUILD"""
import glob
import json
import os
import re
import subprocess
import sys

import tree

DOCUMENT = "docs/windows-assumptions.md"
SCRIPT = "test/windows/prove.ps1"
ROW = re.compile(r"^\| `([a-z0-9-]+)` \| (.+) \| (.+) \| (.+) \|$")
PROOF = re.compile(r"^    '([a-z0-9-]+)' = \{", re.MULTILINE)
SUITE = re.compile(r"Invoke-Suite '([^']+)'")
PROGRAM = re.compile(r"(?:Invoke-Program|Assert-Program|Assert-Redirected) '([\w.-]+)'")
COVER = re.compile(r"\*\*(Linux|Wine|Wine-MS|Bytes|nothing)\b")
# What a test's name ends with when it runs on several runtimes here; on Windows there is one.
RUNTIME = re.compile(r"\.[\w-]+-ucrt$")
# Only in builds on Windows itself: test/minject/CMakeLists.txt.
WINDOWS_ONLY = {"minject.run"}


def ids_of_document():
    rows = [row for row in tree.lines(DOCUMENT) if row.startswith("| `")]
    for row in rows:
        match = ROW.match(row)
        if not match or not COVER.match(match.group(4)):
            yield None, "%s: a row is not id, assumption, source, cover: %.60s" % (DOCUMENT, row)
        else:
            yield match.group(1), None


def id_problems(document, script):
    for name, ids in ((DOCUMENT, document), (SCRIPT, script)):
        for one in sorted(set(ids)):
            if ids.count(one) > 1:
                yield "%s: %s is there %d times" % (name, one, ids.count(one))
    for one in sorted(set(document) - set(script)):
        yield "%s: no proof of %s" % (SCRIPT, one)
    for one in sorted(set(script) - set(document)):
        yield "%s: no row %s" % (DOCUMENT, one)


def test_problems(text, build):
    listing = subprocess.check_output(["ctest", "--test-dir", build, "--show-only=json-v1"])
    names = {RUNTIME.sub("", test["name"]) for test in json.loads(listing)["tests"]} | WINDOWS_ONLY
    for regex in SUITE.findall(text):
        if not any(re.search(regex, name) for name in names):
            yield "%s: no test is named %s" % (SCRIPT, regex)
    for program in set(PROGRAM.findall(text)):
        if not os.path.exists(os.path.join(build, "bin", program)):
            yield "%s: the build has no %s" % (SCRIPT, program)


def parser_problems():
    """Functions that are called and not defined are found too: their names have our verbs."""
    parsers = glob.glob(os.path.join(tree.ROOT, "build/cache/powershell-parser-*/parse.dll"))
    if not parsers:
        return
    result = subprocess.run(["dotnet", parsers[0], os.path.join(tree.ROOT, SCRIPT)], text=True,
                            capture_output=True, check=False)
    rows = result.stdout.splitlines()
    yield from [row for row in rows if row.startswith("error ")]
    if not any(row.startswith("looked at ") for row in rows):
        yield "the parser did not look at %s: %s" % (SCRIPT, result.stderr)
    defined = {row[8:] for row in rows if row.startswith("defines ")}
    for row in sorted(set(rows)):
        if re.match(r"calls (Assert|Use|Invoke|Say|Stop)\b", row) and row[6:] not in defined:
            yield "%s: %s is not defined" % (SCRIPT, row[6:])


def main():
    text = "\n".join(tree.lines(SCRIPT))
    found = list(ids_of_document())
    problems = [problem for _, problem in found if problem]
    document = [one for one, _ in found if one]
    problems += id_problems(document, PROOF.findall(text))
    problems += test_problems(text, sys.argv[1])
    problems += parser_problems()
    tree.finish("proofs", len(document), problems)


main()
