# SPDX-License-Identifier: MIT
"""The rules of wine-run that need no Wine: what it does with output and with the server. Its functions
run here on a folder of the test's own, with programs of this system."""
import importlib.machinery
import importlib.util
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
FAILED = []


def load():
    loader = importlib.machinery.SourceFileLoader("wine_run", os.path.join(HERE, "wine-run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("wine_run", loader))
    loader.exec_module(module)
    return module


WINE_RUN = load()


class Server:
    """Stands for what the functions under test ask of the real server."""

    def __init__(self):
        self.pid = None
        self.events = []
        WINE_RUN.server_pid = lambda: self.pid
        WINE_RUN.is_server = lambda pid: pid == self.pid
        WINE_RUN.start_server = self.start
        WINE_RUN.stop = self.stop

    def start(self):
        self.events.append("start")
        self.pid = 1 + len(self.events)

    def stop(self):
        self.events.append("stop")
        self.pid = None


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def unused_for(seconds):
    then = time.time() - seconds
    os.utime(os.path.join(WINE_RUN.BUILD, ".wine.users"), (then, then))


def used_once():
    with WINE_RUN.ServerUse():
        pass


# A program for the shell, run as wine-run runs Wine: its status, standard output and errors.
def execute(script, server=None, **environment):
    env = {**os.environ, "WINEDEBUG": WINE_RUN.WINE_DEBUG, **environment}
    options = {"timeout": 60, "keep": False, "stats": None}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        keep = os.dup(1), os.dup(2)
        sys.stdout.flush()
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        try:
            with server or WINE_RUN.ServerUse() as use:
                status = WINE_RUN.execute(["/bin/sh", "-c", script], env, options, use)
        finally:
            os.dup2(keep[0], 1)
            os.dup2(keep[1], 2)
            os.close(keep[0])
            os.close(keep[1])
        out.seek(0)
        err.seek(0)
        return status, out.read(), err.read()


def wines_errors_are_no_output_of_a_program_that_succeeds():
    Server()
    status, out, err = execute("echo one; echo 0024:err:seh:f two >&2; echo three >&2")
    check((status, out, err) == (0, b"one\n", b"three\n"), (status, out, err))


def wines_errors_are_told_when_the_program_fails():
    Server()
    status, _, err = execute("echo err:virtual:f one >&2; echo two >&2; exit 3")
    check(status == 3, status)
    check(err == b"two\nwine-run: the program failed, and Wine says:\nerr:virtual:f one\n", err)


def what_every_32_bit_program_says_is_no_reason():
    Server()
    _, _, err = execute("echo '0024:err:environ:init_peb in experimental wow64 mode' >&2; exit 3")
    check(err == b"", err)


def whoever_sets_winedebug_sees_everything():
    Server()
    _, _, err = execute("echo 0024:err:seh:f one >&2", WINEDEBUG="+seh")
    check(err == b"0024:err:seh:f one\n", err)


def a_program_that_lost_its_server_has_no_status():
    server = Server()

    class Lost(WINE_RUN.ServerUse):
        def is_broken(self):
            server.pid = None
            return super().is_broken()

    try:
        execute("exit 0", Lost())
    except WINE_RUN.Failure as failure:
        check("server ended" in str(failure), failure)
    else:
        raise AssertionError("it counts as a success")


def the_server_is_started_once():
    server = Server()
    used_once()
    used_once()
    check(server.events == ["start"], server.events)


def a_server_that_may_be_ending_is_started_anew():
    server = Server()
    used_once()
    unused_for(WINE_RUN.SERVER_TRUSTED_SECONDS + 1)
    used_once()
    used_once()
    check(server.events == ["start", "stop", "start"], server.events)
    unused_for(-10)  # the clock was set back
    used_once()
    check(server.events[3:] == ["stop", "start"], server.events)


def a_server_in_use_is_not_ended():
    server = Server()
    with WINE_RUN.ServerUse():
        unused_for(WINE_RUN.SERVER_IDLE_SECONDS + 1)
        used_once()
    check(server.events == ["start"], server.events)


def a_server_of_a_program_that_was_kept_is_not_ended():
    server = Server()
    used_once()
    unused_for(WINE_RUN.SERVER_IDLE_SECONDS + 1)
    env = {"WINEPREFIX": WINE_RUN.PREFIX, WINE_RUN.RUN_MARK: "1"}
    with subprocess.Popen(["/bin/cat"], env=env, stdin=subprocess.PIPE) as kept:
        used_once()
        kept.stdin.close()
    check(server.events == ["start"], server.events)


def the_server_is_the_prefixs_own():
    real = load()
    real.PREFIX = WINE_RUN.PREFIX
    real.WINESERVER = "/bin/cat"
    for prefix, is_ours in ((real.PREFIX, True), (real.PREFIX + "2", False)):
        with subprocess.Popen([real.WINESERVER], env={"WINEPREFIX": prefix},
                              stdin=subprocess.PIPE) as server:
            check(real.server_pid() == (server.pid if is_ours else None), prefix)
            check(real.is_server(server.pid), server.pid)
            server.stdin.close()
        check(real.server_pid() is None and not real.is_server(server.pid), "it has ended")


TESTS = [wines_errors_are_no_output_of_a_program_that_succeeds,
         wines_errors_are_told_when_the_program_fails,
         what_every_32_bit_program_says_is_no_reason, whoever_sets_winedebug_sees_everything,
         a_program_that_lost_its_server_has_no_status, the_server_is_started_once,
         a_server_that_may_be_ending_is_started_anew, a_server_in_use_is_not_ended,
         a_server_of_a_program_that_was_kept_is_not_ended, the_server_is_the_prefixs_own]


def main():
    for test in TESTS:
        with tempfile.TemporaryDirectory() as folder:
            WINE_RUN.BUILD = folder
            WINE_RUN.PREFIX = os.path.join(folder, "wine")
            os.mkdir(WINE_RUN.PREFIX)
            try:
                test()
                print("ok   %s" % test.__name__)
            except AssertionError as error:
                FAILED.append(test.__name__)
                print("FAIL %s: %s" % (test.__name__, error))
    print("%d passed, %d failed" % (len(TESTS) - len(FAILED), len(FAILED)))
    return 1 if FAILED else 0


sys.exit(main())
