# SPDX-License-Identifier: MIT
"""The command line of bin/bench."""
import argparse

from driver import instructions, peers, places


def parse(argv):
    parser = argparse.ArgumentParser(
        prog="bin/bench", description="Measures the allocator against its peers.")
    parser.add_argument("--instructions", action="store_true",
                        help="only the exact instruction counts of the fast path (seconds)")
    parser.add_argument("--profile", metavar="MODE-SIZE",
                        help="where the instructions of one cell go, e.g. keep-64, first peer only")
    parser.add_argument("--so", action="append", default=[], metavar="NAME=PATH",
                        help="one more library as a peer; may be repeated")
    parser.add_argument("--peers", metavar="A,B", help="only these peers; 'none' for --so alone")
    parser.add_argument("--loads", metavar="A,B", help="only these loads (or modes, or mode-size)")
    parser.add_argument("--quick", action="store_true", help="fewer cells, smaller work, few rounds")
    parser.add_argument("--no-build", action="store_true", help="use the programs as they are")
    return parser.parse_args(argv)


def run(argv):
    options = parse(argv)
    if not options.no_build:
        places.build_native()
    chosen = peers.choose(options.peers, peers.parse_extra(options.so))
    if not chosen:
        raise SystemExit("bench: no peer is left")
    if options.profile:
        instructions.profile(chosen[0], options.profile)
    else:
        instructions.run(chosen, options)
    return 0
