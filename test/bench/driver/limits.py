# SPDX-License-Identifier: MIT
"""Two tables beside the figures: where we are beyond the project's own limits, and how well the
loads match the well-known programs whose names they have."""
import math

from driver import table
from driver.rounds import AA

SLOWER_MAX = 1.25  # times the best peer here
LARGER_MAX = 1.5   # times the leanest of the three fastest peers
PROGRAMS = ("start", "python-json", "gcc", "perl", "sqlite3", "redis")

# CPU time of the original programs, peers over mimalloc 2.0.9, measured once on a machine of the
# same kind with the same Debian packages. The rows' own noise there is 1 to 15 %.
PUBLISHED_PEERS = ("tc", "je", "tbb", "glibc")
PUBLISHED = {
    "cfrac-1": (0.85, 1.15, 1.22, 1.10), "larson-1": (0.90, 1.11, 1.95, 1.66),
    "mstress-1": (0.96, 1.14, 1.18, 1.19), "rptest-1": (0.90, 1.29, 1.43, 1.72),
    "xmalloc-1": (2.59, 2.68, 2.42, 3.47), "glibc-simple-1": (1.03, 1.19, 1.63, 1.41),
    "glibc-thread-1": (0.97, 1.06, 2.18, 1.45), "alloc-test-1": (0.93, 0.95, 1.35, 1.10),
    "malloc-large-1": (0.28, 1.16, 0.72, 0.38), "larson-2": (1.03, 1.23, 1.92, 1.81),
    "mstress-2": (1.20, 1.88, 1.14, 1.16), "rptest-2": (0.77, 1.50, 1.40, 2.01),
    "xmalloc-2": (6.14, 3.13, 1.95, 2.48), "xmalloc-var-2": (2.20, 2.08, 1.49, 3.71),
    "glibc-thread-2": (1.29, 1.06, 2.10, 1.46), "larson-8": (1.32, 1.69, 2.56, 2.00),
    "mstress-8": (1.27, 2.41, 1.31, 1.46), "rptest-8": (0.81, 1.12, 0.91, 1.70),
    "xmalloc-8": (4.27, 3.42, 1.92, 2.62), "glibc-thread-8": (1.02, 1.00, 2.01, 1.40),
    "mleak-1": (0.54, 1.23, 0.45, 0.56), "gcc": (0.96, 0.99, 0.90, 0.96),
    "python-json": (0.80, 0.87, 0.94, 0.99)}


def fidelity_table(results):
    """Each peer's ratio here, and the original program's in brackets."""
    lines, distances = [], []
    for row in results.rows:
        if row not in PUBLISHED:
            continue
        cells = []
        for peer, there in zip(PUBLISHED_PEERS, PUBLISHED[row]):
            here = results.ratio(row, peer, "cpu_s") if peer in results.peers else None
            cells.append(f"{here:.2f} ({there:.2f})" if here else f"- ({there:.2f})")
            if here:
                distances.append(abs(math.log(here / there)))
        lines.append([row, *cells])
    if not distances:
        return ""
    typical = math.exp(table.median(distances))
    return (table.render(["here (the original)", *PUBLISHED_PEERS], lines)
            + f"\n\nHalf of these are within a factor of {typical:.2f} of the original's.")


def beyond(results, row):
    """What is wrong in this row, as text; nothing if all is well."""
    others = [peer for peer in results.peers if peer != "ours"]

    def ratios(key):
        return {peer: ratio for peer in others
                if (ratio := 1.0 if peer == results.reference and results.values(row, peer, key)
                    else results.ratio(row, peer, key))}

    cpu, memory = ratios("cpu_s"), ratios("peak_rss")
    our_cpu, our_memory = results.ratio(row, "ours", "cpu_s"), results.ratio(row, "ours", "peak_rss")
    found = []
    if our_cpu and cpu:
        best = min(cpu, key=cpu.get)
        if our_cpu > SLOWER_MAX * cpu[best]:
            found.append(f"CPU time {our_cpu / cpu[best]:.2f} times {best}'s")
        if row in PROGRAMS and "glibc" in cpu and our_cpu > cpu["glibc"]:
            found.append(f"CPU time {our_cpu / cpu['glibc']:.2f} times glibc's")
    if our_memory and memory:
        fastest = sorted((peer for peer in cpu if peer in memory), key=cpu.get)[:3]
        if fastest:
            leanest = min(fastest, key=memory.get)
            if our_memory > LARGER_MAX * memory[leanest]:
                found.append(f"memory {our_memory / memory[leanest]:.2f} times {leanest}'s")
    return "; ".join(found)


def limits_table(results):
    if "ours" not in results.peers or len(results.peers) < 3:
        return ""
    lines = []
    for row in results.rows:
        found = beyond(results, row)
        if found:
            noise = max(results.noise(row, "cpu_s") or 0, results.noise(row, "peak_rss") or 0)
            again = results.ratio(row, AA, "cpu_s")
            lines.append([row, found, f"{100 * noise:.0f}%", f"{again:.2f}" if again else "-"])
    return table.render(["row", "beyond", "noise", "A/A"], lines, left=2) if lines else "None."


def program_means(results):
    """The real programs' geometric means: ours is not to be above any peer's."""
    rows = [row for row in results.rows if row in PROGRAMS]
    if len(rows) < 2:
        return ""
    cells = []
    for peer in results.peers:
        ratios = [1.0 if peer == results.reference else results.ratio(row, peer, "cpu_s")
                  for row in rows]
        mean = table.geomean(ratios)
        cells.append(f"{mean:.3f}" if mean else "-")
    return table.render(["real programs", *results.peers], [["CPU time, geometric mean", *cells]])
