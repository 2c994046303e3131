# SPDX-License-Identifier: MIT
"""Text files: ASCII, no trailing blanks, no tabs but where a format wants them, a final newline, a
bounded length; and each source file begins with its licence and with what it is."""
import os

import tree

LINES_MAX = 900
# clang-format holds code to 100; a comment may run over by the end of a word.
COLUMNS_MAX = 104
# Formats that are made of tabs, or where a line cannot be broken.
TABS_ALLOWED = (".tsv",)
LONG_LINES_ALLOWED = (".md", ".tsv", ".json", ".yml")
COMMENT = {".c": "//", ".h": "//", ".cpp": "//", ".hpp": "//", ".py": "#", ".sh": "#", ".rc": "//"}


def comment_sign(name, text):
    suffix = os.path.splitext(name)[1]
    if suffix == "" and text.startswith("#!"):
        return "#"
    return COMMENT.get(suffix)


def text_problems(name, text):
    suffix = os.path.splitext(name)[1]
    rows = text.split("\n")
    if rows[-1] != "":
        yield "%s: no newline at the end" % name
    if len(rows) > LINES_MAX:
        yield "%s: %d lines, the limit is %d" % (name, len(rows), LINES_MAX)
    for number, row in enumerate(rows, 1):
        where = "%s:%d" % (name, number)
        if not row.isascii():
            yield "%s: not ASCII: %s" % (where, ascii(row))
        if row != row.rstrip():
            yield "%s: blanks at the end" % where
        if "\t" in row and suffix not in TABS_ALLOWED:
            yield "%s: tab" % where
        if len(row) > COLUMNS_MAX and suffix not in LONG_LINES_ALLOWED:
            yield "%s: %d columns, the limit is %d" % (where, len(row), COLUMNS_MAX)


def header_problems(name, text):
    sign = comment_sign(name, text)
    if sign is None:
        return
    rows = text.split("\n")
    if rows[0].startswith("#!"):
        rows = rows[1:]
    if rows[0] != sign + " SPDX-License-Identifier: MIT":
        yield "%s: does not begin with its licence" % name
    elif len(rows) < 2 or not rows[1].startswith((sign + " ", '"""')):
        yield "%s: does not say what it is, after its licence" % name


def main():
    problems = []
    names = [name for name in tree.files() if name != "LICENSE"]
    for name in names:
        data = tree.read(name)
        if b"\0" in data:
            # Fuzzing finds are the only binary files.
            if not name.startswith("test/fuzz/"):
                problems.append("%s: a binary file" % name)
            continue
        text = data.decode("utf-8", "replace")
        problems += text_problems(name, text)
        problems += header_problems(name, text)
    tree.finish("text", len(names), problems)


main()
