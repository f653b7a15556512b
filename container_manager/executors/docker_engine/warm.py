"""Warm pools: containers that are made and started ahead of their jobs, and kept as many as config asks for.

The pool is what the engine lists, less what is booked; a process keeps only what it saw last.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from container_manager.exceptions import ExecutionNotFound
from container_manager.executors.docker_engine.bookings import Bookings
from container_manager.executors.docker_engine.client import Engine, EngineRefusal
from container_manager.executors.docker_engine.groups import ParentGroups
from container_manager.executors.docker_engine.options import DockerOptions, WarmPool
from container_manager.executors.docker_engine.prepared import PreparedNames
from container_manager.executors.docker_engine.waiting import (
    Misfit,
    differences,
    find_waiting,
    plain_request,
    waiting_request,
    waits,
    write_program,
)
from container_manager.spec import JobSpec

logger = logging.getLogger(__name__)

BEGIN_SECONDS = 10.0
LOOK_SECONDS = 0.002
QUIET_SECONDS = 0.5
REST_SECONDS = 30.0
PAY_AGAIN_SECONDS = 10.0
IDLE_MIB = 8  # what one that waits takes of the host: its shim, its init and the gate


@dataclass(frozen=True, slots=True)
class Prepared:
    """One that waits: the engine's id and name of it, its image's id, and the process that waits."""

    container: str
    name: str
    image: str
    pid: int


@dataclass(slots=True)
class _Pool:
    options: WarmPool
    plain: dict[str, Any]
    request: dict[str, Any] = field(default_factory=dict)
    image: str = ""
    free: list[Prepared] = field(default_factory=list)
    problem: str = ""
    rests_until: float = 0.0  # after one that could not be made

    @property
    def misses_some(self) -> bool:
        """Whether one more is to be made now."""
        is_short = len(self.free) < self.options.size
        return is_short and bool(self.image) and time.monotonic() >= self.rests_until

    def is_of(self, entry: Mapping[str, Any]) -> bool:
        """Whether one in the engine's list is what the pool would make now."""
        is_same = entry["Labels"].get("purser.pool") == self.request.get("Labels", {}).get("purser.pool")
        return bool(is_same and entry["ImageID"] == self.image and entry["State"] in ("created", "running"))


class WarmPools:
    """The pools of one executor."""

    def __init__(
        self,
        engine: Engine,
        options: DockerOptions,
        executor: str,
        groups: ParentGroups,
        bookings: Bookings,
        set_aside: Callable[[int], bool],
    ) -> None:
        self._engine = engine
        self._executor = executor
        self._groups = groups
        self._bookings = bookings
        self._set_aside = set_aside
        self._options = options
        self._names = PreparedNames("warm", executor, options.instance, options.own_dir)
        self._lock = threading.Lock()
        self._pools = [_Pool(pool, plain_request(pool, options, executor)) for pool in options.warm_pools]
        self._cost = IDLE_MIB * sum(pool.size for pool in options.warm_pools)
        self._known: dict[str, Prepared] = {}
        self._architecture = ""
        self._is_done = False  # with no pools, once nothing is left of earlier ones
        self._paid_until = 0.0
        self._taken_at = -QUIET_SECONDS

    def __bool__(self) -> bool:
        return bool(self._pools)

    # Taking

    def fitting(self, job: JobSpec, asked: Mapping[str, Any]) -> WarmPool:
        """The pool that has what a request asks for. Raises Misfit."""
        return self._fitting(job, asked).options

    def take(self, pool: WarmPool, image: str) -> Prepared:
        """One that waits, and was made of this image. Another process may take it first. Raises Misfit."""
        mine = next(each for each in self._pools if each.options == pool)
        with self._lock:
            if mine.free and mine.image != image:
                mine.free.clear()
                raise Misfit(f"the image of the warm pool of {pool.image} has changed, and it is being filled anew")
            if mine.free:
                self._taken_at = time.monotonic()
                return mine.free.pop()
        raise Misfit(f"the warm pool of {pool.image} has none ready: {mine.problem or 'it is being filled'}")

    def problem(self) -> str:
        """Why a pool is not kept; empty when all are."""
        return next((f"warm pool of {pool.options.image}: {pool.problem}" for pool in self._pools if pool.problem), "")

    def _fitting(self, job: JobSpec, asked: Mapping[str, Any]) -> _Pool:
        same_image = [pool for pool in self._pools if pool.options.image == job.image]
        if not same_image:
            raise Misfit(f"there is no warm pool of {job.image}")
        size = (asked["HostConfig"]["Memory"], asked["HostConfig"]["NanoCpus"])
        for pool in same_image:
            if (pool.plain["HostConfig"]["Memory"], pool.plain["HostConfig"]["NanoCpus"]) == size:
                _insist_on_nothing_else(job, asked, pool, self._options)
                return pool
        told = f"asks for {job.memory_mib} MiB and {job.cpu_cores:g} cores"
        raise Misfit(f"{told}, which no warm pool of {job.image} has")

    # Keeping

    def step(self) -> bool:
        """See what there is; remove or make one. Says whether there is more to do now. Raises EngineUnavailable."""
        if self._is_done:
            return False
        groups = self._groups.prepared(self._names.prefix)
        listed = self._listed()
        there = {entry["Id"] for entry in listed.values()}
        self._known = {container: known for container, known in self._known.items() if container in there}
        self._remove_what_is_left(groups, listed)
        is_paid = self._pay()
        for pool in self._pools:
            self._look_up(pool, is_paid)
        claimed = self._bookings.claimed()
        kept = {name for pool in self._pools for name in self._adopt(pool, listed, claimed)}
        unwanted = [name for name in listed if name not in kept]
        removed = next((name for name in unwanted if self._retire(name, listed[name]["Id"])), None)
        if removed:
            return True
        self._is_done = not self._pools
        missing = [pool for pool in self._pools if pool.misses_some]
        for pool in missing[:1]:
            self._fill(pool)
        return any(pool.misses_some for pool in self._pools)

    def empty(self) -> None:
        """Remove all that waits. Raises EngineUnavailable."""
        with self._lock:
            for pool in self._pools:
                pool.free.clear()
        for name, entry in self._listed().items():
            self._retire(name, entry["Id"])
        if self._paid_until:
            self._paid_until = 0.0
            self._give_back()

    def _listed(self) -> dict[str, dict[str, Any]]:
        """What the engine says of each container that has not been given to an execution, by its name."""
        named = (
            (str(entry["Names"][0]).removeprefix("/"), entry) for entry in self._engine.containers(self._names.labels)
        )
        return {name: entry for name, entry in named if self._names.is_free(name)}

    def _remove_what_is_left(self, groups: Iterable[str], listed: Mapping[str, Mapping[str, Any]]) -> None:
        """Of containers that are gone. The groups were read first and the bookings last, so that what has been given in
        between is in one of them."""
        left = set(groups) - set(listed)
        for name in left - self._bookings.prepared_names() if left else ():
            self._groups.remove_empty(name)
        for container in self._bookings.left_for_removal([entry["Id"] for entry in listed.values()]):
            try:
                self._engine.inspect(container)
            except ExecutionNotFound:
                self._bookings.removed(container)

    def _look_up(self, pool: _Pool, is_paid: bool) -> None:
        """Find out how its containers are made now; of no image, if it is to have none."""
        try:
            if not is_paid:
                raise Misfit(f"the executor has no room for the {self._cost} MiB that the warm pools take as they wait")
            if not self._groups.are_known:
                self._groups.learn(self._engine.cgroup_driver())
            self._architecture = self._architecture or self._engine.architecture()
            program = write_program(Path(self._options.own_dir), self._architecture)
            pool.request = waiting_request(pool.plain, {**self._options.labels, **self._names.labels}, program)
            pool.image = self._image_of(pool)
        except (Misfit, EngineRefusal, OSError) as error:
            pool.image = ""
            self._tell(pool, str(error))

    def _image_of(self, pool: _Pool) -> str:
        image = self._engine.image(pool.options.image)
        if image is None:
            raise Misfit(f"the engine has no image {pool.options.image}; the first job that is let pull it does so")
        if (image["Config"] or {}).get("Healthcheck"):
            raise Misfit("its image has a health check, which would run before the job")
        return str(image["Id"])

    def _adopt(self, pool: _Pool, listed: Mapping[str, Mapping[str, Any]], claimed: Collection[str]) -> list[str]:
        """Take over those that wait, whoever made them, as many as are asked for."""
        there = sorted(name for name in listed if pool.is_of(listed[name]) and listed[name]["Id"] not in claimed)
        found = [prepared for name in there if (prepared := self._ready(listed[name]["Id"], name, pool))]
        kept = found[: pool.options.size] if pool.image else []
        with self._lock:
            pool.free = kept
        if len(kept) == pool.options.size:
            self._tell(pool, "")
        return [prepared.name for prepared in kept]

    def _fill(self, pool: _Pool) -> None:
        """Make one, when a job that has just been given one has had time to end: they would share the host."""
        time.sleep(max(self._taken_at + QUIET_SECONDS - time.monotonic(), 0))
        made = self._make(pool)
        if made is None:
            pool.rests_until = time.monotonic() + REST_SECONDS
            return
        with self._lock:
            pool.free.append(made)
        self._tell(pool, "")

    def _make(self, pool: _Pool) -> Prepared | None:
        name = self._names.new()
        host = {**pool.request["HostConfig"], "CgroupParent": self._groups.parent(name)}
        try:
            container, warnings = self._engine.create(name, {**pool.request, "HostConfig": host})
        except EngineRefusal as refusal:
            self._tell(pool, str(refusal))
            return None
        dropped = [warning for warning in warnings if "discarded" in warning]
        if dropped:
            self._tell(pool, "; ".join(dropped))
        made = None if dropped else self._ready(container, name, pool)
        if made is None:
            self._retire(name, container)
        return made

    def _ready(self, container: str, name: str, pool: _Pool) -> Prepared | None:
        """The container, started, if it waits as it should."""
        try:
            if known := self._known.get(container):
                return known if waits(known.pid) else None
            return self._started(container, name, pool)
        except PermissionError:
            self._tell(pool, "Purser may not look at the processes of the engine's containers")
        except (Misfit, EngineRefusal, ExecutionNotFound) as error:
            self._tell(pool, str(error))
        return None

    def _started(self, container: str, name: str, pool: _Pool) -> Prepared:
        self._engine.start(container)
        self._groups.confirm(name)
        give_up = time.monotonic() + BEGIN_SECONDS
        while time.monotonic() < give_up:
            found = self._engine.inspect(container)
            if not found["State"]["Running"]:
                code = found["State"]["ExitCode"]
                raise Misfit(f"what should wait in a container ended with exit code {code}; may it be executed there?")
            with suppress(FileNotFoundError):  # it has just ended
                if pid := find_waiting(found["State"]["Pid"]):
                    self._known[container] = Prepared(container, name, found["Image"], pid)
                    return self._known[container]
            time.sleep(LOOK_SECONDS)  # the init has not got so far
        raise Misfit("what should wait in a container is not seen from here")

    def _retire(self, name: str, container: str) -> bool:
        """Remove one that waits, unless an execution has it. Whether it was removed."""
        try:
            if not self._bookings.claim_for_removal(container):
                return False
            self._engine.remove(container)
        except (EngineRefusal, OSError) as error:
            logger.warning("not removed yet", extra={"container": name, "error": str(error)})
            return False
        self._groups.remove(name)
        self._bookings.removed(container)
        return True

    def _pay(self) -> bool:
        """Have the ledger hold what those that wait take: once, however many processes keep the same pools."""
        if time.monotonic() < self._paid_until:
            return True
        if self._set_aside(self._cost):
            self._paid_until = time.monotonic() + PAY_AGAIN_SECONDS  # another process may give it back as it ends
            return True
        return False

    def _give_back(self) -> None:
        try:
            self._set_aside(0)
        except Exception as error:  # noqa: BLE001  (the books are away: whoever keeps pools next puts it right)
            logger.warning("what was set aside is not given back", extra={"error": type(error).__name__})

    def _tell(self, pool: _Pool, problem: str) -> None:
        if problem and problem != pool.problem:
            logger.warning("a warm pool is not kept", extra={"image": pool.options.image, "problem": problem})
        pool.problem = problem


def _insist_on_nothing_else(job: JobSpec, asked: Mapping[str, Any], pool: _Pool, options: DockerOptions) -> None:
    different = differences(pool.plain, asked)
    if any(secret.kind == "file" for secret in job.secrets):
        different.append("secrets as files")
    if different:
        raise Misfit(f"asks for {', '.join(different)}, which the warm pool of {job.image} does not have")
    if (job.pull_policy or options.pull_policy) == "always":
        raise Misfit("its image is pulled anew each time")
