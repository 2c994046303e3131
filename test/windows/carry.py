# SPDX-License-Identifier: MIT
"""Carries the tests of a cross-build to a Windows machine that needs no compiler for them: the very
files that were built and tested on Linux, for x64, x86 and ARM64.

    carry.py pack BUILD FOLDER        where it was built: programs and list of tests go to FOLDER
    carry.py list FOLDER [LAUNCHER]   on Windows, in a checkout of the same commit: FOLDER becomes one
                                      of CTest's, for ctest --test-dir FOLDER or prove.ps1 -Build FOLDER

Left behind are tests that run under Wine only by their nature: on runtimes and programs that bin/setup
fetched, with tools of Linux, or labelled long and not windows. Of a test for several runtimes one goes,
without the runtime's name: Windows has one. LAUNCHER stands before programs, for a trial under Wine."""
import glob
import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDERS = ("bin", "redirect-test", "redirect-test/far", "arm64-test")
LEFT_LABELS = {"long", "lint", "install", "preload", "bench"}
LEFT_NAMES = re.compile(r"^api\.exports$|\.msvcr1[12]0$|\.ms-msvcr")
RUNTIMES = ("wine", "ms", "new")
RUNTIME = re.compile(r"\.(\w+)-ucrt$")


def load_combine_tests():
    path = os.path.join(ROOT, "test", "support", "combine-tests")
    loader = importlib.machinery.SourceFileLoader("combine_tests", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("combine_tests", loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


COMBINE = load_combine_tests()


def portable(text, build):
    """With marks for what is elsewhere on the other machine; None: it needs more of this one."""
    for path, mark in ((build, "@build@"), (os.path.join(ROOT, "build"), "/"), (ROOT, "@source@")):
        text = text.replace(path, mark)
    if re.fullmatch(r"@source@/test/support/wine-run(-arm64)?", text):
        return "@launcher@"
    if re.fullmatch(r"/usr/bin/python3[.\d]*", text):
        return "@python@"
    return None if text.startswith(("/", "Z:/")) else text


def carried(test, build, names):
    """The test as it is over there, or None."""
    properties = {prop["name"]: prop["value"] for prop in test["properties"]}
    runtime = RUNTIME.search(test["name"])
    plain = RUNTIME.sub("", test["name"])
    labels = COMBINE.labels_of(test)
    if "windows" in labels: # long for a reason that is only Wine's
        labels -= {"long", "windows"}
    if LEFT_LABELS & labels or LEFT_NAMES.search(test["name"]):
        return None
    same = [plain + ".%s-ucrt" % one for one in RUNTIMES if plain + ".%s-ucrt" % one in names]
    if runtime and test["name"] not in same[:1]:
        return None
    command = [portable(part, build) for part in test["command"]]
    if None in command:
        return None
    properties.pop("WORKING_DIRECTORY", None)
    properties["LABELS"] = sorted(labels)
    properties["ENVIRONMENT"] = [setting for setting in COMBINE.as_list(properties["ENVIRONMENT"])
                                 if not setting.startswith(("MI_RUNTIME=", "MI_WINE_"))]
    return {"name": plain, "command": command, "properties": properties}


def pack(build, folder):
    build = os.path.abspath(build)
    tests = COMBINE.tests_of(os.path.basename(build))
    names = {test["name"] for test in tests}
    kept = [test for test in (carried(test, build, names) for test in tests) if test]
    shutil.rmtree(folder, ignore_errors=True)
    for part in FOLDERS:
        files = [path for path in glob.glob(os.path.join(build, part, "*"))
                 if path.endswith((".exe", ".dll", ".pdb"))]
        if part == "redirect-test": # those that Wine has of its own
            files += glob.glob(os.path.join(build, part, "stand-in", "*.dll"))
        if files:
            os.makedirs(os.path.join(folder, part))
        for path in files:
            shutil.copy2(path, os.path.join(folder, part))
    with open(os.path.join(folder, "tests.json"), "w", encoding="ascii") as file:
        json.dump(kept, file, indent=1)
    print("carry: %d of %d tests" % (len(kept), len(tests)))


def list_tests(folder, launcher=None):
    folder = os.path.abspath(folder)
    places = {"@build@": folder, "@source@": ROOT, "@python@": sys.executable}
    with open(os.path.join(folder, "tests.json"), encoding="ascii") as file:
        tests = json.load(file)

    def placed(text):
        for mark, path in places.items():
            text = text.replace(mark, path.replace(os.sep, "/"))
        return text

    lines = []
    for test in tests:
        command = [placed(launcher if part == "@launcher@" and launcher else part)
                   for part in test["command"] if launcher or part != "@launcher@"]
        name = COMBINE.quote(test["name"])
        lines.append("add_test(%s %s)" % (name, " ".join(map(COMBINE.quote, command))))
        for key, value in test["properties"].items():
            lines.append("set_tests_properties(%s PROPERTIES %s %s)" % (
                name, key, COMBINE.quote(COMBINE.property_text(key, value, ""))))
    with open(os.path.join(folder, "CTestTestfile.cmake"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    print("carry: %d tests in %s" % (len(tests), folder))


if __name__ == "__main__":
    {"pack": pack, "list": list_tests}[sys.argv[1]](*sys.argv[2:])
