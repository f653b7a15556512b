"""What processes of this host cost: cpu time and memory, with all their descendants."""

import os
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_LOOK_SECONDS = 0.1


def tree(roots: Sequence[int]) -> list[int]:
    """The processes and all that descend from them."""
    found, todo = [], list(roots)
    while todo:
        pid = todo.pop()
        found.append(pid)
        with suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                todo += [int(child) for child in (task / "children").read_text().split()]
    return found


def cpu_seconds(roots: Sequence[int]) -> float:
    """What they have used, with the children that they have waited for."""
    used = 0
    for pid in tree(roots):
        with suppress(OSError):
            used += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
    return used / _TICKS


def resident_mib(roots: Sequence[int]) -> float:
    """Their resident memory, what they share counted in each."""
    pages = 0
    for pid in tree(roots):
        with suppress(OSError):
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * _PAGE / 1024**2


def threads(roots: Sequence[int]) -> int:
    return sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in tree(roots))


def listener(url: str) -> int | None:
    """The process that listens at a unix:// address; None at any other."""
    if not url.startswith("unix://"):
        return None
    with socket.socket(socket.AF_UNIX) as asked:
        asked.connect(url.removeprefix("unix://"))
        credentials = asked.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid = int(struct.unpack("3i", credentials)[0])
    return pid if pid and Path(f"/proc/{pid}").exists() else None


@contextmanager
def pinned(cores: set[int]) -> Iterator[None]:
    """What is started within runs on these cores only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Meter:
    """Looks at cpu time and memory of processes from its begin to its end."""

    def __init__(self, roots: Sequence[int]) -> None:
        self._roots = roots
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="meter")
        self.first_mib = self.peak_mib = resident_mib(roots)
        self._used = cpu_seconds(roots)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        self._look()

    @property
    def cpu_seconds(self) -> float:
        """What they have used since the begin."""
        return cpu_seconds(self._roots) - self._used

    def _run(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        self.peak_mib = max(self.peak_mib, resident_mib(self._roots))
