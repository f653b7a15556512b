"""Gives a job a container that waits for it: booked, then renamed, then told what to run.

Whatever breaks off, the next launch of the attempt finds the container by the job's name, or finds none. One whose
gate has not gone on has run nothing: it is removed, and the job takes the cold path.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from container_manager.exceptions import ExecutionNotFound
from container_manager.executors.docker_engine.bookings import Booking, Bookings
from container_manager.executors.docker_engine.client import Engine, EngineRefusal
from container_manager.executors.docker_engine.groups import ParentGroups, group_of
from container_manager.executors.docker_engine.streams import StdinFeed
from container_manager.executors.docker_engine.waiting import Misfit, command_of, find_waiting, header, waits
from container_manager.executors.docker_engine.warm import Prepared, WarmPools
from container_manager.executors.results import GivenSecret
from container_manager.spans import span
from container_manager.spec import JobSpec

GO_ON_SECONDS = 5.0
LOOK_SECONDS = 0.0005
_TRIES = 8


class Binder:
    """Brings jobs and what waits for them together."""

    def __init__(
        self,
        engine: Engine,
        executor: str,
        pools: WarmPools,
        bookings: Bookings,
        groups: ParentGroups,
        reads_on: Callable[[str], bool],
    ) -> None:
        self._engine = engine
        self._executor = executor
        self._pools = pools
        self._bookings = bookings
        self._groups = groups
        self._reads_on = reads_on

    def bind(self, job: JobSpec, asked: Mapping[str, Any], given: Sequence[GivenSecret]) -> None:
        """Have the job run in a container that waits. `asked` is what the cold path would ask of the engine.

        Raises Misfit when it cannot: then nothing of it has been begun. Raises EngineUnavailable when it is not known.
        """
        pool = self._pools.fitting(job, asked)
        if self._bookings.find(job.execution_id):
            raise Misfit("an earlier launch of it broke off")
        try:
            image = self._engine.image(pool.image)
        except EngineRefusal as refusal:
            raise Misfit(f"the engine does not tell of the image: {refusal}") from refusal
        if image is None:
            raise Misfit(f"the engine has no image {pool.image}")
        variables = [*asked["Env"], *(f"{secret.place}={secret.value}" for secret in given if secret.kind == "env")]
        told = header(command_of(asked, image), variables, keeps_stdin=bool(job.stdin))
        for _ in range(_TRIES):
            if self._give(job, self._pools.take(pool, image["Id"]), told):
                return
        raise Misfit("others have taken what was ready")

    def _give(self, job: JobSpec, prepared: Prepared, told: bytes) -> bool:
        """False when it was taken, or is gone. Raises Misfit when the job can have no other one either."""
        if not (waits(prepared.pid) and self._book(job, prepared)):
            return False
        try:
            with span("rename", self._executor, job.execution_id):
                self._engine.rename(prepared.container, job.execution_id)
        except (ExecutionNotFound, EngineRefusal) as error:
            if getattr(error, "status", None) == HTTPStatus.CONFLICT:  # an earlier launch has made a container
                self._bookings.remove(job.execution_id)
            else:
                self._remove(job.execution_id, prepared.container)
            raise Misfit(f"the engine does not give it what waits: {error}") from error
        self._hand_over(job, prepared, told)
        return True

    def _book(self, job: JobSpec, prepared: Prepared) -> bool:
        try:
            with span("book", self._executor, job.execution_id):
                booking = Booking(prepared.container, prepared.name, datetime.now(UTC))
                return self._bookings.ask(job.execution_id, booking)
        except FileExistsError:
            raise Misfit("another launch of it is under way, or broke off") from None
        except OSError as error:
            raise Misfit(f"it cannot be written down who has what: {error.strerror}") from error

    def _hand_over(self, job: JobSpec, prepared: Prepared, told: bytes) -> None:
        """Tell it what to run, and see it go on."""
        with span("hand_over", self._executor, job.execution_id):
            try:
                self._bookings.confirm(job.execution_id)
                socket = self._engine.open_stdin(prepared.container)
            except (EngineRefusal, OSError) as error:  # it has ended, or another launch of this attempt removed it
                self._remove(job.execution_id, prepared.container)
                raise Misfit("what waited for it is gone") from error
            try:
                feed = StdinFeed(socket, told + (job.stdin or "").encode())
                feed.finish(job.execution_id, lambda: self._reads_on(prepared.container))
            except OSError:
                socket.close()
            if not _goes_on(prepared) and self.takes_back(job.execution_id, prepared.container):
                raise Misfit("what waited for it did not go on")

    def takes_back(self, execution_id: str, container: str) -> bool:
        """Remove what was given to an execution unless it has gone on; whether there is none any more.

        Nothing of it moves while it is looked at, so that what has been sent is not read between the look and the end.
        Raises Misfit when its processes are not seen from here.
        """
        try:
            if not self._waits(container):
                return False
            self._remove(execution_id, container)
        except ExecutionNotFound:
            pass
        return True

    def _waits(self, container: str) -> bool:
        if self._is_seen_to_wait(container):
            try:
                self._engine.pause(container)
            except EngineRefusal as refusal:
                if refusal.status != HTTPStatus.CONFLICT:  # it is paused, or has ended
                    raise
            if self._is_seen_to_wait(container):
                return True
        if self._engine.inspect(container)["State"]["Paused"]:
            self._engine.unpause(container)
        return False

    def _is_seen_to_wait(self, container: str) -> bool:
        give_up = time.monotonic() + GO_ON_SECONDS
        while (state := self._engine.inspect(container)["State"])["Running"]:
            try:
                return find_waiting(state["Pid"]) is not None
            except OSError as error:  # it has ended, which the engine is about to say; or it is not shown here
                if time.monotonic() > give_up:
                    raise Misfit(f"it is not seen from here whether it has begun: {error.strerror}") from error
                time.sleep(LOOK_SECONDS)
        return False

    def forget(self, execution_id: str) -> None:
        """Remove what was asked for an execution that now runs without it, and has been told nothing."""
        if booking := self._bookings.find(execution_id):
            self._remove(execution_id, booking.container)
        self._bookings.remove(execution_id)

    def _remove(self, execution_id: str, container: str) -> None:
        with suppress(ExecutionNotFound):
            group = group_of(self._engine.inspect(container))
            self._engine.remove(container)
            self._groups.remove(group)
        self._bookings.remove(execution_id)


def _goes_on(prepared: Prepared) -> bool:
    give_up = time.monotonic() + GO_ON_SECONDS
    try:
        while waits(prepared.pid):
            if time.monotonic() > give_up:
                return False
            time.sleep(LOOK_SECONDS)
    except PermissionError:  # it is somebody else's process now: the command runs as its own user
        return True
    return True
