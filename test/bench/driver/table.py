# SPDX-License-Identifier: MIT
"""Figures as text tables, and the small statistics behind them."""
import math
import statistics


def median(values):
    return statistics.median(values) if values else None


def geomean(values):
    values = [value for value in values if value]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def spread(values):
    """The median distance from the median, relative to it."""
    if len(values) < 2:
        return None
    middle = statistics.median(values)
    return statistics.median(abs(value - middle) for value in values) / middle if middle else None


def render(header, rows, left=1):
    """A Markdown table whose columns also line up as plain text; the first `left` are words."""
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(3, *(len(row[i]) for row in cells)) for i in range(len(header))]

    def line(row):
        return "| " + " | ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths))) + " |"

    rule = "| " + " | ".join("-" * width if i < left else "-" * (width - 1) + ":"
                             for i, width in enumerate(widths)) + " |"
    return "\n".join([line(cells[0]), rule, *map(line, cells[1:])])
