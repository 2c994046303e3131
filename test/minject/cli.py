# SPDX-License-Identifier: MIT
"""minject as a user meets it: messages, exit statuses, files that appear and files that do not.

    cli.py MADE LAUNCHER... MINJECT

MADE writes test files (made.c); it and MINJECT are run through LAUNCHER (nothing, or wine-run).
Every test is a function of the same form; all run, each in an empty folder."""
import json
import os
import subprocess
import sys
import tempfile

MADE, COMMAND = None, []
IS_WINDOWS = False
FAILED = []


class Result:
    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout.replace("\r\n", "\n")
        self.err = done.stderr.replace("\r\n", "\n")

    def __repr__(self):
        return "status %d, out %r, err %r" % (self.status, self.out, self.err)


def minject(*arguments, answer=""):
    return Result(subprocess.run([*COMMAND, *arguments], input=answer, capture_output=True,
                                 text=True, encoding="utf-8", errors="replace", check=False))


def made(name, *fields):
    subprocess.run([*COMMAND[:-1], MADE, name, *fields], check=True)
    return name


def read(name):
    with open(name, "rb") as file:
        return file.read()


def write(name, content):
    with open(name, "wb") as file:
        file.write(content)
    return name


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def only(*names):
    there = sorted(os.listdir("."))
    check(there == sorted(names), "the folder holds %s" % there)


def help_and_version_succeed():
    check("usage: minject" in minject("--help").out, "no usage")
    shown = minject("--version")
    check(shown.status == 0 and shown.out.startswith("minject "), shown)


def a_wrong_option_is_named():
    result = minject("--frobnicate", "a.exe")
    check(result.status == 1 and "--frobnicate" in result.err, result)


def writes_a_renamed_copy():
    before = read(made("a.exe"))
    result = minject("a.exe")
    check(result.status == 0 and "a-mi.exe" in result.out, result)
    check(read("a.exe") == before and read("a-mi.exe") != before, "wrong contents")
    only("a.exe", "a-mi.exe")


def inplace_changes_the_file_itself():
    before = read(made("a.exe"))
    check(minject("--inplace", "a.exe").status == 0, "failed")
    check(read("a.exe") != before, "unchanged")
    only("a.exe")


def a_dry_run_writes_nothing():
    before = read(made("a.exe"))
    result = minject("--dry-run", "--inplace", "a.exe")
    check(result.status == 0 and "dry run" in result.out, result)
    check(read("a.exe") == before, "changed")
    minject("--dry-run", "a.exe")
    only("a.exe")


def asks_before_it_overwrites():
    made("a.exe")
    write("a-mi.exe", b"precious")
    for answer in ("", "n\n", "\n", "no\n"):
        result = minject("a.exe", answer=answer)
        check(result.status == 5 and "overwrite" in result.out, result)
        check(read("a-mi.exe") == b"precious", "overwritten")
    check(minject("a.exe", answer="yes\n").status == 0, "refused")
    check(read("a-mi.exe") != b"precious", "not overwritten")


def force_overwrites():
    made("a.exe")
    write("a-mi.exe", b"old")
    check(minject("--force", "a.exe").status == 0, "refused")
    check(read("a-mi.exe") != b"old", "not overwritten")


def lists_in_load_order():
    made("a.exe")
    result = minject("--list", "a.exe")
    check(result.out.splitlines()[1:] == ["  0: KERNEL32.dll", "  1: ntdll.dll"], result)
    told = json.loads(minject("--list", "--json", "a.exe").out)
    check([entry["name"] for entry in told["imports"]] == ["KERNEL32.dll", "ntdll.dll"], told)


def says_when_nothing_is_to_be_done():
    made("a.exe")
    minject("-i", "a.exe")
    before = read("a.exe")
    result = minject("-i", "a.exe")
    check(result.status == 0 and "already in front" in result.out, result)
    check(read("a.exe") == before, "changed")


def another_postfix_replaces_the_first():
    made("a.exe")
    minject("-i", "a.exe")
    minject("-i", "--postfix=override-debug", "a.exe")
    names = [line.split(": ")[1] for line in minject("-l", "a.exe").out.splitlines()[1:]]
    check(names == ["mimalloc-override-debug.dll", "KERNEL32.dll", "ntdll.dll"], names)


def remove_gives_the_original_back():
    kinds = {"plain": [], "x86": ["x86"], "signed": ["certificate_size=512"],
             "overlay": ["overlay_size=777"], "full": ["junk_after_table=16", "nt_off=64"],
             "stub": ["junk_after_table=16"], "checksum": ["checksum=1"],
             "ninety-six": ["extra_sections=93"]}
    for kind, fields in kinds.items():
        before = read(made("a.exe", *fields))
        check(minject("-i", "a.exe").status == 0, kind)
        check(read("a.exe") != before, kind)
        result = minject("-i", "--remove", "a.exe")
        check(result.status == 0 and read("a.exe") == before, "%s: %s" % (kind, result))


def remove_needs_something_to_remove():
    made("a.exe")
    result = minject("-i", "--remove", "a.exe")
    check(result.status == 4 and "nothing" in result.err, result)


def refused(name, status, *words):
    before = read(name)
    for option in ("--inplace", "--verbose"):
        result = minject(option, name)
        check(result.status == status, result)
        check(name in result.err and all(word in result.err for word in words), result)
    check(read(name) == before, "changed")
    only(name)


def refuses_a_text_file():
    refused(write("a.exe", b"#!/bin/sh\necho no program\n"), 3, "no MZ header")


def refuses_an_empty_file():
    refused(write("a.exe", b""), 3, "no MZ header")


def refuses_a_16_bit_program():
    program = bytearray(read(made("a.exe")))
    program[0xc0:0xc4] = b"NE\x05\x1e"
    refused(write("a.exe", program), 3, "16-bit")


def refuses_a_truncated_file():
    program = read(made("a.exe"))
    refused(write("a.exe", program[:-1]), 3, "cut off")
    refused(write("a.exe", program[:0x150]), 3, "ends inside")


def refuses_a_driver():
    refused(made("a.exe", "subsystem=1"), 4, "driver")


def refuses_managed_code():
    refused(made("a.exe", "clr_flags=1"), 4, "managed", "apphost")


def refuses_a_demand_for_integrity_unless_forced():
    refused(made("a.exe", "dll_characteristics=0x80"), 4, "FORCE_INTEGRITY", "--force")
    check(minject("-i", "-f", "a.exe").status == 0, "not forced")


def says_that_a_signature_is_lost():
    made("a.exe", "certificate_size=256")
    result = minject("-i", "a.exe")
    check(result.status == 0 and "signature" in result.out, result)


def says_that_a_program_has_no_runtime():
    made("a.exe")
    result = minject("-i", "a.exe")
    check(result.status == 0 and "no C runtime" in result.out, result)


def a_failed_inplace_leaves_nothing():
    before = read(made("a.exe", "clr_flags=1"))
    check(minject("-i", "--copy-dlls", "a.exe").status == 4, "accepted")
    check(read("a.exe") == before, "changed")
    only("a.exe")


def a_missing_file_is_an_error_of_its_own():
    result = minject("nothere.exe")
    check(result.status == 2 and "nothere.exe" in result.err, result)
    only()


def a_folder_is_no_file():
    os.mkdir("folder.exe")
    check(minject("folder.exe").status == 2, "accepted")


def names_outside_ascii_work():
    name = "pr\u00fcf \u4e16\u754c \U0001f600.exe"
    os.rename(made("a.exe"), name)
    result = minject(name)
    check(result.status == 0, result)
    check(os.path.exists(name.replace(".exe", "-mi.exe")), os.listdir("."))
    told = json.loads(minject("--list", "--json", name).out)
    check(told["file"] == name, told)


def long_paths_work():
    folder = os.path.join(*["f" * 60] * 6)
    if os.name == "nt": # for Python too, whatever the system's setting is
        folder = "\\\\?\\" + os.path.abspath(folder)
    os.makedirs(folder)
    name = os.path.join(folder, "a.exe")
    os.rename(made("a.exe"), name)
    result = minject("-i", name)
    check(result.status == 0, result)


def the_result_is_the_same_each_time():
    made("a.exe")
    made("b.exe")
    minject("-i", "a.exe")
    minject("-i", "b.exe")
    check(read("a.exe") == read("b.exe"), "differ")


def check_explains_what_is_wrong():
    made("a.exe", "clr_flags=1")
    result = minject("--check", "a.exe")
    check(result.status == 6 and "managed" in result.out, result)
    told = json.loads(minject("--check", "--json", "a.exe").out)
    check(told["verdict"] == "no", told)
    check("refused" in [finding["id"] for finding in told["findings"]], told)


def check_notices_missing_dlls():
    made("a.exe")
    told = json.loads(minject("--check", "--json", "a.exe").out)
    check(told["verdict"] == "after-injection", told)
    minject("-i", "a.exe")
    result = minject("--check", "--json", "a.exe")
    check(result.status == 6 and json.loads(result.out)["verdict"] == "no", result)
    for name in ("mimalloc-override.dll", "mimalloc-redirect.dll"):
        made(name)
    result = minject("--check", "--json", "a.exe")
    check(result.status == 0 and json.loads(result.out)["verdict"] == "yes", result)
    made("mimalloc-redirect.dll", "x86")
    found = json.loads(minject("--check", "--json", "a.exe").out)["findings"]
    check("dll-machine" in [finding["id"] for finding in found], found)


def copy_dlls_needs_them_beside_minject():
    made("a.exe", "machine=0xaa64")
    result = minject("-i", "--copy-dlls", "a.exe")
    check(result.status == 2 and "mimalloc-" in result.err, result)
    only("a.exe")


def a_large_file_needs_at_most_its_size_twice():
    if IS_WINDOWS:
        return
    size = 100 << 20
    made("a.exe")
    with open("a.exe", "r+b") as file:
        file.truncate(size)
    child = os.spawnv(os.P_NOWAIT, COMMAND[-1], [COMMAND[-1], "-i", "--dll=a.dll", "a.exe"])
    _, status, usage = os.wait4(child, 0)
    check(status == 0, status)
    check(usage.ru_maxrss * 1024 < 2 * size, "%d KiB" % usage.ru_maxrss)


def keeps_the_permissions():
    if IS_WINDOWS:
        return
    made("a.exe")
    os.chmod("a.exe", 0o751)
    minject("-i", "a.exe")
    check(os.stat("a.exe").st_mode & 0o7777 == 0o751, "changed")


def a_link_stays_a_link():
    if IS_WINDOWS:
        return
    before = read(made("a.exe"))
    os.symlink("a.exe", "l.exe")
    minject("-i", "l.exe")
    check(os.path.islink("l.exe") and read("a.exe") != before, "replaced the link")


def tests():
    start = tests.__code__.co_firstlineno
    found = [item for item in globals().values()
             if callable(item) and hasattr(item, "__code__") and item.__code__.co_argcount == 0
             and not item.__code__.co_flags & 0x0c and item not in (tests, main)
             and item.__code__.co_firstlineno < start]
    return sorted(found, key=lambda item: item.__code__.co_firstlineno)


def main():
    for test in tests():
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                test()
                print("ok   " + test.__name__)
            except AssertionError as error:
                FAILED.append(test.__name__)
                print("FAIL %s: %s" % (test.__name__, error))
            os.chdir("/")
    print("%d passed, %d failed" % (len(tests()) - len(FAILED), len(FAILED)))
    return 1 if FAILED else 0


if __name__ == "__main__":
    MADE, COMMAND = sys.argv[1], sys.argv[2:]
    IS_WINDOWS = COMMAND[-1].endswith(".exe")
    sys.exit(main())
