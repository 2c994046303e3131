# SPDX-License-Identifier: MIT
"""Work for the preload test: many small objects, large ones, threads, C extensions."""
import collections
import decimal
import difflib
import hashlib
import json
import re
import threading
import zlib

ROWS = 20000


def records():
    state = 1
    for index in range(ROWS):
        state = (state * 1103515245 + 12345) % 2**31
        yield {"id": index, "name": "user%d" % (state % 997), "tags": ["t%d" % (state >> s & 15)
               for s in (3, 7, 11)], "score": state / 1000}


def in_threads(function, jobs):
    results = [None] * len(jobs)

    def run(index):
        results[index] = function(jobs[index])

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def main():
    rows = list(records())
    text = json.dumps(rows)
    assert json.loads(text) == rows
    packed = zlib.compress(text.encode(), 9)
    assert zlib.decompress(packed).decode() == text
    by_name = collections.defaultdict(list)
    for row in rows:
        by_name[row["name"]].append(row["score"])
    for name in sorted(by_name):
        print(name, len(by_name[name]), "%.3f" % sum(sorted(by_name[name])))
    print(len(packed), hashlib.sha256(packed).hexdigest())
    print(collections.Counter(re.findall(r"t\d+", text)).most_common(5))
    digests = in_threads(lambda n: hashlib.sha256(
        "".join(str(i * n) for i in range(60000)).encode()).hexdigest(), range(1, 9))
    print("\n".join(digests))
    decimal.getcontext().prec = 2000
    print(decimal.Decimal(2).sqrt())
    lines = [row["name"] for row in rows[:1500]]
    print(len(list(difflib.unified_diff(lines, lines[::2] + lines[1::3], lineterm=""))))


main()
