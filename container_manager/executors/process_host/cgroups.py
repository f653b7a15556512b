"""Control groups, version 1 and 2: limits that the kernel enforces, and what was used under them.

Standard library only: the supervisor of a process job runs this too.
"""

import contextlib
import errno
import os
import signal
import time
from collections.abc import Mapping

_V1 = ("memory", "cpu", "cpuacct", "pids")
_V2 = "unified"
_V2_CONTROLLERS = frozenset({"memory", "cpu", "pids"})
_KILL_SECONDS = 10.0
MIB = 1024 * 1024


def find_parents(parent: str = "/", mounts: str = "/proc/self/mounts") -> dict[str, str]:
    """The directories to make groups in, by controller; on version 2 the one is called "unified".

    Empty where this host does not have all of memory, cpu and pids in one version.
    """
    found: dict[str, str] = {}
    with open(mounts) as lines:
        for line in lines:
            _, where, kind, options, *_ = line.split()
            if kind == "cgroup":
                found.update({name: _below(where, parent) for name in options.split(",") if name in _V1})
            elif kind == "cgroup2":
                found[_V2] = _below(where, parent)
    if found.keys() >= set(_V1):
        return {name: found[name] for name in _V1}
    has_all = _V2 in found and set(_read(found[_V2], "cgroup.controllers").split()) >= _V2_CONTROLLERS
    return {_V2: found[_V2]} if has_all else {}


class Group:
    """The control group of one execution. One of no directories enforces and knows nothing."""

    def __init__(self, directories: dict[str, str]) -> None:
        self.directories = directories
        self._paths = sorted(set(directories.values()))

    @classmethod
    def named(cls, name: str, parents: Mapping[str, str]) -> "Group":
        return cls({controller: os.path.join(parent, name) for controller, parent in parents.items()})

    def create(self, memory_mib: int, cpu_cores: float, pids: int) -> None:
        """Make it, or take the one that is there, and set its limits. Swap counts as memory. Raises OSError."""
        for path in self._paths:
            if _V2 in self.directories:
                _write(os.path.dirname(path), "cgroup.subtree_control", "+memory +cpu +pids")
            with contextlib.suppress(FileExistsError):
                os.mkdir(path)
        if _V2 in self.directories:
            self._limit_v2(memory_mib, cpu_cores, pids)
        elif self.directories:
            self._limit_v1(memory_mib, cpu_cores, pids)

    def join(self) -> None:
        """Put the calling process in it. Raises OSError."""
        self.add(0)

    def add(self, pid: int) -> None:
        """Put a process in it. Raises OSError."""
        for path in self._paths:
            _write(path, "cgroup.procs", str(pid))

    def members(self) -> set[int]:
        return {int(pid) for path in self._paths for pid in _read(path, "cgroup.procs").split()}

    def kill(self) -> None:
        """SIGKILL all that is in it, until nothing is."""
        give_up = time.monotonic() + _KILL_SECONDS
        while (members := self.members()) and time.monotonic() < give_up:
            for pid in members:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.002)

    def remove(self) -> bool:
        """Remove its directories; False if one is still there."""
        give_up = time.monotonic() + _KILL_SECONDS
        while not all(map(_rmdir, self._paths)):
            if self.members() or time.monotonic() > give_up:
                return False
            time.sleep(0.002)
        return True

    def usage(self) -> dict[str, float | None]:
        """`peak_memory_bytes` (page cache included), `cpu_user_seconds`, `cpu_system_seconds` and `oom_kills`.

        A figure that the kernel does not give is None. Empty for a group of no directories.
        """
        if _V2 in self.directories:
            return self._usage_v2()
        return self._usage_v1() if self.directories else {}

    def _limit_v1(self, memory_mib: int, cpu_cores: float, pids: int) -> None:
        memory, quota = str(memory_mib * MIB), _quota(cpu_cores)
        _write(self.directories["memory"], "memory.limit_in_bytes", memory)
        if os.path.exists(os.path.join(self.directories["memory"], "memory.memsw.limit_in_bytes")):
            _write(self.directories["memory"], "memory.memsw.limit_in_bytes", memory)
        _write(self.directories["cpu"], "cpu.cfs_period_us", str(quota[1]))
        _write(self.directories["cpu"], "cpu.cfs_quota_us", str(quota[0]))
        _write(self.directories["pids"], "pids.max", str(pids))

    def _limit_v2(self, memory_mib: int, cpu_cores: float, pids: int) -> None:
        path = self.directories[_V2]
        _write(path, "memory.max", str(memory_mib * MIB))
        if os.path.exists(os.path.join(path, "memory.swap.max")):
            _write(path, "memory.swap.max", "0")
        _write(path, "cpu.max", "{} {}".format(*_quota(cpu_cores)))
        _write(path, "pids.max", str(pids))

    def _usage_v1(self) -> dict[str, float | None]:
        return {
            "peak_memory_bytes": _number(_read(self.directories["memory"], "memory.max_usage_in_bytes")),
            "cpu_user_seconds": _number(_read(self.directories["cpuacct"], "cpuacct.usage_user"), 1e9),
            "cpu_system_seconds": _number(_read(self.directories["cpuacct"], "cpuacct.usage_sys"), 1e9),
            "oom_kills": _number(_keyed(self.directories["memory"], "memory.oom_control", "oom_kill")),
        }

    def _usage_v2(self) -> dict[str, float | None]:
        path = self.directories[_V2]
        return {
            "peak_memory_bytes": _number(_read(path, "memory.peak")),
            "cpu_user_seconds": _number(_keyed(path, "cpu.stat", "user_usec"), 1e6),
            "cpu_system_seconds": _number(_keyed(path, "cpu.stat", "system_usec"), 1e6),
            "oom_kills": _number(_keyed(path, "memory.events", "oom_kill")),
        }


def _below(mount: str, parent: str) -> str:
    return os.path.normpath(f"{mount}/{parent}")


def _quota(cores: float) -> tuple[int, int]:
    # The kernel takes no quota below 1 ms, so a small share needs a longer period.
    period = 100_000 if cores >= 0.01 else 1_000_000
    return int(cores * period), period


def _number(text: str, per: float = 0) -> float | None:
    if not text:
        return None
    return int(text) / per if per else int(text)


def _keyed(path: str, name: str, key: str) -> str:
    return dict(line.split() for line in _read(path, name).splitlines()).get(key, "")


def _read(path: str, name: str) -> str:
    """The file's text; nothing where there is no such file or group."""
    try:
        with open(os.path.join(path, name)) as file:
            return file.read().strip()
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENODEV):  # the latter: removed while it was read
            return ""
        raise


def _write(path: str, name: str, text: str) -> None:
    with open(os.path.join(path, name), "w") as file:
        file.write(text)


def _rmdir(path: str) -> bool:
    try:
        os.rmdir(path)
    except OSError as error:
        return error.errno == errno.ENOENT
    return True
