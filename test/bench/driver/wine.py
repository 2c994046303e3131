# SPDX-License-Identifier: MIT
"""The same loads as Windows programs under Wine: on a C runtime's own heap, and redirected. Wine's
heap is not Windows' heap; the figures say what redirection costs and brings here, no more."""
import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from driver import launch, loads, places, report, rounds, table, wine_programs

WINDOWS = places.ROOT / "build" / "win-x64"
WORK = places.OUT / "wine"
WINE_RUN = places.ROOT / "test" / "support" / "wine-run"
MINJECT = places.NATIVE / "bin" / "minject"
OUR_DLLS = ["mimalloc-override.dll", "mimalloc-redirect.dll"]
PROGRAMS = ["bench_loads.exe", "bench_start.exe", "bench_path.exe"]
ROWS = {"cfrac-1", "larson-1", "mstress-1", "rptest-1", "glibc-simple-1", "glibc-thread-1",
        "malloc-large-1", "batch-fifo-1", "batch-shuffle-1", "server-1", "prodcons-1", "mix-1",
        "realloc-1", "aligned-1", "large-1", "frag-1", "pairs-1", "larson-2", "mstress-2", "rptest-2",
        "xmalloc-2", "glibc-thread-2", "server-2", "prodcons-2", "mix-2", "churn-2"}
STARTS = 5
START_TIMEOUT_S = 60


@dataclass(frozen=True)
class WinePeer:
    name: str
    runtime: str  # wine-run's name of a C runtime
    is_redirected: bool

    def program(self, name):
        return WORK / ("redirected" if self.is_redirected else "plain") / name


PEERS = [WinePeer("wine", "wine", False), WinePeer("ms", "ms", False),
         WinePeer("wine+ours", "wine", True), WinePeer("ms+ours", "ms", True)]


def start(peer, program, arguments, timeout_s, options=()):
    """The program's outcome; Wine's own start is in wall_s, not in what bench_loads prints."""
    argv = [str(WINE_RUN), f"--runtime={peer.runtime}", f"--timeout={timeout_s}", *options,
            str(peer.program(program)), *arguments]
    # wine-run gives up first: it can end what the program has started.
    return launch.run("", argv, timeout_s + 30)


@dataclass(frozen=True)
class WineLoadRow:
    row: loads.LoadRow

    @property
    def name(self):
        return self.row.name

    def run(self, peer, timeout_s, first):
        idle = ["--idle"] if first and (self.row.load, self.row.threads) in loads.IDLE else []
        outcome = start(peer, "bench_loads.exe",
                        [self.row.load, f"--threads={self.row.threads}", f"--scale={self.row.scale}",
                         *idle], timeout_s)
        return loads.from_output(outcome)


@dataclass(frozen=True)
class WineStartRow:
    """A whole small process, the mean of several."""
    name: str = "start"

    def run(self, peer, timeout_s, first):
        del first
        total = {"wall_s": 0.0, "cpu_s": 0.0, "peak_rss": 0}
        for _ in range(STARTS):
            outcome = one_start(peer, timeout_s)
            if outcome.failure:
                return outcome
            total["wall_s"] += outcome.figures["wall_s"] / STARTS
            total["cpu_s"] += outcome.figures["cpu_s"] / STARTS
            total["peak_rss"] = max(total["peak_rss"], outcome.figures["peak_rss"])
        return launch.Outcome(figures=total)


def one_start(peer, timeout_s):
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        stats = Path(folder) / "stats"
        outcome = start(peer, "bench_start.exe", [], timeout_s, [f"--stats={stats}"])
        if not outcome.failure:
            wall, user, system, peak_kib = map(float, stats.read_text().split())
            outcome.figures = {"wall_s": wall, "cpu_s": user + system,
                               "peak_rss": int(peak_kib * 1024)}
        return outcome


def start_costs(peers, count):
    """The figures of many starts that take turns, by column; the last is A/A."""
    columns = [(peer.name, peer) for peer in peers] + [(rounds.AA, peers[0])]
    times = {name: [] for name, _ in columns}
    for number in range(count):
        shift = number % len(columns)
        for name, peer in columns[shift:] + columns[:shift]:
            outcome = one_start(peer, START_TIMEOUT_S)
            if not outcome.failure:
                times[name].append(outcome.figures)
    return times


def pair_times(peers, count):
    """Nanoseconds of CPU time of malloc and free of 16 bytes with 8 more alive, by column."""
    columns = [(peer.name, peer) for peer in peers] + [(rounds.AA, peers[0])]
    times = {name: [] for name, _ in columns}
    for number in range(count):
        shift = number % len(columns)
        for name, peer in columns[shift:] + columns[:shift]:
            pairs = 40000000 if peer.is_redirected else 4000000
            outcome = start(peer, "bench_path.exe", ["keep", "16", "100000", str(pairs)],
                            START_TIMEOUT_S)
            if not outcome.failure:
                times[name].append(json.loads(outcome.output)["cpu_ns"])
    return times


def milliseconds(runs, key):
    return [1000 * run[key] for run in runs]


def fixed_costs_text(starts, pairs):
    """The table of what a process and a call cost on each peer."""
    lines = []
    for name, runs in starts.items():
        line = [name]
        for key in ("wall_s", "cpu_s"):
            values, plain = milliseconds(runs, key), milliseconds(starts[PEERS[0].name], key)
            line += [f"{table.median(values):.1f}",
                     f"{table.median(values) - table.median(plain):+.1f}",
                     report.percent(table.spread(values))] if values and plain else ["-"] * 3
        pair = pairs.get(name, [])
        lines.append([*line, f"{table.median(pair):.1f}" if pair else "-",
                      report.percent(table.spread(pair))])
    return table.render(["Wine", "start, wall ms", "added", "noise", "start, CPU ms", "added", "noise",
                         "pair of 16 B, ns", "noise"], lines)


def build():
    if not (WINDOWS / "build.ninja").exists():
        places.command(["cmake", "--preset", "win-x64"], required=True)
    places.command(["cmake", "--build", str(WINDOWS), "--target", "bench_programs",
                    "mimalloc-override", "mimalloc-redirect"], required=True)
    places.command(["cmake", "--build", str(places.NATIVE), "--target", "minject"], required=True)


def stage():
    """Two folders with the programs; in one they import our allocator first."""
    for variant in ("plain", "redirected"):
        folder = WORK / variant
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in PROGRAMS:
            shutil.copy2(WINDOWS / "bin" / name, folder / name)
    for name in OUR_DLLS:
        shutil.copy2(WINDOWS / "bin" / name, WORK / "redirected" / name)
    for name in PROGRAMS:
        places.command([str(MINJECT), "--inplace", "--force", str(WORK / "redirected" / name)],
                       required=True)


def verdict(peer):
    """Why this peer would not measure what its name says, or None."""
    argv = [str(WINE_RUN), f"--runtime={peer.runtime}", str(peer.program("bench_start.exe"))]
    done = subprocess.run(argv, env=launch.environment() | {"MIMALLOC_VERBOSE": "1"}, text=True,
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=120, check=False)
    if done.returncode != 0:
        return launch.reason(abs(done.returncode), done.stderr)
    said = "redirected: yes" in done.stdout + done.stderr
    if said != peer.is_redirected:
        return "not redirected" if peer.is_redirected else "redirected, but should not be"
    return None


def usable_peers():
    usable = []
    for peer in PEERS:
        problem = verdict(peer)
        if problem:
            print(f"bench: {peer.name} left out: {problem}")
        else:
            usable.append(peer)
    return usable


def prepare():
    """Builds, stages, and returns the peers that measure what their names say."""
    if shutil.which("/usr/lib/wine/wine64") is None:
        raise SystemExit("bench: --wine needs Wine (bin/setup installs it)")
    return usable_peers()


def choose_rows(options, postgres):
    wanted = set(options.loads.split(",")) if options.loads else None
    scale = options.scale or (5 if options.quick else 20)
    rows = [WineLoadRow(row) for row in loads.rows(scale, wanted)
            if row.name in ROWS or wanted is not None]
    if wanted is None or "start" in wanted:
        rows.append(WineStartRow())
    return rows + wine_programs.rows(wanted, postgres)


def run(options):
    if not options.no_build:
        build()
    stage()
    peers = prepare()
    if not peers:
        raise SystemExit("bench: no peer is left")
    postgres = wine_programs.Postgres()
    machine = report.machine()
    count = options.rounds or (2 if options.quick else 5)
    budget = rounds.Budget(options.minutes or (4 if options.quick else 20))
    try:
        results = rounds.measure(choose_rows(options, postgres), peers, peers[0].name, count,
                                 options.timeout, budget=budget)
    finally:
        postgres.stop()
    starts = start_costs(peers, 4 if options.quick else 15)
    pairs = pair_times(peers, 2 if options.quick else 5)
    body = (report.intro(machine, results.rounds_done) + report.text(results, set())
            + "\nStart of a process and a pair of malloc and free\n\n"
            + fixed_costs_text(starts, pairs) + "\n")
    print(body)
    report.save("wine-quick" if options.quick else "wine", body,
                {"machine": report.finish(machine), "results": report.results_data(results),
                 "starts": starts, "pair_ns": pairs})
