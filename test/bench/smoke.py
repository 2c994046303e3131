#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs every load at a tiny scale with a library preloaded: the loads check the contents of their
blocks, so this is a test of the allocator and of the loads; no time is looked at.

    smoke.py BENCH_LOADS LIBRARY|-"""
import json
import os
import subprocess
import sys

TIMEOUT_S = 60
MEMORY = ("start_rss", "peak_rss", "freed_rss")
IDLE_MEMORY = ("idle_rss", "called_rss")


def problem_of(program, library, load, threads):
    """Why this run is no good, or None."""
    environment = dict(os.environ)
    if library != "-":
        environment["LD_PRELOAD"] = library
    # One load waits, so that the figures of an idle process are looked at too.
    idle = ["--idle"] if (load, threads) == ("frag", 1) else []
    try:
        done = subprocess.run([program, load, f"--threads={threads}", "--scale=1", *idle],
                              env=environment, capture_output=True, text=True, timeout=TIMEOUT_S,
                              check=False)
    except subprocess.TimeoutExpired:
        return "takes too long"
    if done.returncode != 0:
        return f"exit {done.returncode}: {done.stderr.strip()}"
    # The dynamic linker goes on without a library that it cannot load, and says so.
    if done.stderr:
        return done.stderr.strip()
    figures = json.loads(done.stdout)
    if figures["load"] != load or figures["ops"] <= 0:
        return f"did nothing: {done.stdout.strip()}"
    missing = [key for key in MEMORY + (IDLE_MEMORY if idle else ()) if figures[key] <= 0]
    return f"no figure for {', '.join(missing)}" if missing else None


def main(program, library):
    if library != "-" and not os.path.exists(library):
        raise SystemExit(f"no {library}")
    listing = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout
    loads = [line.split()[0] for line in listing.splitlines()]
    failed = 0
    for load in loads:
        for threads in (1, 2, 5):
            problem = problem_of(program, library, load, threads)
            if problem:
                failed += 1
                print(f"FAIL {load} with {threads} threads: {problem}")
    print(f"{len(loads) * 3 - failed} passed, {failed} failed")
    return 1 if failed or not loads else 0


sys.exit(main(*sys.argv[1:]))
