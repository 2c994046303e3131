# SPDX-License-Identifier: MIT
"""test_wine_processes.py PROGRAM: the processes that wine-run starts, and those that they start through
Wine, have no random addresses. Otherwise Linux may put a process's heap where Wine needs a page, and
one start in 6000 fails. And wine-run knows the server that they use."""
import importlib.machinery
import importlib.util
import os
import subprocess
import sys

WINE_RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "wine-run")
ADDR_NO_RANDOMIZE = 0x0040000
WINE_PAGE = 0x7FFE0000
MARK = "MI_TEST_OF_WINE_RUN"


def processes(mark):
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/environ" % entry, "rb") as environ:
                if mark.encode() in environ.read().split(b"\0"):
                    yield "/proc/" + entry
        except OSError:
            continue


def read(*path):
    with open(os.path.join(*path)) as file:
        return file.read()


def heap_of(process):
    """The first and the last address, or None."""
    for row in read(process, "maps").splitlines():
        if row.endswith("[heap]"):
            first, last = row.split()[0].split("-")
            return int(first, 16), int(last, 16)
    return None


def server_pid():
    loader = importlib.machinery.SourceFileLoader("wine_run", WINE_RUN)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("wine_run", loader))
    loader.exec_module(module)
    return module.server_pid()


def check(process):
    if "wine64" not in os.readlink(process + "/exe"):
        return False
    if not int(read(process, "personality"), 16) & ADDR_NO_RANDOMIZE:
        sys.exit("%s: its addresses are random" % process)
    heap = heap_of(process)
    if heap is not None and not (0x7D000000 < heap[0] < heap[1] < WINE_PAGE):
        sys.exit("%s: its heap is at 0x%x to 0x%x" % (process, *heap))
    return True


def main():
    value = str(os.getpid())
    with subprocess.Popen([WINE_RUN, sys.argv[1]], env=dict(os.environ, **{MARK: value}),
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        for _ in range(2):
            if run.stdout.readline().strip() != "waiting":
                sys.exit("the program has not started")
        count = sum(check(process) for process in processes("%s=%s" % (MARK, value)))
        if server_pid() is None:
            sys.exit("the server is not found")
        run.stdin.close()
    if count < 2 or run.returncode != 0:
        sys.exit("%d processes, status %d" % (count, run.returncode))
    print("%d processes start at fixed addresses" % count)


main()
