# SPDX-License-Identifier: MIT
"""Charts as SVG from a run's JSON, written by hand: no plotting package is needed. Colours and text
are chosen to be read on a light and on a dark page."""
import json
import math
from xml.sax.saxutils import escape

from driver import places, table
from driver.rounds import AA

FOLDER = places.ROOT / "docs" / "charts"
COLOURS = {"ours": "#e8590c", "mi209": "#868e96", "tc": "#1c9ed8", "je": "#2f9e54", "tbb": "#a25ddc",
           "glibc": "#c9a00c", "wine": "#868e96", "ms": "#1c9ed8", "wine+ours": "#e8590c",
           "ms+ours": "#c9a00c"}
# Grey that has a contrast of 4.5 on white and on black; a page's own theme makes it better.
STYLE = """text{font:12px sans-serif;fill:#767676}.title{font-size:15px;font-weight:bold}
.grid{stroke:#767676;stroke-opacity:.3}.one{stroke:#767676;stroke-width:1.5}
@media(prefers-color-scheme:dark){text{fill:#c3c8cd}}
@media(prefers-color-scheme:light){text{fill:#3d4247}}"""


class Drawing:
    def __init__(self, width, height, title):
        self.size = (width, height)
        self.parts = []
        self.text(16, 24, title, cls="title")

    def text(self, x, y, words, anchor="start", cls=""):
        kind = f' class="{cls}"' if cls else ""
        self.parts.append(f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}"{kind}>\n'
                          f"{escape(words)}</text>")

    def line(self, x1, y1, x2, y2, cls="grid"):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                          f'class="{cls}"/>')

    def dot(self, x, y, name, words):
        size = 6 if "ours" in name else 4
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size}" '
                          f'fill="{COLOURS.get(name, "#767676")}">\n'
                          f"<title>{escape(words)}</title></circle>")

    def legend(self, x, y, names):
        for name in names:
            self.dot(x, y - 4, name, name)
            self.text(x + 9, y, name)
            x += 24 + 7 * len(name)

    def save(self, name):
        FOLDER.mkdir(parents=True, exist_ok=True)
        width, height = self.size
        (FOLDER / name).write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}">\n<style>{STYLE}</style>\n'
            + "\n".join(self.parts) + "\n</svg>\n")
        print(f"bench: written to {FOLDER / name}")


class Axis:
    """Values to places, logarithmic: half and twice as much are equally far from the same."""

    def __init__(self, values, start, end):
        self.low = math.log2(min(values) / 1.05)
        self.high = math.log2(max(values) * 1.05)
        self.start, self.end = start, end

    def place(self, value):
        share = (math.log2(value) - self.low) / max(self.high - self.low, 1e-9)
        return self.start + share * (self.end - self.start)

    def ticks(self):
        every = [factor * 2.0 ** power for power in range(-6, 16) for factor in (1, 1.25, 1.5, 1.75)]
        inside = [value for value in every if self.low <= math.log2(value) <= self.high]
        while len(inside) > 9:
            inside = [value for value in inside if math.log2(value) % 1 == 0] \
                if any(math.log2(value) % 1 for value in inside) else inside[::2]
        return inside


def dots(name, title, note, rows, series):
    """One line per row, one dot per series; series[name][row] may be missing."""
    values = [value for line in series.values() for value in line.values() if value]
    if not values:
        return
    left, right, top, step = 150, 30, 74, 19
    height = top + step * len(rows) + 40
    drawing = Drawing(820, height, title)
    drawing.text(16, 44, note)
    drawing.legend(left, 62, series)
    axis = Axis(values, left, 820 - right)
    bottom = top + step * len(rows)
    for tick in axis.ticks():
        x = axis.place(tick)
        drawing.line(x, top - 6, x, bottom, "one" if tick == 1 else "grid")
        drawing.text(x, bottom + 16, f"{tick:g}", "middle")
    for at, row in enumerate(rows):
        y = top + step * at + step / 2
        drawing.line(left, y, 820 - right, y)
        drawing.text(left - 8, y + 4, row, "end")
        for peer in [*(peer for peer in series if "ours" not in peer),
                     *(peer for peer in series if "ours" in peer)]:
            value = series[peer].get(row)
            if value:
                drawing.dot(axis.place(value), y, peer, f"{row}, {peer}: {value:.3g}")
    drawing.save(name)


def corner(name, title, points):
    """Time and memory together: the lower left is the place to be."""
    drawing = Drawing(520, 420, title)
    across = Axis([x for x, _ in points.values()], 70, 490)
    up = Axis([y for _, y in points.values()], 360, 50)
    for tick in across.ticks():
        x = across.place(tick)
        drawing.line(x, 50, x, 360, "one" if tick == 1 else "grid")
        drawing.text(x, 378, f"{tick:g}", "middle")
    for tick in up.ticks():
        y = up.place(tick)
        drawing.line(70, y, 490, y, "one" if tick == 1 else "grid")
        drawing.text(62, y + 4, f"{tick:g}", "end")
    drawing.text(280, 402, "CPU time, geometric mean, ratio to 2.0.9", "middle")
    drawing.text(16, 42, "peak memory")
    for peer, (x, y) in points.items():
        drawing.dot(across.place(x), up.place(y), peer, f"{peer}: {x:.2f}, {y:.2f}")
        drawing.text(across.place(x) + 8, up.place(y) - 7, peer)
    drawing.save(name)


def mean_of(ratios, rows, peer, key):
    return table.geomean([ratios[row].get(peer, {}).get(key) for row in rows])


def draw_native(data):
    ratios = data["results"]["ratios"]
    scoreboard = [row for row in ratios if row in data["scoreboard"]]
    peers = [peer for peer in next(iter(ratios.values())) if peer != AA]
    points = {peer: (mean_of(ratios, scoreboard, peer, "cpu_s"),
                     mean_of(ratios, scoreboard, peer, "peak_rss")) for peer in peers}
    corner("scoreboard.svg", "Time and memory on the scoreboard", points)
    others = [row for row in ratios if row not in scoreboard]
    for rows, suffix, what in ((scoreboard, "", "scoreboard"), (others, "-other", "the other rows")):
        for key, word in (("cpu_s", "CPU time"), ("peak_rss", "peak memory")):
            stem = "cpu" if key == "cpu_s" else "memory"
            dots(f"{stem}{suffix}.svg", f"{word}, {what}", "ratio to mimalloc 2.0.9; left is better",
                 rows, {peer: {row: ratios[row].get(peer, {}).get(key) for row in rows}
                        for peer in peers})
    cells = data.get("instructions", [])
    names = {f"{cell['mode']} {cell['size']}": None for cell in cells}
    series = {}
    for cell in cells:
        if isinstance(cell["instructions"], int) and cell["peer"] not in ("stub", "ideal"):
            series.setdefault(cell["peer"], {})[f"{cell['mode']} {cell['size']}"] = cell["instructions"]
    dots("instructions.svg", "Instructions per malloc and free", "callgrind, exact; left is better",
         list(names), series)


def draw_wine(data):
    ratios = data["results"]["ratios"]
    peers = [peer for peer in next(iter(ratios.values())) if peer != AA]
    dots("wine.svg", "Windows programs under Wine, wall time",
         "ratio to Wine's own heap, which is not Windows' heap; left is better", list(ratios),
         {peer: {row: ratios[row].get(peer, {}).get("wall_s") for row in ratios} for peer in peers})


def draw():
    """Charts of the newest full runs that there are."""
    drawn = False
    for name, function in (("full", draw_native), ("wine", draw_wine)):
        path = places.OUT / f"{name}.json"
        if path.exists():
            function(json.loads(path.read_text()))
            drawn = True
    if not drawn:
        raise SystemExit("bench: no full run's JSON to draw; run bin/bench first")
