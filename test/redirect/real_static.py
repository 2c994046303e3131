#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""real_static.py BIN MINJECT LAUNCHER CACHE: a real program whose runtime is linked into it (rcedit, of
Visual C++, /MT) does with the allocator in front of its imports what it does without, and the
redirect says that it is not redirected and why."""
import os
import shutil
import subprocess
import sys
import tempfile

NAME = "a product's name"


def run(launcher, program, *arguments, **settings):
    result = subprocess.run([launcher, program, *arguments], env=dict(os.environ, **settings),
                            stdin=subprocess.DEVNULL, capture_output=True, text=True,
                            errors="replace", check=False)
    return result.returncode, result.stdout, result.stderr


def require(condition, what, *shown):
    if not condition:
        sys.exit("failed: %s\n%s" % (what, "\n".join(shown)))


def windows_path(path):
    return "Z:" + path.replace("/", "\\")


def edited(launcher, program, original, copy):
    """The file that the program has given a product's name, and what was said meanwhile."""
    shutil.copy(original, copy)
    status, out, err = run(launcher, program, windows_path(copy), "--set-version-string",
                           "ProductName", NAME, MIMALLOC_VERBOSE="1")
    require(status == 0, "the program works", out, err)
    with open(copy, "rb") as file:
        return file.read(), err


def main(bin_folder, minject, launcher, cache):
    source = os.path.join(cache, "electron-winstaller-5.4.4/vendor/rcedit.exe")
    other = os.path.join(cache, "electron-winstaller-5.4.4/vendor/Setup.exe") # has a version
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "rcedit.exe")
        copy = os.path.join(folder, "edited.exe")
        shutil.copy(source, program)
        for name in os.listdir(bin_folder):
            if name.startswith("mimalloc-") and name.endswith(".dll"):
                shutil.copy(os.path.join(bin_folder, name), folder)
        plain, said = edited(launcher, program, other, copy)
        require("mimalloc" not in said, "nothing of ours without injection", said)
        require(NAME.encode("utf-16-le") in plain, "the name is in the file")
        status, out, err = run(launcher, minject, "--inplace", "--force", windows_path(program))
        require(status == 0, "minject", out, err)
        injected, said = edited(launcher, program, other, copy)
        require(injected == plain, "the same file with the allocator")
        require("redirected: no (the program imports no C runtime DLL). A static runtime" in said,
                "the verdict", said)
        require("malloc is redirected: no" in said, "the allocator says the same", said)
    print("1 passed, 0 failed")


if __name__ == "__main__":
    main(*sys.argv[1:])
