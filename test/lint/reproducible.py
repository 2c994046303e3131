# SPDX-License-Identifier: MIT
"""Two builds of the same files in two folders give the same bytes.

    reproducible.py PRESET BUILD_FOLDER FILE...

builds a copy of the tree in another folder, whose path has another length, and compares the given
files (relative to the build folder) with those of BUILD_FOLDER."""
import os
import shutil
import subprocess
import sys

import tree

PARTS = ("src/", "include/", "cmake/", "CMakeLists.txt", "CMakePresets.json")


def copy_tree(to):
    shutil.rmtree(to, ignore_errors=True)
    for name in tree.files():
        if name.startswith(PARTS):
            os.makedirs(os.path.dirname(os.path.join(to, name)), exist_ok=True)
            shutil.copy2(os.path.join(tree.ROOT, name), os.path.join(to, name))


def run(command, folder):
    result = subprocess.run(command, cwd=folder, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, check=False)
    if result.returncode != 0:
        print(result.stdout)
        sys.exit("reproducible: failed: %s" % " ".join(command))


def same(left, right):
    with open(left, "rb") as one, open(right, "rb") as two:
        return one.read() == two.read()


def main(preset, build, *products):
    copy = os.path.join(build, "second-build-in-another-folder", "tree")
    copy_tree(copy)
    run(["cmake", "--preset", preset, "-DMI_BUILD_TESTS=OFF"], copy)
    run(["cmake", "--build", "--preset", preset, "-j2"], copy)
    problems = ["%s: differs from a second build" % name for name in products
                if not same(os.path.join(build, name), os.path.join(copy, "build", preset, name))]
    tree.finish("reproducible", len(products), problems)


main(*sys.argv[1:])
