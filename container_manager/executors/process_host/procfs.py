"""The processes of this host, as /proc tells them. Standard library only: a supervisor runs this too."""

import os
from collections.abc import Iterator
from typing import NamedTuple


class Process(NamedTuple):
    pid: int
    parent: int
    group: int
    started: int  # clock ticks since boot: with it a pid means one process only


def find_process(pid: int) -> Process | None:
    fields = _read(pid, "stat").rpartition(b") ")[2].split()
    return Process(pid, int(fields[1]), int(fields[2]), int(fields[19])) if fields else None


def processes() -> Iterator[Process]:
    """Every process that can be seen."""
    for name in os.listdir("/proc"):
        if name.isdigit() and (process := find_process(int(name))):
            yield process


def descendants(root: int) -> list[int]:
    """The pids of all that stand below a process."""
    children: dict[int, list[int]] = {}
    for process in processes():
        children.setdefault(process.parent, []).append(process.pid)
    found = list(children.get(root, ()))
    for pid in found:
        found += children.get(pid, ())
    return found


def command_line(pid: int) -> bytes:
    """The program and its arguments, each ended by NUL; nothing for one that is gone."""
    return _read(pid, "cmdline")


def has_variable(pid: int, name: str, value: str) -> bool:
    """Whether a process began with this in its environment; False where that cannot be read."""
    return f"{name}={value}".encode() in _read(pid, "environ").split(b"\0")


def _read(pid: int, name: str) -> bytes:
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""
