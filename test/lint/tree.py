# SPDX-License-Identifier: MIT
"""What the lints share: the list of the project's files, and the report that ends each lint."""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
C_SUFFIXES = (".c", ".h", ".cpp", ".hpp")


def files():
    """Every file of the project, relative to its root. Ignored files (build/) are not among them."""
    if os.path.exists(os.path.join(ROOT, ".git")):
        listing = subprocess.check_output(
            ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others",
             "--exclude-standard"], cwd=ROOT)
        names = listing.decode().split("\0")
        return sorted(name for name in names if name and os.path.isfile(os.path.join(ROOT, name)))
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in ("build", ".git")]
        found += [os.path.relpath(os.path.join(folder, name), ROOT) for name in names]
    return sorted(found)


def c_files(*folders):
    """C and C++ files, of the given top folders or of all."""
    return [name for name in files() if name.endswith(C_SUFFIXES)
            and (not folders or name.split("/")[0] in folders)]


def read(name):
    with open(os.path.join(ROOT, name), "rb") as file:
        return file.read()


def lines(name):
    return read(name).decode("utf-8", "replace").splitlines()


def finish(what, count, problems):
    """Prints the problems and ends the lint. Having looked at nothing is a failure too."""
    for problem in problems:
        print(problem)
    print("%s: %d files looked at, %d problems" % (what, count, len(problems)))
    sys.exit(1 if problems or count == 0 else 0)
