# SPDX-License-Identifier: MIT
"""A trial of carry.py under Wine: the tests of a cross-build, carried to another folder, are as many as
they should be, and those that run otherwise on Windows (stand-ins for old runtimes, scripts without a
runtime's name) pass there.

    carry_trial.py BUILD WORK LEAST LAUNCHER"""
import os
import re
import subprocess
import sys

CARRY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "carry.py")
OTHERWISE = (r"^(classic\.classic_(inject|late)|redirect\.((override_)?runtimes|lookups)\.|"
             r"redirect\.log_output|death\.double_free_)")


def run(*command):
    result = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            check=False)
    print(result.stdout, end="")
    if result.returncode != 0:
        sys.exit("carry_trial: failed: %s" % " ".join(command))
    return result.stdout


def main(build, work, least, launcher):
    packed = re.search(r"carry: (\d+) of", run(sys.executable, "-B", CARRY, "pack", build, work))
    if int(packed[1]) < int(least):
        sys.exit("carry_trial: fewer than %s tests" % least)
    run(sys.executable, "-B", CARRY, "list", work, launcher)
    passed = run("ctest", "--test-dir", work, "--output-on-failure", "--no-tests=error",
                 "-R", OTHERWISE)
    if not re.search(r"100% tests passed, 0 tests failed out of (1[0-9]|[2-9][0-9])\b", passed):
        sys.exit("carry_trial: fewer than ten tests ran")


main(*sys.argv[1:])
