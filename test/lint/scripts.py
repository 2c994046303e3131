# SPDX-License-Identifier: MIT
"""Scripts: shellcheck finds nothing in shell scripts, Python files compile, and what has an interpreter
line is executable."""
import os
import subprocess

import tree


def interpreter(name):
    first = tree.read(name).split(b"\n", 1)[0]
    return first.decode("ascii", "replace") if first.startswith(b"#!") else ""


def shell_problems(names):
    if not names:
        return []
    result = subprocess.run(["shellcheck", "--format=gcc", "--external-sources"] + names,
                            cwd=tree.ROOT, text=True, capture_output=True, check=False)
    problems = result.stdout.splitlines()
    return problems if problems or result.returncode == 0 else [result.stderr]


def python_problems(names):
    for name in names:
        try:
            compile(tree.read(name), name, "exec")
        except SyntaxError as error:
            yield "%s:%s: %s" % (name, error.lineno, error.msg)


def main():
    heads = {name: interpreter(name) for name in tree.files()}
    shell = [name for name, head in heads.items()
             if "sh" in os.path.basename(head) or name.endswith(".sh")]
    python = [name for name, head in heads.items() if "python" in head or name.endswith(".py")]
    problems = ["%s: not executable" % name for name, head in heads.items()
                if head and not os.access(os.path.join(tree.ROOT, name), os.X_OK)]
    problems += shell_problems(shell)
    problems += python_problems(python)
    tree.finish("scripts", len(shell) + len(python), problems)


main()
