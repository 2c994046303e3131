# SPDX-License-Identifier: MIT
"""Layers: a file includes only its own folder and those below it; Windows headers appear only in the
files that are its border; file names are unique in a program; a .c file includes its header first."""
import os
import re

import tree

CORE = ["compiler", "base", "os", "support", "memory", "segment", "page", "heap", "api"]
# Folder -> the folders whose files it may include, besides itself and include/.
BELOW = {folder: CORE[:index] for index, folder in enumerate(CORE)}
BELOW.update({"pe": [], "redirect": ["compiler", "pe"], "minject": ["compiler", "pe"]})
# These do not see the core's public interface either: the contract is mimalloc/redirect.h.
WITHOUT_INTERFACE = {"pe"}
WINDOWS_HEADERS = {"windows.h", "winternl.h", "winnt.h", "ntdef.h", "psapi.h", "tlhelp32.h"}
# The files that are the border to Windows; all others see it through their headers.
WINDOWS_BORDER = re.compile(r"src/(os/.*|.*_windows\.[ch]|redirect/ntapi\.h)$")
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
# Same name in every folder by custom.
COMMON_NAMES = {"CMakeLists.txt", "README.md"}


def includes(name):
    for number, row in enumerate(tree.lines(name), 1):
        match = INCLUDE.match(row)
        if match:
            yield number, match.group(1) == '"', match.group(2)


def target_folder(name, path):
    """The folder of src/ that a quoted include names; None when it is not one of them."""
    if os.path.isfile(os.path.join(tree.ROOT, "src", path)):
        return path.split("/")[0]
    if os.path.isfile(os.path.join(tree.ROOT, os.path.dirname(name), path)):
        return name.split("/")[1]
    return None


def layer_problems(name):
    folder = name.split("/")[1]
    for number, is_quoted, path in includes(name):
        where = "%s:%d" % (name, number)
        if path in WINDOWS_HEADERS and not WINDOWS_BORDER.match(name):
            yield "%s: <%s> belongs into the files that are the border to Windows" % (where, path)
        if path.endswith(".c"):
            yield "%s: includes a .c file" % where
        if not is_quoted:
            continue
        target = target_folder(name, path)
        if target is None:
            if not os.path.isfile(os.path.join(tree.ROOT, "include", path)):
                yield "%s: \"%s\" is neither in src/ nor in include/" % (where, path)
            elif folder in WITHOUT_INTERFACE:
                yield "%s: %s/ includes itself only" % (where, folder)
        elif target != folder and target not in BELOW[folder]:
            yield "%s: %s/ must not include %s/" % (where, folder, target)


def own_header_problems(name):
    header = name[:-2] + ".h"
    if not name.endswith(".c") or not os.path.isfile(os.path.join(tree.ROOT, header)):
        return
    first = next(includes(name), None)
    if first is None or os.path.basename(first[2]) != os.path.basename(header):
        yield "%s: does not include %s first" % (name, os.path.basename(header))


def guard_problems(name):
    if name.endswith(".h") and "#pragma once" not in tree.lines(name):
        yield "%s: no #pragma once" % name


def program(name):
    """Redirect and minject are programs of their own: a name may occur in each and in the core."""
    parts = name.split("/")
    return parts[1] if parts[0] == "src" and parts[1] in ("redirect", "minject") else ""


def name_problems(names):
    seen = {}
    for name in names:
        base = os.path.basename(name)
        first = seen.setdefault((program(name), base), name)
        if first != name and base not in COMMON_NAMES:
            yield "%s: the name is taken by %s" % (name, first)
        if name.endswith(tree.C_SUFFIXES) and not re.fullmatch(r"[a-z0-9_.-]+", base):
            yield "%s: file names are snake_case" % name


def main():
    problems = []
    sources = tree.c_files("src")
    for name in sources:
        folder = name.split("/")[1]
        if folder not in BELOW:
            problems.append("%s: no layer %s/ is known" % (name, folder))
            continue
        problems += layer_problems(name)
        problems += own_header_problems(name)
    for name in tree.c_files("src", "include"):
        problems += guard_problems(name)
    problems += name_problems(tree.c_files())
    tree.finish("layers", len(sources), problems)


main()
