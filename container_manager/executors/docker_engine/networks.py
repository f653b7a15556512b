"""Network namespaces that are made ahead, each held open by a container of ours, and lent to one job at a time.

The engine is the only book: a job's container names the one whose namespace it joins, from its create to its removal.
Who takes one therefore makes the container first, looks whether another names the same, and starts it only if not. Of
two that take the same at once, each has made its own before it looks, so at least one sees the other and goes without.
"""

import hashlib
import io
import logging
import os
import secrets
import stat
import tarfile
import threading
import time
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple

from container_manager.exceptions import ExecutionNotFound, PurserError
from container_manager.executors.docker_engine import gate
from container_manager.executors.docker_engine.client import Engine, EngineRefusal
from container_manager.executors.docker_engine.options import DockerOptions
from container_manager.executors.docker_engine.request import MIB, NETWORK, ROLE, ownership
from container_manager.spec import JobSpec

logger = logging.getLogger(__name__)

LOOK_SECONDS = 30.0
SPARE_SECONDS = 60.0
UNUSED_SECONDS = 600.0
EMPTY_SECONDS = 5.0
MOST_FREE = 64
_MOST_READ = 64 * 1024

_ROLE = "network"
_MAKER = "purser.maker"
_MEMORY = 6 * MIB
_NOBODY = "65534:65534"
# A connection that a job has closed would hold its port for a minute, in the way of the next job.
_SYSCTLS = {"net.ipv4.tcp_max_tw_buckets": "0"}
_FILES = ("HostsPath", "ResolvConfPath", "HostnamePath")

_Content = tuple[int, int, int, int, bytes]


class NetworkLost(PurserError):
    """What was taken cannot be used; the job has not begun."""

    code = "network_lost"


class Taken(NamedTuple):
    """The container whose network namespace a job is given, by the engine's id; empty for none, and why."""

    network: str = ""
    detail: str = ""


@dataclass(eq=False, slots=True)
class _Donor:
    id: str
    namespace: str
    maker: str
    paths: tuple[str, ...]  # of the files that whoever joins it may write
    fresh: tuple[_Content, ...] | None  # what was in them before any job; None where that cannot be seen from here
    since: float = 0.0  # when it was last lent or given back

    @property
    def is_as_made(self) -> bool:
        """Whether the next job finds nothing that one before has written."""
        return self.fresh is not None and _read(self.paths) == self.fresh


@dataclass(slots=True)
class _Tenant:
    """What is known of a namespace: when it last launched a job, and how few were ever free since a time."""

    launched_at: float
    least: int
    since: float


class Networks:
    """A pool for each namespace that launches jobs: so many are kept free, and all that are free at most MOST_FREE.

    What this process knows is a guess that spares questions; other dispatchers may lend the same ones.
    """

    def __init__(self, engine: Engine, options: DockerOptions, executor: str) -> None:
        self._engine = engine
        self._options = options
        self._size = options.prepared_networks
        self._owned = ownership(executor, options.instance)
        self._maker = secrets.token_hex(8)
        self._lock = threading.Lock()
        self._free: list[_Donor] = []
        self._lent: dict[str, _Donor] = {}
        self._spoilt: list[_Donor] = []
        self._tenants: dict[str, _Tenant] = {}
        self._strangers: dict[str, float] = {}
        self._rivals: set[str] = set()
        self._pattern: tuple[_Content, ...] | None = None
        self._image: str | None = None
        self._looked_at: float | None = None
        self._some_are_left = False

    @property
    def are_kept(self) -> bool:
        return self._size > 0

    # For launches and cleanups

    def take(self, job: JobSpec) -> Taken:
        """One that is free, the same again for the same execution."""
        if not self.are_kept:
            return Taken()
        if (job.network or self._options.default_network) != "none":
            return Taken(detail="it asks for a network, and those made ahead have none")
        with self._lock:
            now = time.monotonic()
            tenant = self._tenants.setdefault(job.namespace, _Tenant(now, 0, now))
            tenant.launched_at = now
            if (donor := self._lent.get(job.execution_id)) is None:
                ready = self._free_of(job.namespace)
                tenant.least = min(tenant.least, max(len(ready) - 1, 0))
                if not ready:
                    return Taken(detail="no network namespace of its tenant was ready")
                # Our own first, which nobody else takes in passing, and the last used, so that spare ones show.
                donor = max(ready, key=lambda one: (one.maker == self._maker, one.since))
                self._free.remove(donor)
                self._lent[job.execution_id] = donor
                donor.since = now
        return Taken(donor.id)

    def insist(self, network: str, execution_id: str) -> None:
        """The execution's container has been made and not started. Raises NetworkLost if it is not alone in there."""
        sharing = self._engine.containers({NETWORK: network})
        # One that is being removed may have no name any more.
        if any(entry["Names"] != [f"/{execution_id}"] for entry in sharing):
            with self._lock:
                self._rivals |= {one.maker for one in self._lent.values() if one.id == network} - {self._maker}
                self._free = [one for one in self._free if one.maker not in self._rivals]
            raise NetworkLost("another dispatcher has taken the same network namespace at the same time")

    def stands(self, network: str) -> bool:
        """Whether it can still be joined."""
        try:
            return bool(self._engine.inspect(network)["State"]["Running"])
        except ExecutionNotFound:
            return False

    def drop(self, execution_id: str) -> None:
        """What it was lent is of no use to anybody: look what there is."""
        with self._lock:
            self._lent.pop(execution_id, None)
            self._looked_at = None

    def give_back(self, execution_id: str) -> None:
        """Its container is gone, or was never made."""
        with self._lock:
            if donor := self._lent.pop(execution_id, None):
                donor.since = time.monotonic()
                (self._free if donor.is_as_made else self._spoilt).append(donor)

    # For upkeep

    def step(self) -> bool:
        if self._spoilt:
            self._remove_spoilt()
            return True
        if self._is_look_due():
            self._look()
        if (namespace := self._short_of()) is not None:
            self._free_one(self._make(namespace))
            return True
        self._spoil_unused()
        return bool(self._spoilt)

    def _is_look_due(self) -> bool:
        if self._looked_at is None:
            return True
        return (self.are_kept or self._some_are_left) and time.monotonic() - self._looked_at > LOOK_SECONDS

    def empty(self) -> None:
        with self._lock:
            self._spoilt += self._free
            self._free.clear()
        give_up = time.monotonic() + EMPTY_SECONDS
        while self._spoilt and time.monotonic() < give_up:
            self._remove_spoilt()

    def _remove_spoilt(self) -> None:
        self._engine.remove(self._spoilt[0].id)
        del self._spoilt[0]

    def _short_of(self) -> str | None:
        """The namespace that lacks one, of those that still launch jobs."""
        now = time.monotonic()
        with self._lock:
            if len(self._free) >= MOST_FREE:
                return None
            for namespace, tenant in sorted(self._tenants.items(), key=lambda item: -item[1].launched_at):
                if now - tenant.launched_at < UNUSED_SECONDS and len(self._free_of(namespace)) < self._size:
                    return namespace
        return None

    def _spoil_unused(self) -> None:
        with self._lock:
            for namespace in {one.namespace for one in self._free}:
                free = sorted(self._free_of(namespace), key=lambda one: one.since)
                unused = free[: self._unused(namespace, free)]
                self._free = [one for one in self._free if one not in unused]
                self._spoilt += unused

    def _unused(self, namespace: str, free: Sequence[_Donor]) -> int:
        """How many of those that are free nobody has needed for long."""
        now, tenant = time.monotonic(), self._tenants.get(namespace)
        last = max(free[-1].since, tenant.launched_at if tenant else 0)
        if now - last > UNUSED_SECONDS:
            return len(free)
        if tenant is None or now - tenant.since < SPARE_SECONDS:
            return 0
        least, tenant.least, tenant.since = min(tenant.least, len(free)), len(free), now
        return max(least - self._size, 0)

    def _free_of(self, namespace: str) -> list[_Donor]:
        return [one for one in self._free if one.namespace == namespace]

    def _free_one(self, donor: _Donor) -> None:
        donor.since = time.monotonic()
        with self._lock:
            self._free.append(donor)

    # Looking at what the engine has

    def _look(self) -> None:
        now = self._looked_at = time.monotonic()
        listed = self._engine.containers(self._owned)
        donors = {entry["Id"]: entry for entry in listed if entry["Labels"].get(ROLE) == _ROLE}
        used = {entry["Labels"].get(NETWORK, "") for entry in listed}
        self._some_are_left = bool(donors)
        with self._lock:
            self._forget(donors, used, now)
            known = {one.id for one in (*self._free, *self._lent.values(), *self._spoilt)}
        strangers = [entry for one, entry in donors.items() if one not in known and one not in used]
        self._strangers = {entry["Id"]: self._strangers.get(entry["Id"], now) for entry in strangers}
        for entry in strangers:
            self._meet(entry, now - self._strangers[entry["Id"]])

    def _forget(self, donors: Mapping[str, Mapping[str, Any]], used: Set[str], now: float) -> None:
        """What is not there any more, what another has taken, and what another process has cleaned up after."""
        running = {one for one, entry in donors.items() if entry["State"] == "running"}
        self._free = [one for one in self._free if one.id in (running if one.maker == self._maker else running - used)]
        self._lent = {
            execution_id: one
            for execution_id, one in self._lent.items()
            if one.id in used or now - one.since < LOOK_SECONDS
        }

    def _meet(self, entry: Mapping[str, Any], seconds: float) -> None:
        """One that nobody uses and that is not ours, or not known to be: another dispatcher's, or of before."""
        donor = self._known(entry["Id"])
        if donor is None:
            return
        is_running = entry["State"] == "running"
        # One that is just being made is not running yet.
        ended = not is_running and (entry["State"] != "created" or seconds > 0)
        if not self.are_kept or ended or seconds > UNUSED_SECONDS:
            self._spoilt.append(donor)
        elif is_running and donor.maker not in self._rivals and donor.is_as_made:
            self._free_one(donor)

    def _known(self, network: str) -> _Donor | None:
        try:
            found = self._engine.inspect(network)
        except ExecutionNotFound:
            return None
        labels, paths = found["Config"]["Labels"], tuple(found[name] for name in _FILES)
        fresh = None
        if self._pattern is not None:  # all are made alike, but for their names
            *alike, (mode, user, group, size, _) = self._pattern
            fresh = (*alike, (mode, user, group, size, f"{found['Config']['Hostname']}\n".encode()))
        return _Donor(found["Id"], labels["purser.namespace"], labels.get(_MAKER, ""), paths, fresh)

    # Making

    def _make(self, namespace: str) -> _Donor:
        name = f"purser-{_ROLE}-{secrets.token_hex(8)}"
        self._create(name, namespace)
        try:
            self._engine.start(name)
            found = self._engine.inspect(name)
        except (EngineRefusal, ExecutionNotFound):
            self._engine.remove(name)
            raise
        paths = tuple(found[name] for name in _FILES)
        fresh = _read(paths) if self._options.is_local else None
        if self._pattern is None and fresh is not None:
            self._pattern, self._looked_at = fresh, None  # now those of before can be told
        return _Donor(found["Id"], namespace, self._maker, paths, fresh)

    def _create(self, name: str, namespace: str) -> None:
        request = self._request(namespace)
        try:
            self._engine.create(name, request)
        except EngineRefusal as refusal:
            if refusal.status != 404:
                raise
            self._engine.import_image(request["Image"], _archive(self._program()))
            self._engine.create(name, request)

    def _request(self, namespace: str) -> dict[str, Any]:
        if self._image is None:
            self._image = f"purser-gate:{hashlib.sha256(self._program()).hexdigest()[:12]}"
        return {
            "Image": self._image,
            "Entrypoint": ["/gate"],
            "Cmd": ["pause"],
            "User": _NOBODY,
            "Labels": {
                **self._options.labels,
                **self._owned,
                ROLE: _ROLE,
                _MAKER: self._maker,
                "purser.namespace": namespace,
            },
            "HostConfig": {
                "Memory": _MEMORY,
                "MemorySwap": _MEMORY,
                "NetworkMode": "none",
                "IpcMode": "private",
                "CapDrop": ["ALL"],
                "SecurityOpt": ["no-new-privileges"],
                "ReadonlyRootfs": True,
                "Init": False,
                "Sysctls": _SYSCTLS,
                "LogConfig": {"Type": "none"},
                "RestartPolicy": {"Name": "no"},
                **({"Runtime": self._options.runtime} if self._options.runtime else {}),
            },
        }

    def _program(self) -> bytes:
        architecture = self._engine.probe()["Architecture"]
        if (program := gate.program(architecture)) is None:
            raise EngineRefusal(0, f"there is no gate for {architecture}, which holds network namespaces open")
        return program


def _read(paths: Sequence[str]) -> tuple[_Content, ...] | None:
    """What is in these files, and whose they are; None where they cannot be seen from here."""
    try:
        return tuple(_content(path) for path in paths)
    except OSError:
        return None


def _content(path: str) -> _Content:
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        found = os.fstat(file.fileno())
        return stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid, found.st_size, file.read(_MOST_READ)


def _archive(program: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("gate")
        entry.mode, entry.size = 0o755, len(program)
        tar.addfile(entry, io.BytesIO(program))
    return buffer.getvalue()
