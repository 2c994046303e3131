# SPDX-License-Identifier: MIT
"""The loads of bench_loads as rows: which of them, with how many threads, and how to run one."""
import json
from dataclasses import dataclass

from driver import launch, places

ONE_THREAD = ["cfrac", "larson", "mstress", "rptest", "xmalloc", "glibc-simple", "glibc-thread",
              "alloc-test", "malloc-large", "mleak", "batch-fifo", "batch-lifo", "batch-shuffle",
              "server", "prodcons", "mix", "realloc", "aligned", "large", "frag", "churn", "pairs",
              "pairs-lone", "pairs-1m"]
TWO_THREADS = ["larson", "mstress", "rptest", "xmalloc", "xmalloc-var", "glibc-thread", "server",
               "prodcons", "mix", "churn"]
EIGHT_THREADS = ["larson", "mstress", "rptest", "xmalloc", "glibc-thread", "server", "prodcons"]
MANY_THREADS = ["server", "prodcons"]
# The rows of well-known programs' kind; with gcc and python-json they are the scoreboard.
SCOREBOARD = {"cfrac", "larson", "mstress", "rptest", "xmalloc", "xmalloc-var", "glibc-simple",
              "glibc-thread", "alloc-test", "malloc-large", "mleak", "gcc", "python-json"}
# Where what stays resident after the last free is worth a second of waiting.
IDLE = {("frag", 1), ("server", 1), ("large", 1), ("malloc-large", 1), ("mix", 1), ("mstress", 8),
        ("rptest", 8), ("server", 8)}


@dataclass(frozen=True)
class LoadRow:
    load: str
    threads: int
    scale: int

    @property
    def name(self):
        return f"{self.load}-{self.threads}"

    @property
    def on_scoreboard(self):
        return self.load in SCOREBOARD and self.threads <= 8

    def run(self, peer, timeout_s, first):
        idle = ["--idle"] if first and (self.load, self.threads) in IDLE else []
        argv = [str(places.NATIVE / "bin" / "bench_loads"), self.load, f"--threads={self.threads}",
                f"--scale={self.scale}", *idle]
        return from_output(launch.run(peer.library, argv, timeout_s))


def from_output(outcome):
    """The load's own figures: its clock leaves out the start, its peak is that of one process."""
    if not outcome.failure:
        outcome.figures = json.loads(outcome.output)
    return outcome


def scale_for(threads, scale):
    """Two threads' work in all, however many do it: this is a machine of two cores."""
    return scale if threads <= 2 else max(1, round(scale * 2 / threads))


def rows(scale, wanted):
    """All the rows, or those of `wanted`: names with or without the number of threads."""
    table = [(1, ONE_THREAD), (2, TWO_THREADS), (8, EIGHT_THREADS), (64, MANY_THREADS)]
    every = [LoadRow(load, threads, scale_for(threads, scale))
             for threads, names in table for load in names]
    if wanted is None:
        return every
    return [row for row in every if row.name in wanted or row.load in wanted]
