# SPDX-License-Identifier: MIT
"""Where things are built and how the benchmark programs get there."""
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
NATIVE = ROOT / "build" / "linux"
OUT = ROOT / "build" / "bench"
OURS = NATIVE / "lib" / "libmimalloc-override.so"


def set_up(with_servers):
    """Installs what is missing, the peers too, and for Wine PostgreSQL; says what it does."""
    options = ["--bench", "--long"] if with_servers else ["--bench"]
    if subprocess.run([ROOT / "bin" / "setup", *options], stdin=subprocess.DEVNULL,
                      check=False).returncode != 0:
        raise SystemExit("bench: bin/setup failed; with --no-build nothing is set up, and the peers"
                         " that are not there are left out")


def build_native():
    """Builds the benchmark programs, and our allocator where its sources build."""
    if not (NATIVE / "build.ninja").exists():
        command(["cmake", "--preset", "linux"], required=True)
    command(["cmake", "--build", str(NATIVE), "--target", "bench_programs"], required=True)
    ours = OURS.relative_to(NATIVE)
    targets = subprocess.run(["ninja", "-C", str(NATIVE), "-t", "query", str(ours)],
                             capture_output=True, check=False)
    if targets.returncode == 0:
        command(["ninja", "-C", str(NATIVE), str(ours)], required=False)


def command(argv, required):
    """Runs a build step quietly; its output is shown when it fails."""
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return True
    print(done.stdout + done.stderr)
    if required:
        raise SystemExit(f"bench: failed: {' '.join(argv)}")
    print(f"bench: failed, going on without: {' '.join(argv)}")
    return False
