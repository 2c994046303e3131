# SPDX-License-Identifier: MIT
"""Instructions per malloc and free, counted by callgrind: exact, so the figure to track while
working on the fast path. Every cell is a process of its own."""
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from driver import places, table
from driver.peers import Peer

SMALL = [16, 64, 512, 4096, 32768]
CELLS = ([(mode, size) for mode in ("pair", "keep") for size in (*SMALL, 1 << 20)]
         + [(mode, size) for mode in ("lifo", "fifo") for size in SMALL])
QUICK_CELLS = [("pair", 16), ("pair", 512), ("pair", 4096), ("pair", 1 << 20), ("keep", 16),
               ("keep", 512), ("keep", 4096), ("lifo", 16), ("lifo", 4096), ("fifo", 16),
               ("fifo", 4096)]
LOADER = "/lib64/ld-linux-x86-64.so.2"
TIMEOUT_S = 60
# The floors know neither large blocks nor what a batch of large ones needs.
FLOOR_MAX = {"stub": 1 << 20, "ideal": 32768}


def floors():
    return [Peer(name, str(places.NATIVE / "lib" / f"libbench_path_{name}.so"))
            for name in ("stub", "ideal")]


def counts(size):
    """Warm-up and measured pairs: multiples of a batch, enough for the steady state."""
    return (2000, 4000) if size > 65536 else (10000, 20000)


def count_cell(peer, mode, size, profile_to=None):
    """Instructions per pair, or the reason why there is no figure."""
    if size > FLOOR_MAX.get(peer.name, size):
        return "-"
    warm_up, measured = counts(size)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        out = Path(folder) / "callgrind.out"
        # The loader preloads the library into the program alone, never into valgrind's own start.
        preload = ["--preload", peer.library] if peer.library else []
        argv = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}",
                "--toggle-collect=bench_path_measured", LOADER, *preload,
                str(places.NATIVE / "bin" / "bench_path"), mode, str(size), str(warm_up),
                str(measured)]
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=TIMEOUT_S,
                                  check=False)
        except subprocess.TimeoutExpired:
            return "time-out"
        if done.returncode != 0:
            return "crash" if done.returncode < 0 else f"exit {done.returncode}"
        total = re.search(r"^(?:totals|summary): (\d+)", out.read_text(), re.MULTILINE)
        if profile_to is not None:
            shutil.copy(out, profile_to)
    return round(int(total.group(1)) / measured) if total else "no total"


def measure(peers, options):
    """The figures by cell and peer, and their table."""
    if shutil.which("valgrind") is None:
        raise SystemExit("bench: --instructions needs valgrind (bin/setup installs it)")
    cells = QUICK_CELLS if options.quick else CELLS
    if options.loads:
        wanted = options.loads.split(",")
        cells = [(m, s) for m, s in CELLS if m in wanted or f"{m}-{s}" in wanted]
    columns = floors() + peers
    with ThreadPoolExecutor(max_workers=2) as pool:
        jobs = {(mode, size, peer.name): pool.submit(count_cell, peer, mode, size)
                for mode, size in cells for peer in columns}
        figures = {key: job.result() for key, job in jobs.items()}
    rows = [[mode, size, *(figures[mode, size, peer.name] for peer in columns)]
            for mode, size in cells]
    text = ("Instructions per malloc+free (callgrind, exact; stub is the loop and the calls alone)\n\n"
            + table.render(["mode", "size", *(peer.name for peer in columns)], rows) + "\n")
    return [{"mode": mode, "size": size, "peer": name, "instructions": figure}
            for (mode, size, name), figure in figures.items()], text


def profile(peer, cell):
    """Where one cell's instructions go, function by function and line by line."""
    mode, _, size = cell.partition("-")
    places.OUT.mkdir(parents=True, exist_ok=True)
    out = places.OUT / f"callgrind.{peer.name}.{cell}.out"
    figure = count_cell(peer, mode, int(size), out)
    print(f"{peer.name} {cell}: {figure} instructions per pair; totals below are for "
          f"{counts(int(size))[1]} pairs; raw file {out}")
    if out.exists():
        subprocess.run(["callgrind_annotate", "--auto=yes", "--threshold=99.5", str(out)],
                       check=False)
