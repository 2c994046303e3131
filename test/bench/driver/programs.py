# SPDX-License-Identifier: MIT
"""Real programs on fixed work. Their inputs are generated under build/bench; none uses the network
but redis, over the loopback interface."""
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from driver import launch, places

PYTHON = """
import json, sys
count = int(sys.argv[1])
records = [{"id": i, "name": "name %d" % i, "tags": ["t%d" % (i % k + 1) for k in range(1, 6)],
            "nested": {"x": i * 0.5, "y": [i, i + 1, i + 2], "z": None}} for i in range(count)]
total = 0
for _ in range(3):
    text = json.dumps(records)
    back = json.loads(text)
    total += len(text) + len(back)
    assert back == records
print(total)
"""

PERL = r"""
my ($count, %words, @lines) = (shift);
for my $i (1 .. $count) {
    my $line = join ' ', map { 'w' . (($i * 7919 + $_ * 104729) % 50021) } 1 .. 12;
    push @lines, $line if $i % 3 == 0;
    $words{$_} .= substr($line, 0, 5) for grep { length > 3 } split / /, $line;
}
my $bytes = 0;
$bytes += length $words{$_} for sort keys %words;
print scalar(@lines), ' ', $bytes, "\n";
"""

SQL = """
PRAGMA journal_mode=OFF;
CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, value REAL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
INSERT INTO t SELECT i, printf('name %d %x', i, i * 2654435761 % 4294967296), i * 0.25 FROM n;
CREATE INDEX by_name ON t(name);
SELECT count(*), sum(length(name)) FROM t WHERE name > 'name 5';
SELECT substr(name, 1, 7) AS prefix, count(*), avg(value) FROM t GROUP BY prefix
  ORDER BY 2 DESC, 1 LIMIT 5;
"""

LIBC = "libc.so.6"


def c_source(functions):
    """A C file whose functions keep the optimiser busy; the same for the same number."""
    lines = ["struct s { int a, b; struct s *next; };"]
    for i in range(functions):
        lines.append(
            f"static int f{i}(struct s *p, int n)\n{{\n    int r = {i};\n"
            f"    for (struct s *q = p; q; q = q->next) {{\n"
            f"        switch ((q->a + n) % 7) {{\n"
            f"        case 0: r += q->b * {i % 13 + 1}; break;\n"
            f"        case 1: r ^= q->a << {i % 5}; break;\n"
            f"        case 2: for (int k = 0; k < n; k++) r += k * q->a - (r >> 3); break;\n"
            f"        default: r -= q->b / (q->a | 1); }}\n    }}\n"
            f"    return r > {i * 3} ? r : {f'f{i - 1}(p, n - 1)' if i else 'n'} + 1;\n}}")
    lines.append(f"int entry(struct s *p, int n) {{ return f{functions - 1}(p, n); }}")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class ProgramRow:
    """One program: argv, or for a server its own way to run; name is the row's."""
    name: str
    argv: tuple = ()
    stdin: str | None = None
    special: object = None
    expected: dict | None = None
    on_scoreboard: bool = False
    threads: int = 1

    def run(self, peer, timeout_s, first):
        del first
        library = peer.library
        if self.special is not None:
            return self.special(library, timeout_s)
        outcome = launch.run(library, list(self.argv), timeout_s, self.stdin)
        # Every peer's output must be that of the peer which ran first.
        if not outcome.failure and outcome.output != self.expected.setdefault("", outcome.output):
            return launch.Outcome(failure="its output differs")
        return outcome


def start_program(runs):
    """The start of the smallest process, the mean of several."""
    def run(library, timeout_s):
        program = [str(places.NATIVE / "bin" / "bench_start")]
        total = {"wall_s": 0.0, "cpu_s": 0.0, "peak_rss": 0}
        for _ in range(runs):
            outcome = launch.run(library, program, timeout_s)
            if outcome.failure:
                return outcome
            total["wall_s"] += outcome.figures["wall_s"] / runs
            total["cpu_s"] += outcome.figures["cpu_s"] / runs
            total["peak_rss"] = max(total["peak_rss"], outcome.figures["peak_rss"])
        return launch.Outcome(figures=total)
    return run


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            time.sleep(0.02)
    return False


def redis_program(requests):
    """The server's CPU time and memory, and the client's wall time, for a number of requests."""
    def run(library, timeout_s):
        # Debian's server is linked to jemalloc; the C library's allocator has to be asked for.
        library = library or LIBC
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            port = free_port()
            report = Path(folder) / "report"
            server = subprocess.Popen(
                launch.bench_run_argv(report, library, [
                    "redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
                    "--appendonly", "no", "--dir", folder]),
                env=launch.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, start_new_session=True)
            try:
                if not wait_for(port, server, 10):
                    return launch.Outcome(failure="the server does not answer")
                begin = time.monotonic()
                subprocess.run(
                    ["redis-benchmark", "-p", str(port), "-n", str(requests), "-c", "20", "-P", "16",
                     "-r", "50000", "-d", "200", "-q", "-t", "set,get,lpush,hset,sadd,zadd"],
                    check=True, capture_output=True, timeout=timeout_s)
                wall = time.monotonic() - begin
                subprocess.run(["redis-cli", "-p", str(port), "shutdown", "nosave"], check=False,
                               capture_output=True, timeout=10)
                server.communicate(timeout=10)
                if server.returncode != 0:
                    return launch.Outcome(failure=launch.reason(abs(server.returncode), ""))
                return launch.Outcome(figures=json.loads(report.read_text()) | {"wall_s": wall})
            except subprocess.TimeoutExpired:
                return launch.Outcome(failure=f"time-out after {timeout_s} s")
            except subprocess.CalledProcessError as error:
                return launch.Outcome(failure=f"redis-benchmark: exit {error.returncode}")
            finally:
                launch.end_group(server)
    return run


def rows(scale, wanted):
    """The programs that are installed, with work in proportion to `scale` (percent)."""
    def work(full):
        return max(1, full * scale // 100)

    places.OUT.mkdir(parents=True, exist_ok=True)
    source = places.OUT / f"generated-{work(1200)}.c"
    source.write_text(c_source(work(1200)))
    system_python = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
    every = [
        ProgramRow("start", special=start_program(max(3, work(40)))),
        ProgramRow("python-json", (system_python, "-I", "-c", PYTHON, str(work(60000))), expected={},
                   on_scoreboard=True),
        ProgramRow("gcc", ("gcc", "-O1", "-c", str(source), "-o", "/dev/null"), expected={},
                   on_scoreboard=True),
        ProgramRow("perl", ("perl", "-e", PERL, str(work(120000))), expected={}),
        ProgramRow("sqlite3", ("sqlite3", ":memory:"), SQL.format(count=work(2000000)), expected={}),
        ProgramRow("redis", ("redis-server",), special=redis_program(work(200000))),
    ]
    chosen = [row for row in every if wanted is None or row.name in wanted]
    there = [row for row in chosen if not row.argv or shutil.which(row.argv[0])]
    for row in chosen:
        if row not in there:
            print(f"bench: {row.name} left out: no {row.argv[0]} here")
    return there
