# SPDX-License-Identifier: MIT
"""What was measured, as tables and as JSON."""
import datetime
import json
import os
import platform
import subprocess

from driver import launch, limits, places, table
from driver.rounds import AA

MIB = 1 << 20


def machine():
    model = "unknown processor"
    try:
        for line in open("/proc/cpuinfo", encoding="utf-8"):
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    commit = subprocess.run(["git", "-C", str(places.ROOT), "describe", "--always", "--dirty"],
                            capture_output=True, text=True, check=False).stdout.strip()
    return {"processor": model, "cores": os.cpu_count(), "kernel": platform.release(),
            "load_average": round(os.getloadavg()[0], 2), "commit": commit,
            "date": datetime.date.today().isoformat()}


def finish(about):
    """What the machine was at the end is part of what it was."""
    return about | {"load_average_at_end": [round(value, 2) for value in os.getloadavg()]}


def ratio_text(results, row, peer, key):
    if (row, peer) in results.failures:
        return results.failures[row, peer].split(":")[0].replace("time-out after ", "> ")
    if (row, results.reference) in results.failures:
        # No ratio is possible; "=" marks the peer's own figure.
        own = table.median(results.values(row, peer, key))
        unit = MIB if key == "peak_rss" else 1
        return f"= {own / unit:.3g}" if own else "-"
    ratio = results.ratio(row, peer, key)
    return f"{ratio:.2f}" if ratio is not None else "-"


def percent(value):
    return f"{100 * value:.0f}%" if value is not None else "-"


def geomean_row(results, title, rows, columns, key):
    def cell(peer):
        mean = table.geomean([results.ratio(row, peer, key) for row in rows])
        return f"**{mean:.2f}**" if mean else "-"

    return [f"**{title}**", "", *map(cell, columns), ""]


def ratio_table(results, title, key, unit, scoreboard):
    """Ratios to the reference, whose own figure is in the second column."""
    columns = [peer for peer in results.peers if peer != results.reference] + [AA]
    lines = []
    for row in results.rows:
        own = table.median(results.values(row, results.reference, key))
        lines.append([row, f"{own / unit:.3g}" if own else
                      ratio_text(results, row, results.reference, key),
                      *(ratio_text(results, row, peer, key) for peer in columns),
                      percent(results.noise(row, key))])
    groups = [("geomean, scoreboard", [row for row in results.rows if row in scoreboard]),
              ("geomean, all", results.rows)]
    for group, rows in groups:
        if len(rows) > 1:
            lines.append(geomean_row(results, group, rows, columns, key))
    header = [title, results.reference, *columns, "noise"]
    return table.render(header, lines)


def freed_table(results):
    """Resident MiB once everything is freed; only the loads that waited."""
    lines = []
    for row in results.rows:
        first = {peer: next((run for run in results.runs[row].get(peer, []) if run), None)
                 for peer in results.peers}
        if not any(run and run.get("idle_rss") for run in first.values()):
            continue
        for key, what in (("peak_rss", "peak"), ("freed_rss", "all freed"),
                          ("idle_rss", "1 s later"), ("called_rss", "one more call")):
            lines.append([row, what, *(f"{run[key] / MIB:.1f}" if run and run.get(key) else "-"
                                       for run in first.values())])
        if any(run and run.get("live_peak") for run in first.values()):
            lines.append([row, "peak / live", *(
                f"{(run['peak_rss'] - run['table']) / run['live_peak']:.2f}"
                if run and run.get("live_peak") else "-"
                for run in first.values())])
    return table.render(["resident MiB", "when", *results.peers], lines, left=2) if lines else ""


def scaling_table(results):
    """Operations per second by the number of threads, and resident memory at the peak."""
    lines = []
    for load in ("server", "prodcons"):
        for threads in (1, 2, 8, 64):
            row = f"{load}-{threads}"
            if row not in results.rows:
                continue

            def cell(peer):
                rates = [run["ops"] / run["wall_s"] / 1e6 for run in results.runs[row][peer] if run]
                peak = table.median(results.values(row, peer, "peak_rss"))
                return f"{table.median(rates):.1f} / {peak / MIB:.0f}" if rates and peak else "-"

            lines.append([row, *map(cell, results.peers)])
    return table.render(["M ops/s / peak MiB", *results.peers], lines) if len(lines) > 2 else ""


def intro(about, round_count):
    count = f"{round_count} rounds; " if round_count is not None else ""
    return (f"{about['processor']}, {about['cores']} cores, Linux {about['kernel']}, load average "
            f"{about['load_average']} at the start and {os.getloadavg()[1]:.1f} at the end; commit "
            f"{about['commit']}, {about['date']}; {count}transparent huge pages "
            f"{launch.HUGE_PAGES[0][4:]}\n\n")


def text(results, scoreboard):
    parts = ["CPU time: median of the rounds' ratios to the reference; its own seconds first",
             ratio_table(results, "CPU time", "cpu_s", 1, scoreboard),
             "Wall time", ratio_table(results, "wall time", "wall_s", 1, scoreboard),
             "Peak resident memory; the reference's in MiB",
             ratio_table(results, "peak RSS", "peak_rss", MIB, scoreboard)]
    for title, body in (("Memory after everything is freed", freed_table(results)),
                        ("Threads on this machine's cores", scaling_table(results)),
                        ("Beyond our own limits", limits.limits_table(results)),
                        ("Real programs together", limits.program_means(results)),
                        ("The loads against the programs they are named after: CPU time over 2.0.9",
                         limits.fidelity_table(results))):
        if body:
            parts += [title, body]
    if results.failures:
        parts += ["Failures", "\n".join(f"- {row}, {peer}: {why}"
                                        for (row, peer), why in sorted(results.failures.items()))]
    return "\n\n".join(parts) + "\n"


def ab_text(results, first, second):
    """Two builds: the second over the first, with the range over the rounds."""
    lines = []
    for row in results.rows:
        cells = []
        for key in ("cpu_s", "wall_s", "peak_rss"):
            ratios = results.ratios(row, second, key)
            if ratios:
                cells += [f"{table.median(ratios):.3f}", f"{min(ratios):.3f}-{max(ratios):.3f}"]
            else:
                cells += [ratio_text(results, row, second, key), "-"]
        noise = results.ratios(row, AA, "cpu_s")
        cells.append(f"{min(noise):.3f}-{max(noise):.3f}" if noise else "-")
        lines.append([row, *cells])
    means = [table.geomean([results.ratio(row, second, key) for row in results.rows])
             for key in ("cpu_s", "wall_s", "peak_rss")]
    lines.append(["**geomean**", *(cell for mean in means
                                   for cell in (f"**{mean:.3f}**" if mean else "-", "")), ""])
    header = [f"{second} / {first}", "CPU", "range", "wall", "range", "peak", "range",
              f"{first} / {first} CPU"]
    failures = "\n".join(f"- {row}, {peer}: {why}" for (row, peer), why in results.failures.items())
    return table.render(header, lines) + "\n" + failures + "\n"


def results_data(results):
    return {"reference": results.reference, "runs": results.runs,
            "failures": [{"row": row, "peer": peer, "reason": why}
                         for (row, peer), why in results.failures.items()],
            "ratios": {row: {peer: {key: results.ratio(row, peer, key)
                                    for key in ("cpu_s", "wall_s", "peak_rss")}
                             for peer in results.runs[row]} for row in results.rows}}


def save(name, body, data):
    places.OUT.mkdir(parents=True, exist_ok=True)
    (places.OUT / f"{name}.md").write_text(body)
    (places.OUT / f"{name}.json").write_text(json.dumps(data, indent=1) + "\n")
    print(f"\nbench: written to {places.OUT / name}.md and .json")
