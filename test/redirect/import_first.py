#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""import_first.py PROGRAM DLL: moves the import descriptor of DLL to the front of the table, in place.

The linker orders descriptors by the paths of the import libraries. Swapping descriptors of a program
that was just linked is all that these tests need; minject does it for programs of others."""
import struct
import sys


def main(path, dll):
    with open(path, "rb") as file:
        image = bytearray(file.read())
    nt = struct.unpack_from("<I", image, 0x3C)[0]
    section_count, = struct.unpack_from("<H", image, nt + 6)
    optional_size, = struct.unpack_from("<H", image, nt + 20)
    optional = nt + 24
    is_plus = struct.unpack_from("<H", image, optional)[0] == 0x20B
    import_rva, = struct.unpack_from("<I", image, optional + (112 if is_plus else 96) + 8)

    def offset_of(rva):
        for index in range(section_count):
            at = optional + optional_size + 40 * index
            _, start, size, raw = struct.unpack_from("<IIII", image, at + 8)
            if start <= rva < start + size:
                return rva - start + raw
        raise SystemExit("%s: nothing at 0x%x" % (path, rva))

    table = offset_of(import_rva)
    descriptors = []
    while any(image[table + 20 * len(descriptors):][:20]):
        at = table + 20 * len(descriptors)
        descriptors.append(bytes(image[at:at + 20]))

    def name_of(descriptor):
        at = offset_of(struct.unpack_from("<I", descriptor, 12)[0])
        return image[at:image.index(0, at)].decode().lower()

    first = [d for d in descriptors if name_of(d) == dll.lower()]
    if len(first) != 1:
        raise SystemExit("%s does not import %s once" % (path, dll))
    rest = [d for d in descriptors if d is not first[0]]
    image[table:table + 20 * len(descriptors)] = b"".join(first + rest)
    with open(path, "wb") as file:
        file.write(image)


if __name__ == "__main__":
    main(*sys.argv[1:])
