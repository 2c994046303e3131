#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""real_postgres.py WINDOWS_BIN MINJECT [SECONDS]

PostgreSQL for Windows, as it is and redirected (initdb.exe, pg_ctl.exe and postgres.exe changed by
minject): makes a database, starts the server, asks it, loads it with pgbench for SECONDS (10), stops
it, starts it again and asks again. The answers must be the same. MI_RUNTIME: wine or ms."""
import glob
import os
import shutil
import subprocess
import sys
import time

import real_programs as real

PACKAGE = os.path.join(real.CACHE, "embedded-postgres-windows-x64-15.18.0-beta.17/native")
PORT = {"wine": 55432, "ms": 55433}[real.RUNTIME]
MS_RUNTIME = (
    ("dotnet-2.0.0-win-1.0.5/shared/Microsoft.NETCore.App/2.0.0", ["ucrtbase.dll"]),
    (real.HERMES, ["msvcp140.dll", "vcruntime140.dll", "vcruntime140_1.dll"]),
)
QUESTIONS = (
    "select count(*), sum(i) from generate_series(1,300000) i",
    "select md5(string_agg(md5(i::text),'' order by i)) from generate_series(1,100000) i",
    "select string_agg(x, ',' order by x) from (values ('b'),('a'),('C')) v(x)",
    "select count(distinct substr(md5(i::text),1,4)) from generate_series(1,100000) i",
    "select length(repeat('abc', 1000000)), reverse('redirected')",
)
BALANCED = ("select (select sum(abalance) from pgbench_accounts) = "
            "(select coalesce(sum(delta),0) from pgbench_history)")


class Server:
    """One installation with its data, as it is or redirected."""

    def __init__(self, variant, windows_bin, minject):
        self.home = os.path.join(real.BUILD, "real", "%s-postgres-%s" % (real.RUNTIME, variant))
        self.data = os.path.join(self.home, "data")
        self.log = os.path.join(self.home, "redirect.log")
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(PACKAGE, self.home)
        self.env = dict(os.environ, MI_RUNTIME="wine")
        if real.RUNTIME == "ms":
            self.take_microsofts_runtime()
        self.is_redirected = variant == "redirected"
        if self.is_redirected:
            for name in ("initdb.exe", "pg_ctl.exe", "postgres.exe"):
                real.inject(minject, os.path.join(self.home, "bin", name))
            for name in real.OUR_DLLS[:2]:
                shutil.copy(os.path.join(windows_bin, name), os.path.join(self.home, "bin"))
            self.env.update(MIMALLOC_LOG_FILE=real.windows_path(self.log), MIMALLOC_VERBOSE="1")

    def take_microsofts_runtime(self):
        """Into the program's own folder: the server looks for its files relative to itself."""
        for folder, names in MS_RUNTIME:
            for name in names:
                shutil.copy(os.path.join(real.CACHE, folder, name), os.path.join(self.home, "bin"))
        self.env["WINEDLLOVERRIDES"] = "ucrtbase,vcruntime140,vcruntime140_1,msvcp140=n,b"

    def windows(self, program, *arguments):
        result = subprocess.run(
            [real.WINE_RUN, "--keep", "--timeout=180", os.path.join(self.home, "bin", program)] +
            list(arguments), env=self.env, cwd=self.home, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if result.returncode != 0:
            raise real.Failure("%s: %d: %s" % (program, result.returncode,
                                               result.stdout[-600:].decode("latin1")))

    def init(self):
        self.windows("initdb.exe", "-D", real.windows_path(self.data), "-U", "postgres", "-A", "trust",
                     "-E", "UTF8", "--no-locale", "--no-sync")

    def start(self):
        self.windows("pg_ctl.exe", "start", "-w", "-t", "90", "-D", real.windows_path(self.data), "-l",
                     real.windows_path(os.path.join(self.home, "server.log")), "-o",
                     "-p %d -c listen_addresses=127.0.0.1 -c fsync=off" % PORT)

    def stop(self):
        self.windows("pg_ctl.exe", "stop", "-w", "-t", "90", "-m", "fast", "-D",
                     real.windows_path(self.data))

    def client(self, *command):
        result = subprocess.run(list(command[:1]) + ["-h", "127.0.0.1", "-p", str(PORT), "-U",
                                                     "postgres"] + list(command[1:]),
                                capture_output=True, text=True, timeout=300, check=False)
        if result.returncode != 0:
            raise real.Failure("%s: %s" % (" ".join(command), result.stderr[-600:]))
        return result.stdout

    def ask(self):
        return [self.client("psql", "-XAtc", question) for question in QUESTIONS]

    def check_log(self):
        with open(self.log, encoding="latin1") as file:
            verdicts = [line for line in file if "mimalloc-redirect: redirected: " in line]
        bad = [line for line in verdicts if "redirected: yes (" not in line]
        if bad or len(verdicts) < 10:
            raise real.Failure("%d processes, not redirected: %s" % (len(verdicts), bad[:3]))
        print("     %d processes redirected" % len(verdicts))


def session(variant, windows_bin, minject, seconds):
    began = time.monotonic()
    server = Server(variant, windows_bin, minject)
    server.init()
    server.start()
    try:
        answers = server.ask()
        server.client("pgbench", "-q", "-i", "-s", "2", "postgres")
        report = server.client("pgbench", "-n", "-c", "4", "-T", str(seconds), "postgres")
        answers.append(server.client("psql", "-XAtc", BALANCED))
        server.stop()
        server.start()
        answers += server.ask()
        answers.append(server.client("psql", "-XAtc", BALANCED))
    finally:
        server.stop()
    if server.is_redirected:
        server.check_log()
    if any("t\n" != answers[at] for at in (len(QUESTIONS), -1)):
        raise real.Failure("pgbench's balances do not agree with its history")
    rate = [line for line in report.splitlines() if line.startswith("tps")]
    print("     %s: %.0f s in all; %s" % (variant, time.monotonic() - began, rate[0]), flush=True)
    for folder in glob.glob(server.home):
        shutil.rmtree(folder, ignore_errors=True)
    return answers


def main(windows_bin, minject, seconds="10"):
    plain = session("plain", windows_bin, minject, int(seconds))
    redirected = session("redirected", windows_bin, minject, int(seconds))
    if plain != redirected:
        print("FAIL: answers differ\n%s\n%s" % (plain, redirected))
        return 1
    print("1 passed, 0 failed")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except real.Failure as failure:
        sys.exit("FAIL: %s" % failure)
