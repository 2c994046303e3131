# SPDX-License-Identifier: MIT
"""Documents do not point into the void: every path of the project that a .md file names exists, as the
target of a link or in `code`. Built files (build/...) and patterns (*, <name>) are not looked at."""
import os
import re

import tree

LINK = re.compile(r"\]\(([^)#\s]+)(#[^)]*)?\)")
CODE = re.compile(r"`([^`\s]+)`")
TOP = ("src/", "test/", "include/", "docs/", "bin/", "cmake/", ".ci/", ".github/")


def candidates(row):
    for match in LINK.finditer(row):
        if "://" not in match.group(1) and not match.group(1).startswith("mailto:"):
            yield match.group(1), True
    for match in CODE.finditer(row):
        if match.group(1).startswith(TOP):
            yield match.group(1).rstrip(".,;:"), False


def exists(name, path, is_link):
    base = os.path.dirname(name) if is_link else ""
    # file.c:function names a place in a file
    path = path.split(":")[0]
    return os.path.exists(os.path.join(tree.ROOT, base, path))


def main():
    problems = []
    names = [name for name in tree.files() if name.endswith(".md")]
    for name in names:
        for number, row in enumerate(tree.lines(name), 1):
            for path, is_link in candidates(row):
                if not re.search(r"[*<>{}$]|\.\.\.", path) and not exists(name, path, is_link):
                    problems.append("%s:%d: there is no %s" % (name, number, path))
    tree.finish("doc_paths", len(names), problems)


main()
