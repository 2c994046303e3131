# SPDX-License-Identifier: MIT
"""Runs a program that misuses memory and holds its end against what its source's head expects.

    death.py VARIANT SOURCE PROGRAM...

The head has lines "// expect VARIANT ...: OUTCOME", each with a line "//     REGEX" behind it. OUTCOME:
    aborts   the process ends with abort's status, and had not gone on
    faults   an access to protected memory brings it into its signal handler, which exits with 70
    goes on  it reaches its end, and says so
REGEX must match a line of what it printed."""
import re
import subprocess
import sys

EXPECT = re.compile(r"^// expect ([a-z ]+): (aborts|faults|goes on)\n//     (.+)$", re.MULTILINE)
# abort's status on Linux and on Windows; that of the program's own handler.
STATUS = {"aborts": (-6, 3), "faults": (70,), "goes on": (0,)}


def expectation(source, variant):
    with open(source, encoding="ascii") as file:
        found = [m for m in EXPECT.finditer(file.read()) if variant in m.group(1).split()]
    if len(found) != 1:
        sys.exit("%s: %d expectations for %s" % (source, len(found), variant))
    return found[0].group(2), found[0].group(3)


def main():
    variant, source, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    outcome, message = expectation(source, variant)
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    output = run.stdout.decode("utf-8", "replace").replace("\r", "")
    problems = []
    if run.returncode not in STATUS[outcome]:
        problems.append("status %d" % run.returncode)
    if (outcome == "goes on") != ("went on" in output.split("\n")):
        problems.append("it went on" if outcome != "goes on" else "it did not go on")
    if not re.search(message, output, re.MULTILINE):
        problems.append("no line matches %s" % message)
    print(output, end="")
    print("\n".join("failed: expected that it %s: %s" % (outcome, p) for p in problems))
    print("%d passed, %d failed" % (not problems, bool(problems)))
    sys.exit(bool(problems))


main()
