# SPDX-License-Identifier: MIT
"""Real Windows programs under Wine on fixed work, as they are and redirected: what they produce must
be the same, which the tests in test/redirect check too; here it is timed."""
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from driver import launch, places

sys.path.insert(0, str(places.ROOT / "test" / "redirect"))
import real_postgres  # noqa: E402
import real_programs as real  # noqa: E402

WINDOWS_BIN = places.ROOT / "build" / "win-x64" / "bin"
MINJECT = places.NATIVE / "bin" / "minject"
HOMES = places.OUT / "wine-real"
PROGRAMS = ["hermesc", "pdftotext"]
FIRST_PORT = 55440
QUERIES = ("select md5(string_agg(md5(i::text), '' order by i)) from generate_series(1, 150000) i",
           "select count(distinct substr(md5(i::text), 1, 4)) from generate_series(1, 150000) i",
           "select sum(length(v::text)) from (select json_agg(json_build_object('id', i, 'name',"
           " 'name ' || i)) v from generate_series(1, 100000) i) t")
TRANSACTIONS = 300


def described(name):
    """Folder in the cache, program, arguments, files that it writes."""
    return real.X64_PROGRAMS[name]


def variant(peer):
    return "redirected" if peer.is_redirected else "plain"


def home_of(peer, folder, program):
    """The program's own folder, copied once; for a redirected peer minject has changed it."""
    home = HOMES / f"{variant(peer)}-{Path(program).stem}"
    if not home.exists():
        shutil.copytree(Path(real.CACHE) / folder, home)
        if peer.is_redirected:
            real.inject(str(MINJECT), str(home / program))
            for name in real.OUR_DLLS:
                if (WINDOWS_BIN / name).exists():  # the redirect's name tells the processor
                    shutil.copy2(WINDOWS_BIN / name, home)
    return home


@dataclass(frozen=True)
class ProgramRow:
    """Wall and CPU time of one whole process, its start included."""
    name: str
    expected: dict = field(default_factory=dict)

    def run(self, peer, timeout_s, first):
        del first
        folder, program, arguments, files = described(self.name)
        home = home_of(peer, folder, program)
        with tempfile.TemporaryDirectory(prefix="bench-") as work:
            for name, data in real.inputs().items():
                (Path(work) / name).write_bytes(data)
            stats = Path(work) / "stats"
            argv = [real.WINE_RUN, f"--runtime={peer.runtime}", f"--timeout={timeout_s}",
                    f"--stats={stats}", str(home / program), *arguments.split()]
            done = subprocess.run(argv, cwd=work, env=launch.environment(), capture_output=True,
                                  stdin=subprocess.DEVNULL, check=False)
            if done.returncode != 0:
                return launch.Outcome(failure=launch.reason(done.returncode,
                                                            done.stderr.decode("latin1")))
            result = real.results(work, done.stdout, files)
            if result != self.expected.setdefault("", result):
                return launch.Outcome(failure="its output differs")
            wall, user, system, peak_kib = map(float, stats.read_text().split())
        return launch.Outcome(figures={"wall_s": wall, "cpu_s": user + system,
                                       "peak_rss": int(peak_kib * 1024)})


class Server(real_postgres.Server):
    """PostgreSQL with a port of its own: the peers' servers run side by side, one at a time busy."""

    def __init__(self, peer, port):
        self.port = port
        real.RUNTIME = f"bench-{peer.name}"
        super().__init__(variant(peer), str(WINDOWS_BIN), str(MINJECT))

    def start(self):
        self.windows("pg_ctl.exe", "start", "-w", "-t", "90", "-D", real.windows_path(self.data), "-l",
                     real.windows_path(os.path.join(self.home, "server.log")), "-o",
                     f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off")

    def client(self, *command):
        done = subprocess.run([command[0], "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres",
                               *command[1:]], capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            raise real.Failure(f"{' '.join(command)}: {done.stderr[-300:]}")
        return done.stdout


class Postgres:
    """One server on Wine's runtime as it is and one redirected; a row asks them in turn."""

    def __init__(self):
        self.servers = {}

    def server(self, peer):
        if peer.name not in self.servers:
            server = Server(peer, FIRST_PORT + len(self.servers))
            server.init()
            server.start()
            self.servers[peer.name] = server
            server.client("pgbench", "-q", "-i", "-s", "2", "postgres")
        return self.servers[peer.name]

    def stop(self):
        for server in self.servers.values():
            try:
                server.stop()
                if server.is_redirected:
                    server.check_log()
            except real.Failure as failure:
                print(f"bench: postgres: {failure}")
            shutil.rmtree(server.home, ignore_errors=True)


@dataclass(frozen=True)
class PostgresRow:
    """Wall time at the client: the work is done by a process that the server started for it."""
    name: str
    postgres: Postgres
    expected: dict = field(default_factory=dict)

    def run(self, peer, timeout_s, first):
        del timeout_s, first
        if peer.runtime != "wine":
            return launch.Outcome()  # a server of its own on Wine's runtime is enough
        try:
            server = self.postgres.server(peer)
            began = time.monotonic()
            if self.name == "postgres-query":
                answer = server.client("psql", "-XAtc", ";".join(QUERIES))
                if answer != self.expected.setdefault("", answer):
                    return launch.Outcome(failure="its output differs")
            else:
                server.client("pgbench", "-n", "-c", "2", "-t", str(TRANSACTIONS), "postgres")
            return launch.Outcome(figures={"wall_s": time.monotonic() - began})
        except (real.Failure, subprocess.SubprocessError) as failure:
            return launch.Outcome(failure=str(failure))


def rows(wanted, postgres):
    shutil.rmtree(HOMES, ignore_errors=True)
    every = [ProgramRow(name) for name in PROGRAMS]
    if shutil.which("psql") and shutil.which("pgbench"):
        every += [PostgresRow(name, postgres) for name in ("postgres-query", "postgres-pgbench")]
    return [row for row in every if wanted is None or row.name in wanted]
