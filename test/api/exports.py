# SPDX-License-Identifier: MIT
"""The header, the export lists and the built libraries name the same functions.

    exports.py LIST HEADER_FOLDER [--def FILE.def] [--so FILE.so] [--archive FILE.a] [--dll FILE.dll]

LIST holds the names of the public interface, one a line."""
import re
import shutil
import subprocess
import sys


def lines_of(*command):
    return subprocess.check_output(command, text=True).splitlines()


def tool_of(*names):
    """The first that is there: not every system has the binutils, or numbers LLVM's tools."""
    return next(filter(shutil.which, names), names[0])


def declared(folder):
    names = set()
    for header in ("mimalloc.h", "mimalloc-stats.h"):
        with open("%s/%s" % (folder, header), encoding="utf-8") as file:
            text = re.sub(r"//[^\n]*|#define[^\n]*(\\\n[^\n]*)*", "", file.read())
        # A declaration begins with an export macro and ends with a semicolon.
        for declaration in re.findall(r"\bmi_decl_(?:export|alloc)\b[^;{]*;", text):
            names.add(re.search(r"\b(mi_\w+)\(", re.sub(r"mi_(decl|attr)_\w+", "", declaration))[1])
    return names


def of_def(path):
    with open(path, encoding="utf-8") as file:
        return {line.strip() for line in file if re.match(r"\s+mi_\w+\s*$", line)}


def of_so(path):
    return {line.split()[-1] for line in lines_of("nm", "-D", "--defined-only", path)}


def of_archive(path):
    names = set()
    headers = lines_of(tool_of("objdump", "llvm-objdump"), "-f", path)
    is_x86 = any("format" in line and "i386" in line for line in headers)
    for line in lines_of(tool_of("nm", "llvm-nm"), "--defined-only", path):
        fields = line.split()
        if len(fields) == 3 and fields[1] in "TW":
            # C names of x86 have an underscore in front.
            names.add(re.sub(r"^_(?=_?mi_)", "", fields[2]) if is_x86 else fields[2])
    return names


def of_dll(path):
    tool = tool_of("llvm-readobj-19", "llvm-readobj")
    text = subprocess.check_output([tool, "--coff-exports", path], text=True)
    return set(re.findall(r"^  Name: (\S+)$", text, re.MULTILINE))


READERS = {"--def": of_def, "--so": of_so, "--archive": of_archive, "--dll": of_dll}


def problems_of(list_path, folder, rest):
    with open(list_path, encoding="utf-8") as file:
        public = set(file.read().split())
    if len(public) != 159:
        yield "%s: %d names instead of 159" % (list_path, len(public))
    header = declared(folder)
    for name in sorted(public ^ header):
        yield "%s: in the %s only" % (name, "list" if name in public else "header")
    for option, path in zip(rest[::2], rest[1::2]):
        found = READERS[option](path)
        for name in sorted(public - found):
            yield "%s: not exported by %s" % (name, path)
        # Others may see only what is public: our inner functions are hidden.
        inner = {name for name in found - public if name.startswith("mi_")}
        if option != "--archive":
            allowed = re.compile(r"mi_crt_\w+|mi_redirect_register")
            for name in sorted(name for name in inner if not allowed.fullmatch(name)):
                yield "%s: exported by %s, but not public" % (name, path)


def main(list_path, folder, *rest):
    problems = list(problems_of(list_path, folder, rest))
    for problem in problems:
        print(problem)
    print("%d passed, %d failed" % (0 if problems else 1, len(problems)))
    return 1 if problems else 0


sys.exit(main(*sys.argv[1:]))
