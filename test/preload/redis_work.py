# SPDX-License-Identifier: MIT
"""Work for the preload test: a redis server of its own, on a socket in the current folder.

redis-benchmark's requests, then a load that is the same every time, then questions whose answers are
printed: sizes, values, and the server's own digest of all it holds, before and after it has saved
everything, forgotten it and read it again. What depends on time stays in server.log.

Debian's server is linked with jemalloc, but takes malloc, calloc, realloc, free and
malloc_usable_size by these names, so they are ours when preloaded; nallocx, mallctl and
malloc_stats_print stay jemalloc's, which has no blocks of the server's then. That its data lie in our
pages is read from our statistics, which the server leaves in its log."""
import os
import re
import subprocess
import time

SOCKET = "redis.sock"
REQUESTS = "2000"
KEYS = 20000
TESTS = "set,get,incr,lpush,rpop,sadd,hset,spop,zadd,lrange_100,mset"


def redis(*arguments, **options):
    result = subprocess.run(["redis-cli", "-s", SOCKET] + list(arguments), capture_output=True,
                            check=True, timeout=60, **options)
    return result.stdout


def value(index):
    return (b"%d-" % index) * (index * 37 % 700)


def load():
    """The commands, as the server reads them."""
    def command(*words):
        words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word)
                                                   for word in words)
    for index in range(KEYS):
        yield command("SET", "key:%d" % index, value(index))
        yield command("APPEND", "key:%d" % (index // 3), "+%d" % index)
        yield command("RPUSH", "list:%d" % (index % 50), value(index)[:200])
        yield command("HSET", "hash:%d" % (index % 90), "field:%d" % index, index * 7919)
        yield command("ZADD", "sorted", index * 7919 % 100003, "member:%d" % index)
        if index % 3 == 2:
            yield command("DEL", "key:%d" % (index - 1))


def start(log):
    server = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", SOCKET, "--save", "", "--dir", os.getcwd(),
         "--enable-debug-command", "local"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        env=dict(os.environ, MIMALLOC_SHOW_STATS="1"))
    for _ in range(600):
        if os.path.exists(SOCKET):
            return server
        time.sleep(0.05)
    server.kill()
    raise SystemExit("the server does not start")


def work():
    subprocess.run(["redis-benchmark", "-s", SOCKET, "-q", "-c", "10", "-n", REQUESTS, "-d", "300",
                    "-t", TESTS], stdout=subprocess.DEVNULL, check=True, timeout=120)
    print(redis("--pipe", input=b"".join(load())).decode())
    for question in (["DBSIZE"], ["LLEN", "mylist"], ["GET", "counter:__rand_int__"],
                     ["ZRANGE", "sorted", "100", "120", "WITHSCORES"], ["HGETALL", "hash:77"],
                     ["LRANGE", "list:3", "0", "20"], ["DEBUG", "DIGEST"], ["DEBUG", "RELOAD"],
                     ["DEBUG", "DIGEST"]):
        print(question, redis(*question).decode())
    for index in range(KEYS // 2, KEYS, 501):
        expected = b"" if index % 3 == 1 else value(index)
        assert redis("GET", "key:%d" % index) == expected + b"\n", index


def pages_in_use(log):
    """Of all size classes together, as the statistics at the server's end say."""
    return sum(int(line[1]) for line in re.findall(r"pages of class +(\d+): +\d+ +(\d+)", log))


def main():
    with open("server.log", "w+") as log:
        server = start(log)
        try:
            work()
            redis("SHUTDOWN", "NOSAVE")
            print("server ended with", server.wait(timeout=60))
        finally:
            server.kill()
            server.wait()
        log.seek(0)
        text = log.read()
    for name in ("server.log", "dump.rdb"):
        os.remove(name)
    if "LD_PRELOAD" in os.environ and pages_in_use(text) < 200:
        raise SystemExit("the server's data are not in our pages:\n" + text)


main()
