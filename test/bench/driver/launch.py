# SPDX-License-Identifier: MIT
"""Starts one measured process through bench_run. A peer that fails gives a reason, not an exception."""
import json
import os
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from driver import places


# Off unless --thp asks for what the system is set to.
HUGE_PAGES = ["thp-off"]


@dataclass
class Outcome:
    """figures is empty when failure is not; output is what the program printed."""
    figures: dict = field(default_factory=dict)
    failure: str = ""
    output: str = ""


def bench_run_argv(report, library, program):
    return [str(places.NATIVE / "bin" / "bench_run"), str(report), library or "-", *HUGE_PAGES,
            *program]


def environment():
    """Nothing of the caller's that changes an allocator."""
    dropped = ("LD_PRELOAD", "MALLOC_", "MIMALLOC_", "TCMALLOC_", "TBB_", "GLIBC_TUNABLES")
    return {key: value for key, value in os.environ.items() if not key.startswith(dropped)}


def reason(status, stderr):
    last = stderr.strip().splitlines()[-1] if stderr.strip() else ""
    if status > 128:
        try:
            return f"crash: {signal.Signals(status - 128).name}"
        except ValueError:
            pass
    return f"exit {status}: {last}" if last else f"exit {status}"


def run(library, program, timeout_s, stdin=None, settings=None):
    """Runs the program with the library preloaded and returns what it used; settings are added to its
    environment."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        report = Path(folder) / "report"
        process = subprocess.Popen(
            bench_run_argv(report, library, program), env=environment() | (settings or {}), text=True,
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        try:
            output, errors = process.communicate(stdin, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            end_group(process)
            return Outcome(failure=f"time-out after {timeout_s} s")
        if process.returncode != 0:
            return Outcome(failure=reason(abs(process.returncode), errors), output=output)
        # The dynamic linker goes on without a library that it cannot load.
        if "cannot be preloaded" in errors:
            return Outcome(failure="not loaded: " + errors.strip().splitlines()[0])
        return Outcome(figures=json.loads(report.read_text()), output=output)


def end_group(process):
    """Ends the launcher and all that it started: they are a session of their own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.communicate()
