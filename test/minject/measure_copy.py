# SPDX-License-Identifier: MIT
"""How long minject takes for a large program, beside a plain copy. A measurement, not a test.

    measure_copy.py MADE MINJECT [FOLDER [ROUNDS]]

MADE is minject_made. FOLDER, by default the current one, decides which disk is measured: it gets a
program of 200 MB and its copies for the time of the measurement. The three ways take turns, in each
round with the program in memory, their results deleted and the disk idle: cp, cp with fdatasync,
minject."""
import os
import resource
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

SIZE = 200_000_000


def make_program(made, path):
    """A made file whose last section is as large as wanted, with bytes that do not compress."""
    subprocess.run([made, path, "checksum=1"], check=True)
    with open(path, "rb") as file:
        content = bytearray(file.read())
    headers, = struct.unpack_from("<I", content, 0x3C)
    count, = struct.unpack_from("<H", content, headers + 6)
    optional_size, = struct.unpack_from("<H", content, headers + 20)
    last = headers + 24 + optional_size + (count - 1) * 40
    rva, _, offset = struct.unpack_from("<III", content, last + 12)
    size = SIZE // 0x1000 * 0x1000
    struct.pack_into("<I", content, last + 8, size)
    struct.pack_into("<I", content, last + 16, size)
    struct.pack_into("<I", content, headers + 24 + 56, rva + size)
    with open(path, "wb") as file:
        file.write(content[:offset])
        file.write(os.urandom(size))


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def measure(work):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(made, minject, rounds):
    make_program(made, "big.exe")
    ways = {"cp": lambda: run("cp", "big.exe", "copy"),
            "cp, fdatasync": lambda: (run("cp", "big.exe", "copy"), run("sync", "-d", "copy")),
            "minject": lambda: run(minject, "--force", "big.exe")}
    taken = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, work in ways.items():
            for result in ("copy", "big-mi.exe"):
                if os.path.exists(result):
                    os.remove(result)
            os.sync()
            row = measure(work)
            if number > 0: # the first one is for the page cache
                taken[name].append(row)
    medians = {}
    for name, rows in taken.items():
        seconds = [row[0] for row in rows]
        medians[name] = statistics.median(seconds)
        print("%-14s %.3f s (%.3f to %.3f), processor %.3f s" %
              (name, medians[name], min(seconds), max(seconds),
               statistics.median(row[1] for row in rows)))
    print("minject takes %.2f of cp, %.2f of cp with fdatasync" %
          (medians["minject"] / medians["cp"], medians["minject"] / medians["cp, fdatasync"]))


if __name__ == "__main__":
    PROGRAMS = [os.path.abspath(path) for path in sys.argv[1:3]]
    FOLDER = tempfile.mkdtemp(dir=sys.argv[3] if len(sys.argv) > 3 else ".")
    try:
        os.chdir(FOLDER)
        main(*PROGRAMS, int(sys.argv[4]) if len(sys.argv) > 4 else 11)
    finally:
        os.chdir("/")
        shutil.rmtree(FOLDER)
