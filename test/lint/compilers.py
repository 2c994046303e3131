# SPDX-License-Identifier: MIT
"""Compilers: what only one of them understands is in src/compiler/, where each has its own spelling, so
that the rest of src/ is standard C with the names from there. The public headers stand alone and are
not looked at."""
import os
import re

import tree

LAYER = "src/compiler/"
# Files that hold assembly for one compiler, and why.
ALLOWED = {
    "src/redirect/load_config.c": "built by clang only; constants of the linker that C cannot write",
}
WORDS = [
    ("GNU's attribute", re.compile(r"__attribute__")),
    ("GNU's builtin", re.compile(r"__builtin_\w+|__sync_\w+|__atomic_\w+|__extension__|__typeof\w*")),
    ("assembly", re.compile(r"\b(__asm__|__asm|asm)\b\s*(volatile|goto)?\s*[({]")),
    ("thread-local storage", re.compile(r"\b(__thread|_Thread_local)\b|__declspec\s*\(\s*thread")),
    ("Microsoft's attribute", re.compile(r"__declspec|__forceinline|__pragma")),
    ("Microsoft's intrinsic", re.compile(
        r"\b(_Interlocked|_BitScan|_mm_|__(readgs|readfs|movs|stos|umulh|fastfail|ud2))\w*")),
    ("a compiler's header", re.compile(r"#\s*include\s*<(intrin|stdatomic|immintrin|x86intrin)\.h>")),
    ("a question for the compiler", re.compile(
        r"\b(_MSC_VER|__GNUC__|__clang__|__MINGW\w+|__has_\w+)\b")),
    ("a question for the processor", re.compile(
        r"\b(__x86_64__|__i386__|__aarch64__|_M_X64|_M_IX86|_M_ARM64)\b")),
    ("a pragma", re.compile(r"^\s*#\s*pragma\s+(?!once\b|pack\()")),
    ("a designated range", re.compile(r"\[[^]\n]*\.\.\.[^]\n]*\]\s*=")),
]
COMMENT = re.compile(r"//.*$")
STRING = re.compile(r'"(\\.|[^"\\])*"')
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def code_of(row):
    """The row without its comment and without what stands in strings."""
    if row.lstrip().startswith("#"):
        return COMMENT.sub("", row)
    return COMMENT.sub("", STRING.sub('""', row))


def problems_of(name):
    for number, row in enumerate(tree.lines(name), 1):
        code = code_of(row)
        for what, pattern in WORDS:
            match = pattern.search(code)
            if match:
                yield "%s:%d: %s outside of %s: %s" % (name, number, what, LAYER, match.group(0))


def included(name, seen):
    """The headers of src/ that a file includes, those that they include, and so on."""
    for path in INCLUDE.findall(tree.read(name).decode()):
        for found in ("src/" + path, os.path.join(os.path.dirname(name), path)):
            if found not in seen and os.path.isfile(os.path.join(tree.ROOT, found)):
                seen.add(found)
                included(found, seen)
    return seen


def atomics_problems(name):
    """Every user of C11's atomics has the header that brings them to compilers without."""
    uses = any("_Atomic" in code_of(row) for row in tree.lines(name))
    if uses and LAYER + "atomics.h" not in included(name, set()):
        yield "%s: uses _Atomic without compiler/atomics.h" % name


def self_test():
    """A rule that finds nothing is no rule: each finds its own example."""
    examples = [
        "int f(void) __attribute__((noinline));", "return __builtin_clz(x);",
        "__asm__ volatile(\"nop\");",
        "static __thread int x;", "__declspec(noinline) int f(void);", "_InterlockedExchange(&x, 1);",
        "#include <stdatomic.h>", "#if defined(_MSC_VER)", "#if defined(__x86_64__)",
        "#pragma warning(x)",
        "int a[] = {[0 ... 3] = 1};"]
    for (what, pattern), example in zip(WORDS, examples):
        if not pattern.search(code_of(example)):
            yield "the rule on %s does not find: %s" % (what, example)
    for harmless in ["// __attribute__ is GNU's", "#pragma once", "#pragma pack(push, 1)",
                     "return \"asm(\";"]:
        for what, pattern in WORDS:
            if pattern.search(code_of(harmless)):
                yield "the rule on %s finds something in: %s" % (what, harmless)


def main():
    problems = list(self_test())
    names = [name for name in tree.c_files("src")
             if not name.startswith(LAYER) and name not in ALLOWED]
    for name in names:
        problems += problems_of(name)
        problems += atomics_problems(name)
    for name in ALLOWED:
        if name not in tree.c_files("src"):
            problems.append("%s: allowed, and not there" % name)
    tree.finish("compilers", len(names), problems)


main()
