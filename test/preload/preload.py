#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A Linux program does the same real work with libmimalloc-override.so preloaded as without.

    preload.py LIBRARY CASE

Runs the case's commands twice, plain and with LD_PRELOAD, each in an empty folder of its own, and
compares exit status, standard output, and the files left there. That the program's malloc really was
ours is read from the dynamic linker's own account of its bindings."""
import glob
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

PYTHON_TESTS = ["test_" + name for name in ("list", "dict", "bytes", "deque", "array", "memoryview",
                                           "json", "userlist", "heapq", "struct")]

SQL = """
CREATE TABLE rows(id INTEGER PRIMARY KEY, name TEXT, score REAL, data BLOB);
INSERT INTO rows SELECT value, printf('name%d', value * 7919 % 100003), value * 0.37,
                        zeroblob(value % 20) FROM generate_series(1, 1000000);
CREATE INDEX names ON rows(name, score);
PRAGMA integrity_check;
SELECT count(*), sum(id), total(score), sum(length(data)), count(DISTINCT name) FROM rows;
SELECT substr(name, 5, 2) AS part, count(*), total(score) FROM rows GROUP BY part ORDER BY part;
"""

# Case -> commands, run in this order. {here} is this folder.
CASES = {
    # PYTHONMALLOC: every object comes from malloc, not only the large ones.
    "python3": [["/usr/bin/python3", "-I", "{here}/work.py"]],
    "perl": [["perl", "{here}/work.pl"]],
    "git": [["git", "init", "--quiet", "--initial-branch=main", "repo"],
            ["sh", "-c", "/usr/bin/python3 -I {here}/history.py | git -C repo fast-import --quiet"],
            ["git", "-C", "repo", "log", "--patch", "--stat", "--date=iso"],
            ["git", "-C", "repo", "blame", "main", "--", "file0.txt"],
            ["git", "-C", "repo", "diff", "--word-diff", "main~100", "main"],
            ["git", "-C", "repo", "fsck", "--strict", "--no-progress"]],
    "gcc": [["sh", "-c", "/usr/bin/python3 -I {here}/big_c.py 250 >big.c"],
            ["gcc", "-std=c11", "-O2", "-g0", "-c", "big.c", "-o", "big.o"],
            ["gcc", "-std=c11", "-O2", "-g0", "-I{here}/..", "-c", "{here}/work.c", "-o", "c.o"],
            ["g++", "-std=c++17", "-O1", "-g0", "-c", "{here}/work.cpp", "-o", "cpp.o"],
            ["g++", "c.o", "cpp.o", "-o", "work"],
            ["./work"]],
    # CPython's own tests, of what allocates most.
    "python3_tests": [["/usr/bin/python3", "-m", "test", "-v"] + PYTHON_TESTS],
    "redis": [["/usr/bin/python3", "-I", "{here}/redis_work.py"]],
    "sqlite3": [["sqlite3", "rows.db", SQL]],
}

# Whose malloc must be ours, where it is not the first command's.
PROGRAMS = {"gcc": "gcc", "redis": "redis-server"}

# What differs from run to run in the outputs of a case.
NOISE = {"python3_tests": rb"(?m)^== .*\n|^\d+:\d\d:\d\d load avg: [\d.]+ | in [\d.]+m?s$"
                          rb"|^(Total duration: ).*| at 0x[0-9a-f]+"}


def environment(library):
    env = {"PATH": os.environ["PATH"], "HOME": os.getcwd(), "LC_ALL": "C.UTF-8", "TZ": "UTC",
           "PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0", "GIT_CONFIG_NOSYSTEM": "1",
           "GIT_PAGER": "cat", "PERL_HASH_SEED": "0"}
    if library:
        env["LD_PRELOAD"] = library
    return env


def files_below(folder):
    found = {}
    for path, folders, names in os.walk(folder):
        # Git's index holds times and inode numbers.
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted(names):
            with open(os.path.join(path, name), "rb") as file:
                found[os.path.relpath(os.path.join(path, name), folder)] = file.read()
    return found


def run_case(case, library):
    """What the case leaves for others to see: outputs, statuses, files."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        seen = []
        for command in CASES[case]:
            command = [part.replace("{here}", HERE) for part in command]
            result = subprocess.run(command, env=environment(library), capture_output=True,
                                    stdin=subprocess.DEVNULL, timeout=120, check=False)
            noise = NOISE.get(case, rb"(?!)")
            seen.append((command, result.returncode, re.sub(noise, b"", result.stdout),
                         re.sub(noise, b"", result.stderr)))
        files = files_below(folder)
        os.chdir("/")
    return seen, files


def program_of(case):
    return PROGRAMS.get(case, CASES[case][0][0])


def is_bound(case, library):
    """True if the dynamic linker bound the program's malloc and free to the library."""
    with tempfile.TemporaryDirectory() as folder:
        env = environment(library)
        env.update(LD_DEBUG="bindings", LD_BIND_NOW="1", LD_DEBUG_OUTPUT=os.path.join(folder, "log"))
        subprocess.run([program_of(case), "--version"], env=env, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
        text = ""
        for path in glob.glob(os.path.join(folder, "log.*")):
            with open(path) as log:
                text += log.read()
    name = re.escape(os.path.basename(library))
    return all(re.search(r"to \S*%s \[0\]: normal symbol `%s'" % (name, symbol), text)
               for symbol in ("malloc", "free"))


def differences(plain, ours):
    for (command, *left), (_, *right) in zip(plain[0], ours[0]):
        for what, one, two in zip(("exit status", "output", "errors"), left, right):
            if one != two:
                yield "%s: another %s:\n  plain %.300r\n  ours  %.300r" % (
                    " ".join(command), what, one, two)
        if left[0] != 0:
            yield "%s: fails without us too: %.300r" % (" ".join(command), left[2])
    for name in sorted(set(plain[1]) | set(ours[1])):
        if plain[1].get(name) != ours[1].get(name):
            yield "file %s differs" % name


def main(library, case):
    library = os.path.abspath(library)
    plain, ours = run_case(case, None), run_case(case, library)
    problems = list(differences(plain, ours))
    if not is_bound(case, library):
        problems.append("%s does not take malloc and free from %s" % (program_of(case), library))
    size = sum(len(run[2]) for run in plain[0]) + sum(len(data) for data in plain[1].values())
    if size < 1000:
        problems.append("the case does next to nothing: %d bytes" % size)
    for problem in problems:
        print(problem)
    print("%s: %d commands, %d bytes compared, %d problems" % (
        case, len(plain[0]), size, len(problems)))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
