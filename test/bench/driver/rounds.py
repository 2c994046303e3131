# SPDX-License-Identifier: MIT
"""Interleaved rounds: in each, every row runs with every peer in turn, and the order rotates, so
that whatever else the machine does meets all of them alike. Figures are compared within a round."""
import sys
import time
from dataclasses import dataclass, field

from driver import table

AA = "A/A"


class Budget:
    """The time that the rounds may take: on a busy machine there are fewer of them, never none."""

    def __init__(self, minutes):
        self.end = time.monotonic() + 60 * minutes

    def allows(self, round_s):
        return time.monotonic() + round_s < self.end


@dataclass
class Results:
    """runs[row name][peer name] is a list with one dict of figures per round, None where it failed."""
    reference: str
    peers: list
    rows: list
    runs: dict = field(default_factory=dict)
    failures: dict = field(default_factory=dict)  # (row, peer) -> reason
    rounds_done: int = 0

    def values(self, row, peer, key):
        return [run[key] for run in self.runs[row].get(peer, []) if run and run.get(key)]

    def ratios(self, row, peer, key):
        """The peer over the reference, round by round."""
        pairs = zip(self.runs[row].get(peer, []), self.runs[row].get(self.reference, []))
        return [mine[key] / theirs[key] for mine, theirs in pairs
                if mine and theirs and mine.get(key) and theirs.get(key)]

    def ratio(self, row, peer, key):
        return table.median(self.ratios(row, peer, key))

    def noise(self, row, key):
        """The median deviation of the ratios, over all the peers."""
        spreads = [table.spread(self.ratios(row, peer, key))
                   for peer in [*self.peers, AA] if peer != self.reference]
        return table.median([spread for spread in spreads if spread is not None])


def measure(rows, peers, reference, round_count, timeout_s, with_aa=True, budget=None):
    """Runs everything; a row and peer that failed once is not tried again."""
    columns = [(peer.name, peer) for peer in peers]
    if with_aa:
        columns.append((AA, next(peer for peer in peers if peer.name == reference)))
    results = Results(reference, [peer.name for peer in peers], [row.name for row in rows])
    for row in rows:
        results.runs[row.name] = {name: [] for name, _ in columns}
    longest = 0.0
    for number in range(round_count):
        if number > 0 and budget is not None and not budget.allows(longest):
            break
        begin = time.monotonic()
        for at, row in enumerate(rows):
            progress(f"round {number + 1}/{round_count}  {at + 1}/{len(rows)}  {row.name}")
            shift = (number + at) % len(columns)
            for name, peer in columns[shift:] + columns[:shift]:
                measure_one(results, row, name, peer, timeout_s, number == 0)
        longest = max(longest, time.monotonic() - begin)
        results.rounds_done += 1
    progress("")
    return results


def measure_one(results, row, name, peer, timeout_s, first):
    if (row.name, name) in results.failures:
        results.runs[row.name][name].append(None)
        return
    outcome = row.run(peer, timeout_s, first)
    if outcome.failure:
        results.failures[row.name, name] = outcome.failure
    results.runs[row.name][name].append(outcome.figures or None)


def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text)
        sys.stderr.flush()
