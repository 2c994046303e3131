# SPDX-License-Identifier: MIT
"""The allocators that are compared: each is a name and a library to preload."""
from dataclasses import dataclass
from pathlib import Path

from driver import places

DEBIAN = Path("/usr/lib/x86_64-linux-gnu")
REFERENCE = "mi209"


@dataclass(frozen=True)
class Peer:
    name: str
    library: str  # "" is the C library's own allocator
    package: str = ""

    def is_there(self):
        return self.library == "" or Path(self.library).exists()


def known():
    """Every peer that this machine could have, ours first."""
    return [
        Peer("ours", str(places.OURS)),
        Peer("mi209", str(DEBIAN / "libmimalloc.so.2.0"), "libmimalloc2.0"),
        Peer("tc", str(DEBIAN / "libtcmalloc_minimal.so.4"), "libtcmalloc-minimal4"),
        Peer("je", str(DEBIAN / "libjemalloc.so.2"), "libjemalloc2"),
        Peer("tbb", str(DEBIAN / "libtbbmalloc_proxy.so.2"), "libtbbmalloc2"),
        Peer("glibc", ""),
    ]


def parse_extra(texts):
    """--so name=path, any number of times."""
    extra = []
    for text in texts:
        name, _, path = text.partition("=")
        if not name or not Path(path).is_file():
            raise SystemExit(f"bench: --so wants name=path of a library, not '{text}'")
        extra.append(Peer(name, str(Path(path).resolve())))
    return extra


def choose(names, extra):
    """The peers named (all by default) that are there, then the extra ones; misses are told."""
    by_name = {peer.name: peer for peer in known()}
    if names is None:
        wanted = list(by_name.values())
    elif names == "none":
        wanted = []
    else:
        unknown = [name for name in names.split(",") if name not in by_name]
        if unknown:
            raise SystemExit(f"bench: no such peer: {', '.join(unknown)}; "
                             f"there are {', '.join(by_name)}")
        wanted = [by_name[name] for name in names.split(",")]
    for peer in wanted:
        if not peer.is_there():
            print(f"bench: {peer.name} left out: no {peer.library}"
                  + (f" (package {peer.package})" if peer.package else ""))
    extra_names = {peer.name for peer in extra}
    return extra + [peer for peer in wanted if peer.is_there() and peer.name not in extra_names]
