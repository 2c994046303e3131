# SPDX-License-Identifier: MIT
"""clang-format would leave every C and C++ file as it is."""
import subprocess

import tree


def main():
    names = tree.c_files()
    result = subprocess.run(["clang-format-19", "--dry-run", "-Werror"] + names, cwd=tree.ROOT,
                            text=True, capture_output=True, check=False)
    problems = [row for row in result.stderr.splitlines() if "error:" in row]
    if result.returncode != 0 and not problems:
        problems = [result.stderr]
    tree.finish("format", len(names), problems)


main()
