# SPDX-License-Identifier: BSD-2-Clause
"""carve - the BPF objects of an unpacked package, whole files and those inside of others.

    carve.py TREE DESTINATION

Looks for the ELF magic and a 64-bit header of a relocatable file for e_machine 247, at any offset of any
file: skeletons keep their object in a program's read-only data. How long it is, its
section headers say. Writes DESTINATION/NAME.o or, of several in a file, NAME.N.o.
"""
import os
import struct
import sys

EM_BPF, ET_REL, SHT_NOBITS = 247, 1, 8
SIZE_OF = {"header": 64, "section": 64}


def extent(data, start):
    """Bytes that the object at @start has, 0 if there is none."""
    header = data[start : start + SIZE_OF["header"]]
    if len(header) < SIZE_OF["header"] or header[4] != 2 or header[5] not in (1, 2):
        return 0
    order = "<" if header[5] == 1 else ">"
    kind, machine = struct.unpack_from(order + "HH", header, 16)
    if (kind, machine) != (ET_REL, EM_BPF):
        return 0
    table = struct.unpack_from(order + "Q", header, 40)[0]
    entry, count = struct.unpack_from(order + "HH", header, 58)
    if entry != SIZE_OF["section"] or not count or start + table + count * entry > len(data):
        return 0
    end = table + count * entry
    for i in range(count):
        at = start + table + i * entry
        sh_type = struct.unpack_from(order + "I", data, at + 4)[0]
        offset, size = struct.unpack_from(order + "QQ", data, at + 24)
        if sh_type != SHT_NOBITS:
            end = max(end, offset + size)
    return end if start + end <= len(data) else 0


def objects_of(data):
    at = data.find(b"\x7fELF")
    while at >= 0:
        size = extent(data, at)
        if size:
            yield data[at : at + size]
        at = data.find(b"\x7fELF", at + (size or 4))


def main(tree, destination):
    taken = set()
    for folder, subfolders, files in os.walk(tree):
        subfolders.sort()
        for name in sorted(files):
            path = os.path.join(folder, name)
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                found = list(objects_of(file.read()))
            base = name[:-2] if name.endswith(".o") else name
            for i, data in enumerate(found):
                # Names may repeat between folders.
                out, n = f"{base}.o" if len(found) == 1 else f"{base}.{i}.o", 1
                while out in taken:
                    n += 1
                    out = f"{base}_{n}.o" if len(found) == 1 else f"{base}_{n}.{i}.o"
                taken.add(out)
                with open(os.path.join(destination, out), "wb") as file:
                    file.write(data)


main(sys.argv[1], sys.argv[2])
