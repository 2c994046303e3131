# SPDX-License-Identifier: MIT
"""The command line of bin/bench."""
import argparse
import time

from driver import (chart, instructions, launch, loads, peers, places, programs, report, rounds,
                    targets, wine)

EPILOG = """
bin/bench --quick                     everything, smaller and in few rounds (about 3 minutes)
bin/bench                             everything (about 30 minutes)
bin/bench --instructions              exact instruction counts of the fast path (seconds per peer)
bin/bench --instructions --peers none --so old=a.so --so new=b.so
bin/bench --profile keep-64 --peers ours
bin/bench --targets                   each promised figure with its bar, goal and verdict
bin/bench --charts                    docs/charts/ from the newest full runs
bin/bench --wine --quick              the loads and real programs under Wine
bin/bench --ab --so old=a.so --so new=b.so --loads mix,larson-2 --rounds 11
"""


def parse(argv):
    parser = argparse.ArgumentParser(
        prog="bin/bench", description="Measures the allocator against its peers.", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="less work, fewer rounds and cells")
    parser.add_argument("--instructions", action="store_true",
                        help="only callgrind's instructions per malloc and free")
    parser.add_argument("--profile", metavar="MODE-SIZE",
                        help="where the instructions of one cell go, first peer only")
    parser.add_argument("--ab", action="store_true",
                        help="compare the two libraries of --so on the loads, in pairs")
    parser.add_argument("--so", action="append", default=[], metavar="NAME=PATH",
                        help="one more library as a peer; may be repeated")
    parser.add_argument("--peers", metavar="A,B",
                        help="only these peers: ours,mi209,tc,je,tbb,glibc; 'none' for --so alone")
    parser.add_argument("--reference", metavar="PEER", help="what ratios are to (mi209)")
    parser.add_argument("--loads", metavar="A,B",
                        help="only these: a load (larson), with threads (larson-2), a program (gcc),"
                             " for --instructions a mode (keep) or cell (keep-64)")
    parser.add_argument("--rounds", type=int, help="rounds at most (7; 3 with --quick; 11 with --ab)")
    parser.add_argument("--scale", type=int, help="percent of the full work (100; 10 with --quick)")
    parser.add_argument("--minutes", type=float,
                        help="the rounds end when the next one would take longer than this in all"
                             " (25; 2.5 with --quick)")
    parser.add_argument("--timeout", type=int, default=60, help="seconds for one process (60)")
    parser.add_argument("--thp", action="store_true",
                        help="with transparent huge pages as the system has them (off by default)")
    parser.add_argument("--no-build", action="store_true",
                        help="set up and build nothing: use what is there")
    parser.add_argument("--targets", action="store_true",
                        help="the promised figures, each with bar, goal, noise and verdict")
    parser.add_argument("--charts", action="store_true",
                        help="only draw docs/charts/ from the newest full runs' JSON")
    parser.add_argument("--wine", action="store_true",
                        help="the loads as Windows programs, plain and redirected")
    return parser.parse_args(argv)


def choose_rows(options, default_scale):
    wanted = set(options.loads.split(",")) if options.loads else None
    scale = options.scale or default_scale
    chosen = loads.rows(scale, wanted) + programs.rows(scale, wanted)
    known = {name for row in chosen for name in (row.name, getattr(row, "load", row.name))}
    if wanted is not None and wanted - known:
        raise SystemExit(f"bench: no such load: {', '.join(sorted(wanted - known))}")
    return chosen


def run_ab(options):
    pair = peers.parse_extra(options.so)
    if len(pair) == 1:
        pair = peers.choose(options.peers or "ours", pair)
    if len(pair) != 2:
        raise SystemExit("bench: --ab compares two: --so old=PATH --so new=PATH")
    rows = choose_rows(options, 25)
    results = rounds.measure(rows, pair, pair[0].name, options.rounds or 11, options.timeout)
    body = report.ab_text(results, pair[0].name, pair[1].name)
    print(body)
    report.save("ab", body, {"machine": report.machine(), "results": report.results_data(results)})


def run_all(options, chosen):
    names = [peer.name for peer in chosen]
    reference = options.reference or (peers.REFERENCE if peers.REFERENCE in names else names[-1])
    if reference not in names:
        raise SystemExit(f"bench: the reference {reference} is not among {', '.join(names)}")
    machine = report.machine()
    begin = time.monotonic()
    rows = choose_rows(options, 10 if options.quick else 100)
    count = options.rounds or (3 if options.quick else 7)
    budget = rounds.Budget(options.minutes or (2.5 if options.quick else 25))
    results = rounds.measure(rows, chosen, reference, count, options.timeout, budget=budget)
    scoreboard = {row.name for row in rows if row.on_scoreboard}
    body = report.intro(machine, results.rounds_done) + report.text(results, scoreboard)
    print(body)
    data = {"machine": report.finish(machine), "results": report.results_data(results)}
    if not options.loads:
        data["instructions"], instruction_text = instructions.measure(chosen, options)
        print(instruction_text)
        body += "\n" + instruction_text
    data["scoreboard"] = sorted(scoreboard)
    data["seconds"] = round(time.monotonic() - begin)
    is_part = options.loads or options.peers or options.so or options.thp
    report.save(("quick" if options.quick else "full") + ("-part" if is_part else ""), body, data)


def run_instructions(options, chosen):
    figures, body = instructions.measure(chosen, options)
    print(body)
    report.save("instructions", body, {"machine": report.machine(), "instructions": figures})


def run(argv):
    options = parse(argv)
    if options.thp:
        launch.HUGE_PAGES[:] = ["thp-on"]
    if options.charts:
        chart.draw()
        return 0
    if not options.no_build:
        places.set_up(options.wine)
        places.build_native()
    if options.wine:
        wine.run(options)
        return 0
    if options.ab:
        run_ab(options)
        return 0
    chosen = peers.choose(options.peers, peers.parse_extra(options.so))
    if not chosen:
        raise SystemExit("bench: no peer is left")
    if options.targets:
        targets.run(options, chosen)
    elif options.profile:
        instructions.profile(chosen[0], options.profile)
    elif options.instructions:
        run_instructions(options, chosen)
    else:
        run_all(options, chosen)
    return 0
