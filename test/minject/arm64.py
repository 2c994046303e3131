# SPDX-License-Identifier: MIT
"""Programs for ARM64 and ARM64EC, linked here by clang and lld: minject takes them as any other.

    arm64.py MINJECT

ARM64EC is the machine whose programs say x64 in their headers and hold code for ARM64; what tells them
is the metadata that the load configuration points to. The linker fills in the map of the code, the
metadata around it is written here, as a C runtime has it."""
import os
import re
import subprocess
import sys
import tempfile

import corpus

SUFFIX = "-19"

PROGRAM = """
__declspec(dllimport) void *malloc(unsigned long long);
__declspec(dllimport) void ExitProcess(unsigned);
void start(void) { ExitProcess(malloc(8) != 0 ? 42 : 1); }
"""

LIBRARY = """
__declspec(dllimport) void *malloc(unsigned long long);
__declspec(dllexport) void *work(int size) { return malloc((unsigned long long)size); }
int start(void) { return 1; }
"""

NATIVE_PART = "__declspec(dllexport) int work(int number) { return number + 1; }"

# IMAGE_LOAD_CONFIG_DIRECTORY64 with its CHPEMetadataPointer, and IMAGE_ARM64EC_METADATA.
METADATA = """
        .section .rdata,"dr"
        .globl _load_config_used
        .p2align 3, 0
_load_config_used:
        .word 0x140
        .fill 0xc4,1,0
        .xword metadata
        .fill 0x70,1,0
        .p2align 3, 0
metadata:
        .word 1
        .rva __hybrid_code_map
        .word __hybrid_code_map_count
        .fill 0x34,1,0
        .rva __arm64x_extra_rfe_table
        .word __arm64x_extra_rfe_table_size
        .fill 0x60,1,0
        .macro pointer name
        .globl \\name
\\name:  .xword 0
        .endm
        .data
        .p2align 3, 0
        pointer __os_arm64x_dispatch_ret
        pointer __os_arm64x_dispatch_call
        pointer __os_arm64x_check_call
        pointer __os_arm64x_check_icall
"""

IMPORTS = {"kernel32.dll": "ExitProcess", "api-ms-win-crt-heap-l1-1-0.dll": "malloc"}


def tool(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit("arm64: %s: %s%s" % (" ".join(command), done.stdout, done.stderr))


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def compile_for(target, name, source):
    suffix = ".s" if source is METADATA else ".c"
    write(name + suffix, source)
    tool("clang" + SUFFIX, "--target=%s-pc-windows-msvc" % target, "-O1", "-c", name + suffix,
         "-o", name + ".o")
    return name + ".o"


def import_libraries(machine):
    libraries = []
    for number, (dll, function) in enumerate(IMPORTS.items()):
        write("imports.def", "LIBRARY %s\nEXPORTS\n%s\n" % (dll, function))
        libraries.append("imports%d-%s.lib" % (number, machine))
        tool("llvm-lib" + SUFFIX, "/nologo", "/machine:" + machine, "/def:imports.def",
             "/out:" + libraries[-1])
    return libraries


def link(machine, out, *arguments):
    tool("lld-link" + SUFFIX, "/machine:" + machine, "/entry:start", "/subsystem:console",
         "/nodefaultlib", "/out:" + out, *arguments)
    return out


def make_programs():
    arm64 = import_libraries("arm64")
    x64 = import_libraries("x64")
    return [
        link("arm64", "arm64.exe", compile_for("aarch64", "program", PROGRAM), *arm64),
        link("arm64", "arm64.dll", "/dll", compile_for("aarch64", "library", LIBRARY), *arm64),
        link("arm64ec", "arm64ec.exe", compile_for("x86_64", "foreign", PROGRAM),
             compile_for("arm64ec", "native", NATIVE_PART),
             compile_for("arm64ec", "metadata", METADATA), *x64),
    ]


def redirect_of(minject, path):
    """The redirect's DLL that --check asks for, and whether the program is told as hybrid."""
    text = corpus.run(minject, "--check", path).stdout
    return re.search(r"(mimalloc-redirect\S*)", text).group(1), "ARM64 and x64 at once" in text


def main(minject):
    expected = {"arm64.exe": ("mimalloc-redirect-arm64.dll", False),
                "arm64.dll": ("mimalloc-redirect-arm64.dll", False),
                "arm64ec.exe": ("mimalloc-redirect.dll", True)}
    reasons = {}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for path in make_programs():
            if redirect_of(minject, path) != expected[path]:
                corpus.fail(path, "--check says %s, %s" % redirect_of(minject, path))
            work = os.path.join(folder, "work-" + path)
            os.mkdir(work)
            corpus.check_file(minject, path, work, reasons)
        os.chdir("/")
    print(reasons)
    rewritten = sum(count for reason, count in reasons.items() if reason.startswith("rewritten"))
    failed = len(set(corpus.FAILURES)) + (rewritten != len(expected))
    print("%d passed, %d failed" % (rewritten, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1])))
