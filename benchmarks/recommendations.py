"""Processor time of a process and its children, read from /proc."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def seconds_of(pid: int) -> float:
    parents: dict[int, list[int]] = {}
    used: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            # The name of the program, in brackets, may have spaces in it.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        child = int(folder.name)
        parents.setdefault(int(fields[1]), []).append(child)
        # Of itself in user and kernel mode, and of those of its children that have ended.
        used[child] = sum(int(field) for field in fields[11:15])
    family = [pid]
    for member in family:
        family += parents.get(member, [])
    return sum(used.get(member, 0) for member in family) / TICKS
