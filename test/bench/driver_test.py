#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The driver's own arithmetic: means, verdicts, limits and charts of made-up figures; and that the real
Windows programs which it wants to run are described."""
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from driver import chart, limits, rounds, table, targets, threads, wine_programs  # noqa: E402

checks = []


def check(name, found, expected):
    checks.append(found == expected)
    if found != expected:
        print(f"FAIL {name}: {found!r}, not {expected!r}")


def run_of(cpu_s, mebibytes):
    return {"cpu_s": cpu_s, "wall_s": cpu_s, "peak_rss": mebibytes << 20}


def results_of(ours, reference, third):
    results = rounds.Results("mi209", ["ours", "mi209", "tc"], ["row-1"])
    results.runs["row-1"] = {"ours": [run_of(*ours)], "mi209": [run_of(*reference)],
                             "tc": [run_of(*third)], rounds.AA: [run_of(*reference)]}
    return results


def check_verdicts():
    for figure, noise, expected in ((0.7, 0.01, "goal met"), (0.8, 0.01, "bar met"),
                                    (0.85, 0.01, "bar met, within noise"),
                                    (0.87, 0.01, "missed, within noise"), (1.0, 0.01, "missed"),
                                    (0.5, 0.3, "goal met, within noise"), (None, None, "not measured")):
        line = targets.Line("figure", 0.86, 0.77, figure, noise)
        check(f"verdict on {figure} with noise {noise}", line.verdict(), expected)


def check_limits():
    fine = results_of((1.0, 10), (1.0, 10), (0.9, 8))
    check("within the limits", limits.beyond(fine, "row-1"), "")
    slow = results_of((1.3, 10), (1.0, 10), (2.0, 10))
    check("slower than the best", limits.beyond(slow, "row-1"), "CPU time 1.30 times mi209's")
    large = results_of((0.5, 16), (1.0, 10), (2.0, 40))
    check("larger than the leanest", limits.beyond(large, "row-1"), "memory 1.60 times mi209's")


def check_rounds():
    class Row:
        name = "row"

        def __init__(self):
            self.runs = 0

        def run(self, peer, timeout_s, first):
            self.runs += 1
            fails = peer.name == "bad"
            return targets.launch.Outcome(failure="crash" if fails else "",
                                          figures={} if fails else run_of(1.0, 1))

    row = Row()
    pair = [targets.peers.Peer("good", ""), targets.peers.Peer("bad", "")]
    results = rounds.measure([row], pair, "good", 3, 1, budget=rounds.Budget(0))
    check("one round at least", results.rounds_done, 1)
    check("a failure is kept", results.failures, {("row", "bad"): "crash"})
    results = rounds.measure([row], pair, "good", 3, 1, budget=rounds.Budget(1))
    check("all rounds in time", results.rounds_done, 3)
    check("what failed once is left alone", row.runs, 3 + 3 + 3 + 1)
    check("the same over itself", results.ratio("row", rounds.AA, "cpu_s"), 1.0)


def check_threads():
    check("half the throughput is gone", threads.lost(1.0, 2.0), 50.0)
    check("none is gone", threads.lost(2.0, 1.0), 0.0)
    check("all that is lost is the threads' own", threads.lost_without_own(1.0, 2.0, 0.5, 1.5), 0.0)
    check("a part of it is", threads.lost_without_own(1.0, 2.5, 0.5, 1.0), 50.0)
    check("threads that gain take nothing off", threads.lost_without_own(1.0, 2.0, 1.5, 0.5), 50.0)


def check_chart():
    with tempfile.TemporaryDirectory() as folder:
        chart.FOLDER = chart.places.ROOT / folder
        chart.dots("dots.svg", "Title", "note", ["a", "b"], {"ours": {"a": 0.5}, "tc": {"b": 4.0}})
        text = (chart.FOLDER / "dots.svg").read_text()
    check("a dot per figure and per name in the legend", text.count("<circle"), 4)


def check_real_programs():
    for name in wine_programs.PROGRAMS:
        check(name, len(wine_programs.described(name)), 4)


def main():
    check("geometric mean", round(table.geomean([0.5, 2.0, None]), 9), 1.0)
    check("geometric mean of nothing", table.geomean([None]), None)
    check("spread", table.spread([1.0, 1.0, 2.0]), 0.0)
    check_verdicts()
    check_limits()
    check_rounds()
    check_threads()
    check_chart()
    check_real_programs()
    print(f"{sum(checks)} passed, {len(checks) - sum(checks)} failed")
    return 0 if all(checks) else 1


sys.exit(main())
