# SPDX-License-Identifier: BSD-2-Clause
"""kernel_view - what is pinned in a directory of a bpffs, as the kernel tells it.

Asks bpf(2) itself: an observer that is neither our code nor the other loader's.
"""
import ctypes
import os
import platform
import struct

NR_BPF = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "s390x": 351, "ppc64le": 361}
MAP_LOOKUP_ELEM, OBJ_GET, MAP_GET_FD_BY_ID, PROG_GET_FD_BY_ID, OBJ_GET_INFO_BY_FD = 1, 7, 14, 13, 15
MAP_TYPE_ARRAY = 2
libc = ctypes.CDLL(None, use_errno=True)


def bpf(cmd, attr):
    attr = ctypes.create_string_buffer(attr.ljust(64, b"\0"), 64)
    ret = libc.syscall(NR_BPF[platform.machine()], cmd, attr, 64)
    if ret < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return ret


def info_of(fd, info):
    """@info: a buffer that may hold pointers to be filled."""
    bpf(OBJ_GET_INFO_BY_FD, struct.pack("<IIQ", fd, len(info), ctypes.addressof(info)))
    return info.raw


def text(raw):
    return raw.split(b"\0", 1)[0].decode("ascii", "replace")


def contents(fd, info):
    """A data section's bytes as a number; None for other maps."""
    kind, _, key_size, value_size, entries = struct.unpack_from("<5I", info)
    if kind != MAP_TYPE_ARRAY or key_size != 4 or entries != 1:
        return None
    key, value = ctypes.create_string_buffer(4), ctypes.create_string_buffer(value_size + 8)
    attr = struct.pack("<IIQQQ", fd, 0, ctypes.addressof(key), ctypes.addressof(value), 0)
    try:
        bpf(MAP_LOOKUP_ELEM, attr)
    except OSError:
        return None
    return value.raw[:value_size].hex()


def view_map(fd, with_contents):
    info = info_of(fd, ctypes.create_string_buffer(88))
    names = ("type", "id", "key_size", "value_size", "max_entries", "flags")
    view = dict(zip(names, struct.unpack_from("<6I", info)))
    del view["id"]
    view["name"] = text(info[24:40])
    btf, view["btf_key"], view["btf_value"] = struct.unpack_from("<3I", info, 64)
    view["btf"] = btf != 0
    view["extra"] = struct.unpack_from("<Q", info, 80)[0]
    if with_contents:
        view["contents"] = contents(fd, info)
    return view


def view_prog(fd, with_contents):
    """The program; .maps are its maps, by what would be their pin's name."""
    count = struct.unpack_from("<I", info_of(fd, ctypes.create_string_buffer(228)), 52)[0]
    ids = ctypes.create_string_buffer(4 * count + 4)
    asked = ctypes.create_string_buffer(228)
    struct.pack_into("<IQ", asked, 52, count, ctypes.addressof(ids))
    info = info_of(fd, asked)
    maps = {}
    for map_id in struct.unpack_from(f"<{count}I", ids.raw):
        map_fd = bpf(MAP_GET_FD_BY_ID, struct.pack("<I", map_id))
        view = view_map(map_fd, with_contents)
        maps[view["name"].replace(".", "_")] = view
        os.close(map_fd)
    u32 = lambda at: struct.unpack_from("<I", info, at)[0]
    return {
        "type": u32(0),
        "name": text(info[64:80]),
        "tag": info[8:16].hex(),
        "xlated": u32(20),
        "gpl": u32(84) & 1,
        "maps": maps,
        "n_maps": count,
        "btf": u32(128) != 0,
        "n_funcs": u32(144),
        "n_lines": u32(148),
        "verified": u32(216),
        "attach_btf": u32(224),
    }


def view_path(path, with_contents):
    name = path.encode() + b"\0"
    buffer = ctypes.create_string_buffer(name)
    fd = bpf(OBJ_GET, struct.pack("<QI", ctypes.addressof(buffer), 0))
    try:
        kind = os.readlink(f"/proc/self/fd/{fd}")
        if kind.endswith("bpf-map"):
            return view_map(fd, with_contents)
        if kind.endswith("bpf-prog"):
            return view_prog(fd, with_contents)
        link_type, _, prog_id = struct.unpack_from(
            "<3I", info_of(fd, ctypes.create_string_buffer(64))
        )
        prog_fd = bpf(PROG_GET_FD_BY_ID, struct.pack("<I", prog_id))
        try:
            return dict(view_prog(prog_fd, with_contents), link=link_type)
        finally:
            os.close(prog_fd)
    finally:
        os.close(fd)


def view_directory(path, with_contents=True):
    """{name: view} of every pin in @path; {} if it is not there."""
    if not os.path.isdir(path):
        return {}
    return {
        name: view_path(os.path.join(path, name), with_contents)
        for name in sorted(os.listdir(path))
    }
