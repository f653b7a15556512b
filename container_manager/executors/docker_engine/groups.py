"""A control group above each container's own: what a job used can be read there when its container's group is gone."""

import contextlib
import logging
import os
import socket
import struct
from collections.abc import Collection, Mapping
from typing import Any

from container_manager.executors.cgroups import Group, counts_below, find_hierarchies, find_parents
from container_manager.executors.docker_engine.prepared import is_prepared
from container_manager.executors.results import Usage
from container_manager.spec import parse_execution_id

logger = logging.getLogger(__name__)

_DRIVER = "cgroupfs"  # another one names groups in its own way
_UNIX = "unix://"
_KNOCK_SECONDS = 5.0
_PEER = struct.Struct("3i")
_FIGURES = ("peak_memory_bytes", "cpu_user_seconds", "cpu_system_seconds", "io_read_bytes", "io_write_bytes")


class ParentGroups:
    """The groups of one engine's containers, each named like its execution or as it was prepared; they have no limits.

    There are none where this process does not see the engine's groups or may not remove them: a remote engine,
    one with the systemd driver, or one in another container. Then every figure is None.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._in_use: bool | None = None
        self._made_elsewhere = False
        self._parents: Mapping[str, str] = {}
        self._hierarchies: Collection[str] = ()
        if address.startswith(_UNIX):
            with contextlib.suppress(OSError):
                self._parents, self._hierarchies = find_parents(), find_hierarchies()

    @property
    def are_known(self) -> bool:
        """Whether the engine has been asked if they can be had."""
        return self._in_use is not None

    def learn(self, driver: str) -> None:
        """Take from the driver that an engine names, and from where it runs, whether they can be had."""
        can_be_had = driver == _DRIVER and self._are_ours_to_use() and self._engine_shares_them()
        self._in_use = can_be_had and not self._made_elsewhere

    def parent(self, name: str) -> str:
        """What the engine is told as the parent of the container of that name; empty for its own default."""
        return f"/{name}" if self._in_use else ""

    def confirm(self, name: str) -> None:
        """After a start: a parent that cannot be seen here was made elsewhere, and no more are asked for."""
        if self._in_use and not self._group(name).exists():
            self._made_elsewhere, self._in_use = True, False
            logger.warning("the engine's control groups are not seen here", extra={"execution_id": name})

    def usage(self, name: str) -> Usage:
        """What an ended execution used, with its init and what the engine did in its place to set it up."""
        try:
            figures = self._group(name).usage()
        except OSError:
            return Usage()
        return Usage(**{name: figures.get(name) for name in _FIGURES})  # type: ignore[arg-type]

    def remove(self, name: str) -> bool:
        """Remove them, also those of an execution that is gone; False if one is still there.

        An engine that was stopped while it started a container has forgotten what it left in them: that is killed.
        """
        group = self._group(name)
        with contextlib.suppress(PermissionError):
            group.kill()
        return group.remove()

    def prepared(self, prefix: str) -> set[str]:
        """The groups of prepared containers whose names begin like that."""
        there: set[str] = set()
        for where in (*self._parents.values(), *self._hierarchies):
            with contextlib.suppress(OSError):
                there.update(name for name in os.listdir(where) if name.startswith(prefix) and is_prepared(name))
        return there

    def remove_empty(self, name: str) -> None:
        """Remove one that nothing is in."""
        self._group(name).remove()

    def _group(self, name: str) -> Group:
        if not (parse_execution_id(name) or is_prepared(name)):
            return Group({})
        return Group.named(name, self._parents, self._hierarchies)

    def _are_ours_to_use(self) -> bool:
        may_remove = all(os.access(where, os.W_OK) for where in self._hierarchies)
        return bool(self._parents) and may_remove and counts_below(self._parents)

    def _engine_shares_them(self) -> bool:
        """Whether who listens at the engine's address runs on this host, in the same place of the tree."""
        try:
            with socket.socket(socket.AF_UNIX) as knocking:
                knocking.settimeout(_KNOCK_SECONDS)
                knocking.connect(self._address.removeprefix(_UNIX))
                pid, _, _ = _PEER.unpack(knocking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
            return pid > 0 and os.readlink(f"/proc/{pid}/ns/cgroup") == os.readlink("/proc/self/ns/cgroup")
        except OSError:
            return False


def group_of(found: Mapping[str, Any]) -> str:
    """The name of the group above a container, as the engine describes it; empty where it has none of ours."""
    return str(found["HostConfig"]["CgroupParent"]).removeprefix("/")
