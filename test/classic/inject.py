# SPDX-License-Identifier: MIT
"""The classic way without a linker: minject --inplace on a copy of a program that knows nothing of the
allocator. Before, the program's tests fail (nothing is redirected); after, and by minject run, they
pass and the redirect says so.

    inject.py FOLDER WORK PROGRAM [LAUNCHER]

FOLDER is that of the built files, PROGRAM one of them, WORK a folder of this test's own. MI_PRODUCT
names a folder of other product files. On Windows itself there is no launcher."""
import glob
import os
import shutil
import subprocess
import sys

FOLDER, WORK, PROGRAM = sys.argv[1:4]
LAUNCHER = sys.argv[4:]
PRODUCT = os.environ.get("MI_PRODUCT")


def run(program, *arguments, **settings):
    """(exit status, output)"""
    result = subprocess.run([*LAUNCHER, os.path.join(os.getcwd(), program), *arguments],
                            env=dict(os.environ, **settings), text=True, errors="replace",
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return result.returncode, result.stdout


def require(condition, what, output):
    if not condition:
        sys.exit("%s\ninject.py: %s" % (output, what))


def copy_files(work):
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    product = PRODUCT or FOLDER
    names = [os.path.join(product, name) for name in ("minject.exe", "mimalloc-override.dll")]
    for path in names + glob.glob(os.path.join(product, "mimalloc-redirect*.dll")):
        shutil.copy(path, work)
    shutil.copy(os.path.join(FOLDER, PROGRAM), work)
    os.chdir(work)


def main():
    suffix = "-" + os.path.basename(os.path.dirname(PRODUCT)) if PRODUCT else ""
    copy_files(WORK + suffix)

    status, output = run(PROGRAM)
    require(status != 0, "the program is redirected before anything was done to it", output)
    require("\nFAIL a_block_of_malloc_is_ours" in "\n" + output, "it fails otherwise", output)

    status, output = run("minject.exe", "run", PROGRAM, MIMALLOC_VERBOSE="1")
    require(status == 0, "minject run fails", output)
    require("redirected: yes" in output, "minject run does not redirect", output)

    status, output = run("minject.exe", "--inplace", "--force", PROGRAM)
    require(status == 0, "minject --inplace fails", output)
    status, output = run(PROGRAM, MIMALLOC_VERBOSE="1")
    require(status == 0, "the injected program fails", output)
    require("redirected: yes" in output, "it does not say 'redirected: yes'", output)
    print(output)

    status, output = run(PROGRAM, MIMALLOC_VERBOSE="1", MIMALLOC_DISABLE_REDIRECT="1")
    require(status != 0, "MIMALLOC_DISABLE_REDIRECT=1 did not turn it off", output)
    require("redirected: no" in output, "it does not say 'redirected: no'", output)


main()
