# SPDX-License-Identifier: MIT
"""A file system that is really full: minject reports it, and the old file is whole.

    full_disk.py MADE MINJECT

mounts a small tmpfs in a mount namespace of its own (as root, or in a user namespace)."""
import os
import subprocess
import sys
import tempfile

PAGE = 4096


def read(path):
    with open(path, "rb") as file:
        return file.read()


def enter_namespace():
    options = ["--mount"] if os.geteuid() == 0 else ["--user", "--map-root-user", "--mount"]
    os.execvp("unshare", ["unshare", *options, sys.executable, "-B", *sys.argv, "--inside"])


def attempt(made, minject, pages):
    """Returns minject's exit status on a file system of so many pages."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d" % (pages * PAGE), "none", folder],
                       check=True)
        try:
            target = os.path.join(folder, "a.exe")
            subprocess.run([made, target, "overlay_size=40000"], check=True)
            before = read(target)
            done = subprocess.run([minject, "--inplace", target], capture_output=True, text=True,
                                  check=False)
            if done.returncode == 0:
                assert read(target) != before, "not changed"
            else:
                assert done.returncode == 2 and "No space left" in done.stderr, done
                assert read(target) == before, "the old file is damaged"
            assert os.listdir(folder) == ["a.exe"], os.listdir(folder)
            return done.returncode
        finally:
            subprocess.run(["umount", folder], check=True)


def main(made, minject):
    # The file takes 11 pages, its successor 12: from no room at all to room enough.
    statuses = [attempt(made, minject, pages) for pages in range(12, 27)]
    print("exit statuses, with a page more each: %s" % statuses)
    assert statuses[0] == 2 and statuses[-1] == 0 and sorted(statuses, reverse=True) == statuses
    print("%d passed, 0 failed" % len(statuses))


if __name__ == "__main__":
    if sys.argv[-1] != "--inside":
        enter_namespace()
    main(sys.argv[1], sys.argv[2])
