# SPDX-License-Identifier: BSD-2-Clause
"""kernel_state - what BPF is in the kernel, one line a thing, without what is other people's.

    kernel_state.py BUILD…

Prints "prog 12 NAME", "map 7 NAME", "link 3 TYPE" as bpftool(8) sees them, and tracefs's
dynamic events. Two of these, before and after a suite, tell what it left behind. The kernel is shared:
what a process holds that is no program of the BUILD directories is that process's
business, and so is what hangs on it (the program of its link, the maps of its program).
"""
import glob
import json
import os
import re
import subprocess
import sys


def show(kind):
    done = subprocess.run(["bpftool", "-j", kind, "show"], capture_output=True, timeout=30)
    try:
        things = json.loads(done.stdout or b"[]")
    except ValueError:
        things = []
    return {t["id"]: t for t in things if isinstance(t, dict) and "id" in t}


def held_by_others(builds):
    """Ids by kind that processes hold which are not ours."""
    held = {"prog": set(), "map": set(), "link": set()}
    for proc in glob.glob("/proc/[0-9]*"):
        try:
            exe = os.readlink(proc + "/exe")
        except OSError:
            continue
        if any(exe.startswith(build + "/") for build in builds):
            continue
        for info in glob.glob(proc + "/fdinfo/*"):
            try:
                with open(info, encoding="ascii", errors="replace") as file:
                    text = file.read()
            except OSError:
                continue
            for kind, number in re.findall(r"^(prog|map|link)_id:\s*(\d+)", text, re.M):
                held[kind].add(int(number))
    return held


def main(builds):
    builds = [os.path.realpath(build) for build in builds]
    progs, maps, links = show("prog"), show("map"), show("link")
    others = held_by_others(builds)
    for number in others["link"] & links.keys():
        others["prog"].add(links[number].get("prog_id"))
    for number in others["prog"] & progs.keys():
        others["map"].update(progs[number].get("map_ids", []))
    for kind, things in (("prog", progs), ("map", maps), ("link", links)):
        for number, thing in sorted(things.items()):
            if number not in others[kind]:
                print(kind, number, thing.get("name") or thing.get("type"))
    for root in ("/sys/kernel/tracing", "/sys/kernel/debug/tracing"):
        try:
            with open(root + "/dynamic_events", encoding="ascii", errors="replace") as file:
                print("".join("event " + line for line in file), end="")
            break
        except OSError:
            pass


main(sys.argv[1:])
