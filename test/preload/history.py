# SPDX-License-Identifier: MIT
"""Writes 300 commits over 20 files for git fast-import, the same ones every time."""
import sys

COMMITS = 300
FILES = 20


def line(file, number, commit):
    return "file %d line %d %s\n" % (file, number, "word%d " % (commit * 7 % 31) * (number % 9 + 1))


def main():
    out = sys.stdout
    contents = [[line(file, number, 0) for number in range(150)] for file in range(FILES)]
    for commit in range(1, COMMITS + 1):
        file = commit * 5 % FILES
        for number in range(commit % 11, 150, 13):
            contents[file][number] = line(file, number, commit)
        contents[file].insert(commit % 100, "added by %d\n" % commit)
        message = "commit %d\n\nChanges file %d.\n" % (commit, file)
        out.write("commit refs/heads/main\nmark :%d\n" % commit)
        out.write("committer A Person <person@example.com> %d +0000\n" % (1700000000 + commit * 60))
        out.write("data %d\n%s" % (len(message), message))
        if commit > 1:
            out.write("from :%d\n" % (commit - 1))
        # The first commit brings all files.
        for index in range(FILES) if commit == 1 else [file]:
            text = "".join(contents[index])
            out.write("M 100644 inline file%d.txt\ndata %d\n%s\n" % (index, len(text), text))


main()
