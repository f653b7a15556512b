"""Control groups, version 1 and 2: limits that the kernel enforces, and what was used under them.

Standard library only: the supervisor of a process job runs this too.
"""

import contextlib
import errno
import os
import signal
import time
from collections.abc import Collection, Iterator, Mapping

_V1 = ("memory", "cpu", "cpuacct", "pids")
_V1_IO = "blkio"
_V1_BYTES = "blkio.throttle.io_service_bytes_recursive"
_V2 = "unified"
_V2_IO = "io"
_V2_CONTROLLERS = frozenset({"memory", "cpu", "pids"})
_KILL_SECONDS = 10.0
MIB = 1024 * 1024


def find_parents(parent: str = "/", mounts: str = "/proc/self/mounts") -> dict[str, str]:
    """The directories to make groups in, by controller; on version 2 the one is called "unified".

    Empty where this host does not have all of memory, cpu and pids in one version; blkio may be missing.
    """
    found = {name: _below(where, parent) for where, names in _mounted(mounts) for name in names}
    if found.keys() >= set(_V1):
        return {name: found[name] for name in (*_V1, _V1_IO) if name in found}
    return {_V2: found[_V2]} if _V2 in found and _controllers(found[_V2]) >= _V2_CONTROLLERS else {}


def find_hierarchies(mounts: str = "/proc/self/mounts") -> list[str]:
    """Where every hierarchy of this host is mounted: an engine makes its groups in each."""
    return [where for where, _ in _mounted(mounts)]


def counts_below(parents: Mapping[str, str]) -> bool:
    """Whether the memory of groups counts in the groups above them: version 1 can be without."""
    return _read(parents.get("memory", ""), "memory.use_hierarchy") != "0"


def _mounted(mounts: str) -> Iterator[tuple[str, list[str]]]:
    with open(mounts) as lines:
        for line in lines:
            _, where, kind, options, *_ = line.split()
            if kind in ("cgroup", "cgroup2"):
                yield where, options.split(",") if kind == "cgroup" else [_V2]


class Group:
    """The control group of one execution, with the groups below it. One of no directories enforces and knows nothing.

    `others` are directories of it in hierarchies that neither limit nor measure.
    """

    def __init__(self, directories: dict[str, str], others: Collection[str] = ()) -> None:
        self.directories = directories
        self._paths = sorted({*directories.values(), *others})

    @classmethod
    def named(cls, name: str, parents: Mapping[str, str], others: Collection[str] = ()) -> "Group":
        """The group of this name in the directories of `find_parents`, and in other ones."""
        directories = {controller: os.path.join(parent, name) for controller, parent in parents.items()}
        return cls(directories, [os.path.join(other, name) for other in others])

    def exists(self) -> bool:
        return bool(self.directories) and all(map(os.path.isdir, self.directories.values()))

    def create(self, memory_mib: int, cpu_cores: float, pids: int) -> None:
        """Make it, or take the one that is there, and set its limits. Swap counts as memory. Raises OSError."""
        for path in self._paths:
            if _V2 in self.directories:
                parent = os.path.dirname(path)
                io = " +io" if _V2_IO in _controllers(parent) else ""
                _write(parent, "cgroup.subtree_control", f"+memory +cpu +pids{io}")
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
        folders = (folder for path in self._paths for folder, _, _ in os.walk(path))
        return {int(pid) for folder in folders for pid in _read(folder, "cgroup.procs").split()}

    def kill(self) -> None:
        """SIGKILL all that is in it, until nothing is."""
        give_up = time.monotonic() + _KILL_SECONDS
        while (members := self.members()) and time.monotonic() < give_up:
            for pid in members:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.002)

    def remove(self) -> bool:
        """Remove its directories and those below; False if one is still there."""
        give_up = time.monotonic() + _KILL_SECONDS
        while not all(map(_remove_tree, self._paths)):
            if self.members() or time.monotonic() > give_up:
                return False
            time.sleep(0.002)
        return True

    def usage(self) -> dict[str, float | None]:
        """`peak_memory_bytes` (page cache included), `cpu_user_seconds`, `cpu_system_seconds`, `io_read_bytes`,
        `io_write_bytes` and `oom_kills`, each with what is below it.

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
        user, system = self._cpu_v1()
        return {
            "peak_memory_bytes": _number(_read(self.directories["memory"], "memory.max_usage_in_bytes")),
            "cpu_user_seconds": user,
            "cpu_system_seconds": system,
            "io_read_bytes": self._read_v1(),
            "io_write_bytes": None,  # what is written by way of the page cache is nobody's here
            "oom_kills": _number(_keyed(self.directories["memory"], "memory.oom_control", "oom_kill")),
        }

    def _cpu_v1(self) -> tuple[float | None, float | None]:
        """The sum is exact; how it divides is seen at clock ticks only, which a short job may be without."""
        names = ("cpuacct.usage", "cpuacct.usage_user", "cpuacct.usage_sys")
        total, user, system = (_number(_read(self.directories["cpuacct"], name), 1e9) for name in names)
        if total is None or user is None or system is None:
            return None, None
        share = system / (user + system) if user + system else 0
        return total * (1 - share), total * share

    def _read_v1(self) -> int | None:
        # Where no throttling is configured, newer kernels count nothing and say 0.
        text = _read(self.directories[_V1_IO], _V1_BYTES) if _V1_IO in self.directories else ""
        lines = map(str.split, text.splitlines())
        return sum(int(words[2]) for words in lines if words[1:2] == ["Read"]) or None

    def _usage_v2(self) -> dict[str, float | None]:
        path = self.directories[_V2]
        return {
            "peak_memory_bytes": _number(_read(path, "memory.peak")),
            "cpu_user_seconds": _number(_keyed(path, "cpu.stat", "user_usec"), 1e6),
            "cpu_system_seconds": _number(_keyed(path, "cpu.stat", "system_usec"), 1e6),
            "io_read_bytes": _devices_sum(path, "rbytes"),
            "io_write_bytes": _devices_sum(path, "wbytes"),
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


def _devices_sum(path: str, key: str) -> int | None:
    """Of all devices; None also for nothing, which is what is said of I/O that goes by no block device."""
    pairs = (word.partition("=") for word in _read(path, "io.stat").split())
    return sum(int(value) for name, _, value in pairs if name == key) or None


def _controllers(path: str) -> frozenset[str]:
    return frozenset(_read(path, "cgroup.controllers").split())


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


def _remove_tree(path: str) -> bool:
    for folder, _, _ in os.walk(path, topdown=False):
        _rmdir(folder)
    return _rmdir(path)


def _rmdir(path: str) -> bool:
    try:
        os.rmdir(path)
    except OSError as error:
        return error.errno == errno.ENOENT
    return True
