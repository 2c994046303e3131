# SPDX-License-Identifier: MIT
"""bin/bench --targets: each figure that the project has promised itself, measured anew, with the bar
that it must meet, the goal, the noise beside it, and the verdict."""
import json
from dataclasses import dataclass

from driver import (instructions, launch, loads, peers, places, programs, report, rounds, table,
                    threads, wine)

MIB = 1 << 20
TIMEOUT_S = 120
SMALL = (16, 64, 512)
MIDDLE = (4096, 32768)
FRAG = ["frag", "--threads=1", "--scale=100", "--idle"]


@dataclass
class Line:
    """One row: lower is better; noise is in the unit of the figure."""
    name: str
    bar: float
    goal: float
    figure: float | None
    noise: float | None
    unit: str = ""
    note: str = ""

    def verdict(self):
        if self.figure is None:
            return "not measured"
        limit, met = (self.goal, "goal met") if self.figure <= self.goal else (self.bar, "bar met")
        word = met if self.figure <= limit else "missed"
        is_clear = abs(self.figure - self.bar) > 2 * (self.noise or 0)
        return word if is_clear else f"{word}, within noise"

    def cells(self):
        def number(value):
            return "-" if value is None else f"{value:.0f}" if value >= 100 else f"{value:.3g}"

        return [self.name, self.unit, number(self.bar), number(self.goal), number(self.figure),
                number(self.noise) if self.noise is not None else "exact", self.verdict(), self.note]


def middle(name, bar, goal, values, unit="", note=""):
    """A line whose figure is a median and whose noise is the median distance from it."""
    figure = table.median(values)
    spread = table.spread(values)
    return Line(name, bar, goal, figure, spread * figure if spread is not None else 0.0, unit, note)


def scoreboard_lines(options, chosen):
    """Geometric means over the scoreboard; noise is how far A/A is from 1."""
    by_name = {peer.name: peer for peer in chosen}
    pair = [by_name["ours"], by_name[peers.REFERENCE]]
    rows = [row for row in loads.rows(25, None) + programs.rows(25, None) if row.on_scoreboard]
    results = rounds.measure(rows, pair, peers.REFERENCE, options.rounds or 5, TIMEOUT_S,
                             budget=rounds.Budget(options.minutes or 4))
    lines = []
    for title, key, bar, goal in (("CPU time, geometric mean", "cpu_s", 0.86, 0.77),
                                  ("peak memory, geometric mean", "peak_rss", 0.90, 0.75)):
        ours = table.geomean([results.ratio(row, "ours", key) for row in results.rows])
        again = table.geomean([results.ratio(row, rounds.AA, key) for row in results.rows])
        lines.append(Line(title, bar, goal, ours, abs(1 - again) if again else None, "x 2.0.9",
                          f"{len(results.rows)} rows, {results.rounds_done} rounds"))
    return lines


def instruction_lines(ours):
    def worst(modes, sizes):
        counts = {f"{mode} {size}": instructions.count_cell(ours, mode, size)
                  for mode in modes for size in sizes}
        numbers = {cell: count for cell, count in counts.items() if isinstance(count, int)}
        if len(numbers) < len(counts):
            return None, str(counts)
        return max(numbers.values()), ", ".join(f"{cell}: {n}" for cell, n in numbers.items())

    table_rows = (("instructions, keep 16-512 B, the worst", ("keep",), SMALL, 49, 41),
                  ("instructions, pair 16-512 B, the worst", ("pair",), SMALL, 55, 45),
                  ("instructions, pair and keep 4-32 KiB, the worst", ("pair", "keep"), MIDDLE, 90, 60))
    lines = []
    for name, modes, sizes, bar, goal in table_rows:
        figure, note = worst(modes, sizes)
        lines.append(Line(name, bar, goal, figure, None, "", note))
    return lines


def path_ns(ours, mode, size, count):
    argv = [str(places.NATIVE / "bin" / "bench_path"), mode, str(size), str(count // 10), str(count)]
    outcome = launch.run(ours.library, argv, TIMEOUT_S)
    return json.loads(outcome.output)["cpu_ns"] if not outcome.failure else None


def time_lines(ours, repeats):
    mebibyte, batches = [], []
    for _ in range(repeats):
        mebibyte.append(path_ns(ours, "pair", MIB, 2000000))
        batches.append(sum(path_ns(ours, order, 4096, 4000000) for order in ("fifo", "lifo")) / 2)
    return [middle("pair of 1 MiB", 100, 20, mebibyte, "ns"),
            middle("batches of 4 KiB, FIFO and LIFO", 33, 14, batches, "ns")]


def frag_runs(ours, repeats, settings=None):
    argv = [str(places.NATIVE / "bin" / "bench_loads"), *FRAG]
    outcomes = [launch.run(ours.library, argv, TIMEOUT_S, settings=settings) for _ in range(repeats)]
    return [json.loads(outcome.output) for outcome in outcomes if not outcome.failure]


def fragmentation_lines(ours, repeats):
    plain = frag_runs(ours, repeats)
    purging = frag_runs(ours, repeats, {"MIMALLOC_BACKGROUND_PURGE": "1"})

    def resident(runs, key):
        return [run[key] / MIB for run in runs]

    note = f"{table.median(resident(plain, 'idle_rss')):.1f} without the call" if plain else ""
    return [middle("fragmentation: peak over live", 2.0, 1.5,
                   [(run["peak_rss"] - run["table"]) / run["live_peak"] for run in plain]),
            middle("resident 1 s after all was freed, and one call", 15, 5,
                   resident(plain, "called_rss"), "MiB", note),
            middle("the same with no call, background purge on", 15, 5,
                   resident(purging, "idle_rss"), "MiB")]


def per_cent(name, values, note):
    """The noise is in per cent of the throughput: a relative one says nothing near 0."""
    line = middle(name, threads.BAR, threads.BAR, values, "%", note)
    line.noise = table.median([abs(value - line.figure) for value in values]) if values else None
    return line


def thread_lines(ours, repeats):
    lines = []
    for case in threads.CASES:
        values = threads.figures(case, ours, repeats, TIMEOUT_S)
        name = f"{case.load}: throughput lost from {threads.FEW} to {threads.MANY} threads"
        lines.append(per_cent(f"{name}, {case.how}", values["lost"], threads.note(values)))
        lines.append(per_cent("... less what the threads lose by themselves", values["ours"], ""))
    return lines


def wine_lines(options):
    try:
        if not options.no_build:
            wine.build()
        wine.stage()
        usable = [peer for peer in wine.prepare() if peer.runtime == "wine"]
    except SystemExit as problem:
        print(problem)
        usable = []
    plain = next((peer for peer in usable if not peer.is_redirected), None)
    ours = next((peer for peer in usable if peer.is_redirected), None)
    if plain is None or ours is None:
        return [Line("Wine: redirected pair of 16 B", 10, 8, None, None, "ns"),
                Line("Wine: process start added by both DLLs", 5, 2, None, None, "ms")]
    starts = wine.start_costs([plain, ours], 25)
    pairs = wine.pair_times([plain, ours], 5)
    lines = [middle("Wine: redirected pair of 16 B", 10, 8, pairs[ours.name], "ns",
                    f"Wine's own heap: {table.median(pairs[plain.name]):.0f}")]
    for key, what in (("wall_s", "wall"), ("cpu_s", "CPU")):
        base, again, with_us = (wine.milliseconds(starts[name], key)
                                for name in (plain.name, rounds.AA, ours.name))
        added = table.median(with_us) - table.median(base + again)
        noise = abs(table.median(base) - table.median(again))
        lines.append(Line(f"Wine: process start added by both DLLs, {what} time", 5, 2, added, noise,
                          "ms", f"plain {table.median(base):.1f}, {len(with_us)} starts each"))
    return lines


def run(options, chosen):
    ours = next((peer for peer in chosen if peer.name == "ours"), None)
    if ours is None or peers.REFERENCE not in [peer.name for peer in chosen]:
        raise SystemExit(f"bench: --targets needs ours and {peers.REFERENCE}")
    machine = report.machine()
    repeats = 3 if options.quick else 7
    lines = scoreboard_lines(options, chosen) + instruction_lines(ours) + time_lines(ours, repeats)
    lines += fragmentation_lines(ours, repeats) + thread_lines(ours, repeats) + wine_lines(options)
    body = report.intro(machine, None) + table.render(
        ["figure", "unit", "bar", "goal", "ours", "noise", "verdict", "note"],
        [line.cells() for line in lines], left=2) + "\n"
    print(body)
    report.save("targets", body, {"machine": report.finish(machine), "targets": [
        {**vars(line), "verdict": line.verdict()} for line in lines]})
