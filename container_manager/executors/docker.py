"""Runs each job as a container of a Docker engine."""

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from container_manager.exceptions import EngineUnavailable, ExecutionNotFound, FieldError
from container_manager.executors.base import ContainerExecutor
from container_manager.executors.docker_engine.bookings import Bookings
from container_manager.executors.docker_engine.client import REMEMBERED, Engine, EngineRefusal
from container_manager.executors.docker_engine.groups import ParentGroups
from container_manager.executors.docker_engine.launch import Launcher
from container_manager.executors.docker_engine.logs import LogReader
from container_manager.executors.docker_engine.networks import Networks
from container_manager.executors.docker_engine.options import DockerOptions
from container_manager.executors.docker_engine.outcome import (
    CANNOT_EXECUTE,
    SIGNALLED,
    execution,
    init_failure,
    listed_status,
)
from container_manager.executors.docker_engine.policy import denials
from container_manager.executors.docker_engine.request import MIB, completed, is_owned, ownership
from container_manager.executors.docker_engine.secret_files import SecretFiles
from container_manager.executors.docker_engine.streams import Stream
from container_manager.executors.docker_engine.upkeep import Upkeep
from container_manager.executors.docker_engine.waiting import is_warm
from container_manager.executors.docker_engine.warm import WarmPools
from container_manager.executors.results import (
    Capabilities,
    Execution,
    ExecutionRef,
    Health,
    LaunchResult,
    LogFrame,
    Logs,
)
from container_manager.resources import Resources
from container_manager.spec import HONOURED_BY_PURSER, JobRequest, JobSpec, parse_execution_id
from container_manager.states import ENDED, ExecutionStatus, Reason

logger = logging.getLogger(__name__)

# The engine tells of a signal after it has sent it, when the end may be told already.
EVENT_DELAY = timedelta(seconds=0.2)


class DockerExecutor(ContainerExecutor):
    """A Docker engine by its socket, TCP with TLS, or SSH. Its config keys are DockerOptions."""

    options: DockerOptions
    options_class = DockerOptions
    capabilities = Capabilities(
        fields=frozenset(JobRequest.model_fields) - HONOURED_BY_PURSER - {"scenario"},
        isolation="container",
        networks=("none",),
        streams_apart=True,
        exit_code=True,
        stop=True,
        live_logs=True,
        list_executions=True,
        enforces_memory=True,
        enforces_cpu=True,
        secrets=("file", "env"),
    )

    def __init__(self, config: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        self.capabilities = replace(
            type(self).capabilities, networks=tuple(self.options.networks), secrets=self.options.secret_kinds
        )
        self._engine = Engine(self.options)
        self._live_restore = True
        self._owned = ownership(self.name, self.options.instance)
        self._groups = ParentGroups(self._engine.address)
        self._files = SecretFiles(self.options.secrets_dir, self.options.instance, self.name)
        self._bookings = Bookings(Path(self.options.own_dir, f"{self.options.instance}.{self.name}"))
        self._pools = WarmPools(self._engine, self.options, self.name, self._groups, self._bookings, self.set_aside)
        self._networks = Networks(self._engine, self.options, self.name)
        self._upkeep = Upkeep(self.name, [self._pools, self._networks])
        self._launcher = Launcher(
            self._engine,
            self.options,
            self.name,
            self._groups,
            self._files,
            self.given_secrets,
            self._networks,
            self._pools,
            self._bookings,
        )

    def prepare(self) -> None:
        self._upkeep.start()

    def close(self) -> None:
        self._upkeep.close()
        self._launcher.close()
        self._engine.close()

    def refusals(self, request: JobRequest) -> Sequence[FieldError]:
        return [*super().refusals(request), *denials(self.options, request)]

    # Launch

    def launch_job(self, job: JobSpec) -> LaunchResult:
        with self._upkeep.launching():
            return self._launcher.launch(job)

    def complete(self, job: JobSpec) -> JobSpec:
        return completed(job, self.options)

    def describe_launch(self, job: JobSpec) -> Mapping[str, Any]:
        return self._launcher.describe(job)

    def abandon_launch(self, execution_id: str) -> None:
        self._launcher.abandon(execution_id)

    # Status

    def check_status(self, execution_id: str) -> ExecutionStatus:
        return self._look(execution_id)[0].status

    def inspect(self, execution_id: str) -> Execution:
        seen, found = self._look(execution_id)
        seen = replace(seen, outlives_engine=self._live_restore, unheard_while_away=self._live_restore)
        if seen.status in (*ENDED, ExecutionStatus.NOT_FOUND):
            seen = replace(seen, usage=self._groups.usage(self._group(execution_id)))
        if seen.status != ExecutionStatus.FAILED or seen.exit_code is None:
            return seen
        try:
            if seen.exit_code in CANNOT_EXECUTE and (found["HostConfig"]["Init"] or is_warm(found)):
                return self._with_init_failure(seen, found["Id"])
            if seen.exit_code > SIGNALLED and not seen.oom_killed:
                return self._with_signal(seen, found["Id"])
        except (EngineUnavailable, EngineRefusal, ExecutionNotFound) as error:
            return Execution(ExecutionStatus.UNKNOWN, detail=str(error))
        return seen

    def _look(self, execution_id: str) -> tuple[Execution, dict[str, Any]]:
        try:
            found = self._own(execution_id)
        except ExecutionNotFound:
            return Execution(ExecutionStatus.NOT_FOUND), {}
        except (EngineUnavailable, EngineRefusal) as error:
            return Execution(ExecutionStatus.UNKNOWN, detail=str(error)), {}
        seen = execution(found)
        if booking := self._bookings.standing(execution_id):
            # Until then it waited. What ended at once may have ended before that by the engine's clock.
            seen = replace(seen, started_at=min(booking.at, seen.finished_at or booking.at))
        # An engine that goes down kills its containers and still tells their end: not the job's doing.
        if seen.status in ENDED and not self._engine.takes_connections():
            return Execution(ExecutionStatus.UNKNOWN, detail=f"the engine at {self._engine.address} is going down"), {}
        return seen, found

    def _with_init_failure(self, seen: Execution, container: str) -> Execution:
        sentence = init_failure(*self._read_logs(container, MIB))
        return replace(seen, reason=Reason.COMMAND_NOT_FOUND, detail=sentence) if sentence else seen

    def _with_signal(self, seen: Execution, container: str) -> Execution:
        """With the signal behind an exit code over 128, where the engine's events show that it was sent.

        An engine that does not know of the end at all was not there, or has forgotten it among many others.
        """
        if seen.exit_code is None or seen.started_at is None or seen.finished_at is None:
            return seen
        signal = seen.exit_code - SIGNALLED
        bounds = [_stamp(at) for at in (seen.started_at, seen.finished_at + EVENT_DELAY)]
        with self._engine.events(self._owned, *bounds, container=[container], event=["kill", "die", "oom"]) as events:
            told = list(events.documents())
        if not any(event["Action"] == "die" for event in told):
            return replace(seen, fell_with_engine=self._fell_with_its_engine(seen.finished_at))
        if any(event["Action"] == "oom" for event in told):  # the engine heard of it too late for its own record
            return replace(seen, oom_killed=True)
        sent = {event["Actor"]["Attributes"].get("signal") for event in told if event["Action"] == "kill"}
        return replace(seen, signal=signal) if str(signal) in sent else seen

    def _fell_with_its_engine(self, at: datetime) -> bool:
        """Whether all that the engine knows came later, and it has not had to forget anything yet."""
        now = datetime.fromisoformat(self._engine.probe()["SystemTime"])
        with self._engine.remembered(_stamp(now)) as events:
            times = [event["timeNano"] / 1e9 for event in events.documents()]
        return len(times) < REMEMBERED and all(time > at.timestamp() for time in times)

    def _own(self, execution_id: str) -> dict[str, Any]:
        found = self._engine.inspect(execution_id)
        if not self._is_ours(found):
            raise ExecutionNotFound(f"the engine has no {execution_id} of ours")
        return found

    def _is_ours(self, found: Mapping[str, Any]) -> bool:
        return is_owned(found["Config"]["Labels"], self.name, self.options.instance)

    # Logs

    def get_logs(self, execution_id: str) -> Logs:
        try:
            stdout, stderr = self._read_logs(self._own(execution_id)["Id"], self.options.log_size_mib * MIB)
        except EngineRefusal as refusal:
            raise EngineUnavailable(f"the engine does not give the logs: {refusal}") from refusal
        return Logs(stdout.decode("utf-8", "replace"), stderr.decode("utf-8", "replace"))

    def _read_logs(self, container: str, bound: int) -> tuple[bytes, bytes]:
        reader, written, size = LogReader(), {"stdout": bytearray(), "stderr": bytearray()}, 0
        with self._engine.logs(container, follow=False) as stream:
            for frame in _frames(reader, stream):
                kept = frame.data[: bound - size]
                written[frame.stream] += kept
                size += len(kept)
                if size >= bound:
                    break
            else:
                for frame in reader.finish():
                    written[frame.stream] += frame.data
        return bytes(written["stdout"]), bytes(written["stderr"])

    def follow_logs(self, execution_id: str, stop: threading.Event) -> Iterator[LogFrame]:
        reader = LogReader()
        try:
            found = self._own(execution_id)
            container = found["Id"]
            if execution(found).status not in ENDED:
                with (
                    self._engine.logs(container, follow=True) as stream,
                    self._engine.guard.guarding(stop, stream.interrupt),
                ):
                    yield from _frames(reader, stream)
                if stop.is_set():
                    return
                # The engine may end a followed log before the last of it is written: it is whole at the job's end.
                self._engine.wait_for_end(container)
            with self._engine.logs(container, follow=False, since=reader.resume()) as stream:
                yield from _frames(reader, stream)
            if not self._engine.takes_connections():
                # It tells an end before it has written the last of the log.
                raise EngineUnavailable(f"the engine at {self._engine.address} is going down")
        except (EngineUnavailable, EngineRefusal) as error:
            if stop.is_set():
                return
            raise EngineUnavailable(str(error)) from error
        yield from reader.finish()

    def dropped_bytes(self, execution_id: str) -> Mapping[str, int]:
        return {}  # the engine does not say

    # Stop and cleanup

    def stop(self, execution_id: str, grace_seconds: float) -> None:
        try:
            self._engine.kill(self._own(execution_id)["Id"], "SIGTERM" if grace_seconds > 0 else "SIGKILL")
        except ExecutionNotFound:
            return
        except EngineRefusal as refusal:
            logger.warning("the engine does not stop it", extra={"execution_id": execution_id, "error": str(refusal)})

    def cleanup(self, execution_id: str) -> bool:
        booking = self._bookings.find(execution_id)
        try:
            if booking:
                self._engine.remove(booking.container)
            self._engine.remove(self._own(execution_id)["Id"])
            self._own(execution_id)
        except ExecutionNotFound:
            if booking and not self._groups.remove(booking.prepared_as):
                return False
            if not (self._files.remove(execution_id) and self._groups.remove(execution_id)):
                return False
            self._networks.give_back(execution_id)
            return self._bookings.remove(execution_id)
        except EngineRefusal as refusal:
            logger.warning("the engine does not remove it", extra={"execution_id": execution_id, "error": str(refusal)})
        return False

    def _group(self, execution_id: str) -> str:
        """The name of the control group in which it is, or was."""
        booking = self._bookings.standing(execution_id)
        return booking.prepared_as if booking else execution_id

    # Watch and list

    def watch(self, ids: Callable[[], Collection[str]], stop: threading.Event) -> Iterator[str | None]:
        try:
            # The engine answers before it has subscribed us, so the events from now on are asked for by time.
            now = datetime.fromisoformat(self._engine.probe()["SystemTime"])
            with (
                self._engine.events(self._owned, _stamp(now), event=["die", "destroy"]) as events,
                self._engine.guard.guarding(stop, events.interrupt),
            ):
                yield None
                for event in events.documents():
                    if parse_execution_id(name := event["Actor"]["Attributes"]["name"]):
                        yield name
        except EngineUnavailable:
            if not stop.is_set():
                raise
        if not stop.is_set():
            raise EngineUnavailable(f"the engine at {self._engine.address} ended its events")

    def list_executions(self) -> Sequence[ExecutionRef]:
        before = [*self._files.listed(), *self._bookings.listed()]
        named = ((entry["Names"][0].removeprefix("/"), entry) for entry in self._engine.containers(self._owned))
        there = {name: listed_status(entry) for name, entry in named if parse_execution_id(name)}
        left = dict.fromkeys(before, ExecutionStatus.NOT_FOUND)
        return [ExecutionRef(name, status) for name, status in {**left, **there}.items()]

    # Health

    def health_check(self) -> Health:
        try:
            told = self._engine.probe()
        except EngineUnavailable as error:
            return Health(False, str(error))
        self._live_restore = bool(told["LiveRestoreEnabled"])
        self._groups.learn(told["CgroupDriver"])
        return Health(True, self._pools.problem())

    def capacity(self) -> Resources | None:
        told = self._engine.probe()
        return Resources(memory=told["MemTotal"] // MIB, cpu=told["NCPU"])


def _stamp(at: datetime) -> str:
    return f"{at.timestamp():.6f}"


def _frames(reader: LogReader, stream: Stream) -> Iterator[LogFrame]:
    for batch in stream.batches():
        yield from reader.feed(batch)
