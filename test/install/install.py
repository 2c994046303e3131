# SPDX-License-Identifier: MIT
"""cmake --install gives the tree that a user expects, and a user's project finds the allocator in it,
and in the sources too; its programs run.

    install.py SOURCES BUILD linux|windows|msvc WORK LAUNCHER|none CMAKE_OPTION...

msvc: what clang-cl made against the SDK alone, where only an installed allocator can be linked."""
import os
import shutil
import subprocess
import sys

SOURCES, BUILD, SYSTEM, WORK, LAUNCHER = sys.argv[1:6]
OPTIONS = sys.argv[6:]
HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = ("with_mimalloc-override", "with_static", "with_forced")
HEADERS = ("mimalloc.h", "mimalloc-override.h", "mimalloc-new-delete.h", "mimalloc-stats.h",
           "mimalloc/redirect.h", "mimalloc/stl.h")
PACKAGE = ("copy_dlls.cmake", "mimalloc-override-config.cmake",
           "mimalloc-override-config-version.cmake", "mimalloc-override-files.cmake")
COMMON = ["include/" + name for name in HEADERS]
COMMON += ["lib/cmake/mimalloc-override/" + name for name in PACKAGE]
COMMON += ["lib/pkgconfig/mimalloc-override.pc", "share/doc/mimalloc-override/LICENSE",
           "share/doc/mimalloc-override/README.md"]
VARIANTS = ("", "-debug", "-secure")
WINDOWS = ["bin/minject.exe", "bin/mimalloc-redirect.dll"]
WINDOWS += ["bin/mimalloc-override%s%s" % (variant, suffix)
            for variant in VARIANTS for suffix in (".dll", ".pdb")]
TREE = {
    "linux": ["bin/minject", "lib/libmimalloc-override.so", "lib/libmimalloc.a"],
    "windows": WINDOWS + ["lib/libmimalloc-redirect.dll.a", "lib/libmimalloc.a"]
               + ["lib/libmimalloc-override%s.dll.a" % variant for variant in VARIANTS],
    "msvc": WINDOWS + ["lib/mimalloc-redirect.lib", "lib/mimalloc.lib"]
            + ["lib/mimalloc-override%s.lib" % variant for variant in VARIANTS],
}
failed = []


def judge(name, is_good, seen=""):
    print("%s %s%s" % ("ok  " if is_good else "FAIL", name, "" if is_good else ": " + seen))
    if not is_good:
        failed.append(name)


def run(command):
    """(worked, output)"""
    result = subprocess.run(command, text=True, errors="replace", stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, check=False)
    return result.returncode == 0, result.stdout


def check_tree(prefix):
    found = {os.path.relpath(os.path.join(folder, name), prefix).replace(os.sep, "/")
             for folder, _, names in os.walk(prefix) for name in names}
    wanted = set(COMMON + TREE[SYSTEM])
    judge("the installed tree is what it should be", found == wanted,
          "missing %s, unexpected %s" % (sorted(wanted - found), sorted(found - wanted)))


def check_consumer(what, *options):
    folder = os.path.join(WORK, what)
    worked, output = run(["cmake", "-S", os.path.join(HERE, "consumer"), "-B", folder, "-G", "Ninja",
                          "-DCMAKE_BUILD_TYPE=Release", *OPTIONS, *options])
    if worked:
        worked, output = run(["cmake", "--build", folder, "-j", "2"])
    judge("%s: a user's project is configured and built" % what, worked, output[-3000:])
    for program in PROGRAMS if worked else ():
        path = os.path.join(folder, program + ("" if SYSTEM == "linux" else ".exe"))
        worked, output = run(([] if LAUNCHER == "none" else [LAUNCHER]) + [path])
        judge("%s: %s runs" % (what, program), worked, output)


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    prefix = os.path.join(WORK, "installed")
    worked, output = run(["cmake", "--install", BUILD, "--prefix", prefix])
    judge("cmake --install works", worked, output)
    check_tree(prefix)
    # Moved: the package's files may not know where it was installed first.
    moved = os.path.join(WORK, "moved")
    os.rename(prefix, moved)
    check_consumer("find_package", "-DCMAKE_PREFIX_PATH=" + moved, "-DCMAKE_FIND_ROOT_PATH=" + moved)
    if SYSTEM != "msvc":
        check_consumer("add_subdirectory", "-DMI_SOURCES=" + SOURCES)
    print("%d failed" % len(failed))
    sys.exit(1 if failed else 0)


main()
