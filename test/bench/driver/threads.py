# SPDX-License-Identifier: MIT
"""What many threads cost: the throughput with 64 threads against that with 2, on the same machine of
two cores. Threads cost much by themselves (their start, their end, the system's turns), so each load
also runs without any allocator, each block a fixed place in memory; what is lost then is no
allocator's."""
from dataclasses import dataclass

from driver import loads, table

MIB = 1 << 20
FEW, MANY = 2, 64
BAR = 20  # per cent, the goal too


@dataclass
class Case:
    load: str
    scale: int       # of the run with 2 threads
    scale_many: int  # of the run with 64: the work of each thread, in per cent
    how: str


CASES = [
    Case("server", 50, loads.scale_for(MANY, 50), "threads of 0.2 ms"),
    Case("server", 300, loads.scale_for(MANY, 300), "threads of 0.5 ms"),
    Case("server", 50, 50, "as much work for each"),
    Case("prodcons", 50, loads.scale_for(MANY, 50), "same work in all"),
    Case("prodcons", 300, loads.scale_for(MANY, 300), "six times as much"),
]


def time_per_op(run):
    return run["wall_s"] / run["ops"]


def lost(few, many):
    """Per cent of the throughput that is gone with more threads, never less than nothing."""
    return 100 * max(0.0, 1 - few / many)


def lost_without_own(few, many, bare_few, bare_many):
    """The same when what the threads lose by themselves is taken off."""
    return lost(few, many - max(0.0, bare_many - bare_few))


def measure(case, peer, timeout_s):
    """Figures of the four runs, in turn, or None when one failed."""
    runs = []
    for load in (case.load, f"{case.load}-bare"):
        for threads, scale in ((FEW, case.scale), (MANY, case.scale_many)):
            runs.append(loads.LoadRow(load, threads, scale).run(peer, timeout_s, False).figures)
    return runs if all(runs) else None


def figures(case, peer, repeats, timeout_s):
    """Medians and spreads: what was lost, by the bare threads, and by the allocator; peaks in MiB."""
    values = {"lost": [], "bare": [], "ours": [], "peaks": []}
    for _ in range(repeats):
        runs = measure(case, peer, timeout_s)
        if runs is None:
            continue
        times = [time_per_op(run) for run in runs]
        values["lost"].append(lost(*times[:2]))
        values["bare"].append(lost(*times[2:]))
        values["ours"].append(lost_without_own(*times))
        values["peaks"].append([run["peak_rss"] / MIB for run in runs])
    return values


def note(values):
    if not values["lost"]:
        return "a run failed"
    few, many, bare_few, bare_many = (table.median(peaks) for peaks in zip(*values["peaks"]))
    return (f"without an allocator: {table.median(values['bare']):.0f}; peak MiB with {FEW} and {MANY} "
            f"threads: {few:.0f}, {many:.0f}, without: {bare_few:.0f}, {bare_many:.0f}")
