"""An engine that only plays: scripted and deterministic, so that a user's own tests need no engine.

What an execution does follows from its script and the time since its launch, nothing else: no thread,
no chance. Executions are small files in `state_dir`, so they outlive a process and every process on the
host sees the same ones, as with a real engine.
"""

import contextlib
import json
import math
import os
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from container_manager.exceptions import EngineUnavailable, ExecutionNotFound, FieldError, SecretUnavailable
from container_manager.executors.base import POLL_SECONDS, ContainerExecutor
from container_manager.executors.mock_scenario import HealthChange, Life, MockOptions, MockScenario, moment
from container_manager.executors.results import (
    Capabilities,
    Execution,
    ExecutionRef,
    Health,
    LaunchResult,
    LogFrame,
    Logs,
)
from container_manager.identifiers import uuid7
from container_manager.resources import Resources
from container_manager.spec import JobRequest, JobSpec, parse_execution_id
from container_manager.states import ExecutionStatus, Reason
from container_manager.wording import sentence

_CANNOT_PRETEND = {"stdin", "mounts", "registry_auth"}
_SIMULATED_HOST = Resources(memory=1_048_576, cpu=1024)


class MockExecutor(ContainerExecutor):
    """Plays scenarios. See MockScenario for what a job may script, MockOptions for the config."""

    options: MockOptions
    options_class = MockOptions
    capabilities = Capabilities(
        fields=frozenset(JobRequest.model_fields) - _CANNOT_PRETEND,
        isolation="simulated",
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
        self._dir = Path(self.options.state_dir or Path(tempfile.gettempdir(), f"purser-mock-{os.geteuid()}"))
        self._made_at = time.monotonic()

    def refusals(self, request: JobRequest) -> Sequence[FieldError]:
        errors = list(super().refusals(request))
        if request.network not in (None, *self.capabilities.networks):
            errors.append(FieldError("network", "not_allowed", "allowed is 'none'"))
        try:
            self._script(request.scenario)
        except ValidationError as error:
            errors += [_field_error(detail) for detail in error.errors()]
        return errors

    def launch_job(self, job: JobSpec) -> LaunchResult:
        self._require_engine()
        try:
            script = self._script(job.scenario)
        except ValidationError as error:
            return LaunchResult(False, _field_error(error.errors()[0]).detail, Reason.POLICY_DENIED)
        if script.refuse:
            time.sleep(script.launch_seconds)
            return LaunchResult(False, script.refuse.message, Reason(script.refuse.reason))
        try:
            secrets = self.given_secrets(job)
        except SecretUnavailable as error:
            return LaunchResult(False, str(error), Reason.LAUNCH_REFUSED)
        self._create(job.execution_id, script, [secret.place for secret in secrets])
        life = self._read(job.execution_id)
        if life.elapsed < 0:
            time.sleep(-life.elapsed)
            life = replace(life, now=life.started_at)
        if life.status == ExecutionStatus.UNKNOWN:
            raise EngineUnavailable
        return LaunchResult(True, job.execution_id)

    def check_status(self, execution_id: str) -> ExecutionStatus:
        return self.inspect(execution_id).status

    def inspect(self, execution_id: str) -> Execution:
        try:
            self._require_engine()
            return self._read(execution_id).describe()
        except EngineUnavailable:
            return Execution(ExecutionStatus.UNKNOWN)
        except ExecutionNotFound:
            return Execution(ExecutionStatus.NOT_FOUND)

    def get_logs(self, execution_id: str) -> Logs:
        written = self._life(execution_id).written()
        both = (b"".join(c.data for c in written if c.stream == name) for name in ("stdout", "stderr"))
        return Logs(*(data.decode("utf-8", "replace") for data in both))

    def follow_logs(self, execution_id: str, stop: threading.Event) -> Iterator[LogFrame]:
        sent = 0
        while True:
            life = self._life(execution_id)
            for chunk in life.written()[sent:]:
                yield LogFrame(chunk.stream, chunk.data, moment(life.started_at + chunk.at_seconds))
                sent += 1
            if life.now >= life.ending.at:
                return
            coming = [life.started_at + chunk.at_seconds for chunk in life.script.output[sent : sent + 1]]
            if stop.wait(_pause(min([life.ending.at, *coming]))):
                return

    def stop(self, execution_id: str, grace_seconds: float) -> None:
        with contextlib.suppress(ExecutionNotFound):
            if self._life(execution_id).status in (ExecutionStatus.CREATED, ExecutionStatus.RUNNING):
                self._publish(self._path(execution_id, ".term" if grace_seconds else ".kill"), repr(time.time()))

    def cleanup(self, execution_id: str) -> bool:
        try:
            self._life(execution_id)
        except ExecutionNotFound:
            if not parse_execution_id(execution_id):
                return True
        # The record goes last: what is cut short here is still listed, and cleaned again.
        for suffix in (".term", ".kill", ".json"):
            self._path(execution_id, suffix).unlink(missing_ok=True)
        return True

    def health_check(self) -> Health:
        try:
            self._require_engine()
        except EngineUnavailable as error:
            return Health(False, str(error))
        elapsed = time.monotonic() - self._made_at
        past = [change for change in self.options.health if change.after_seconds <= elapsed]
        latest = max(past, key=lambda change: change.after_seconds, default=HealthChange(healthy=True))
        return Health(latest.healthy, latest.detail or ("" if latest.healthy else "unhealthy as scripted"))

    def watch(self, ids: Callable[[], Collection[str]], stop: threading.Event) -> Iterator[str | None]:
        yield None
        told: set[str] = set()
        while not stop.is_set():
            self._require_engine()
            wanted = set(ids())
            told &= wanted
            due = {execution_id: self._told_at(execution_id) for execution_id in wanted - told}
            for execution_id in [name for name, at in due.items() if at <= time.time()]:
                told.add(execution_id)
                due.pop(execution_id)
                yield execution_id
            stop.wait(_pause(min(due.values(), default=math.inf)))

    def list_executions(self) -> list[ExecutionRef]:
        self._require_engine()
        ours = [path.stem for path in self._dir.glob("purser-*.json") if parse_execution_id(path.stem)]
        found = [ExecutionRef(execution_id, self.check_status(execution_id)) for execution_id in sorted(ours)]
        return [ref for ref in found if ref.status != ExecutionStatus.NOT_FOUND]

    def capacity(self) -> Resources:
        self._require_engine()
        return Resources(self.total_memory or _SIMULATED_HOST.memory, self.total_cpu or _SIMULATED_HOST.cpu)

    def _script(self, scenario: Mapping[str, Any] | None) -> MockScenario:
        defaults = self.options.model_dump(include=set(MockScenario.model_fields), exclude_unset=True)
        return MockScenario.model_validate({**defaults, **(scenario or {})})

    def _require_engine(self) -> None:
        away = self.options.engine_away
        if away and away.covers(time.monotonic() - self._made_at):
            raise EngineUnavailable("the mock engine is away, as scripted")

    def _path(self, execution_id: str, suffix: str) -> Path:
        return self._dir / f"{execution_id}{suffix}"

    def describe_launch(self, job: JobSpec) -> dict[str, Any]:
        return {"script": _as_recorded(self._script(job.scenario))}

    def _create(self, execution_id: str, script: MockScenario, secrets: Sequence[str]) -> None:
        record = {
            "started_at": time.time() + script.launch_seconds,
            "script": _as_recorded(script),
            "secrets": secrets,  # where they would be; their values are nobody's business here
        }
        self._publish(self._path(execution_id, ".json"), json.dumps(record))

    def _publish(self, path: Path, text: str) -> None:
        """Make a file with its whole content in one step; the first one made stays."""
        _private_directory(self._dir)
        draft = self._dir / f".{uuid7().hex}"
        draft.write_text(text)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()

    def _read(self, execution_id: str) -> Life:
        """Raises ExecutionNotFound when there is no record."""
        path = self._path(execution_id, ".json")
        try:
            if not parse_execution_id(execution_id):
                raise ExecutionNotFound
            seen = path.stat()
            started_at, script = _parse(path, seen.st_ino, seen.st_mtime_ns)
        except FileNotFoundError:
            raise ExecutionNotFound from None
        asked, killed = (_time_in(self._path(execution_id, suffix)) for suffix in (".term", ".kill"))
        return Life(script, started_at, asked, killed, time.time())

    def _life(self, execution_id: str) -> Life:
        """The execution as the engine answers. Raises ExecutionNotFound, or EngineUnavailable."""
        self._require_engine()
        life = self._read(execution_id)
        if life.status == ExecutionStatus.UNKNOWN:
            raise EngineUnavailable
        if life.status == ExecutionStatus.NOT_FOUND:
            raise ExecutionNotFound
        return life

    def _told_at(self, execution_id: str) -> float:
        try:
            return self._read(execution_id).told_at
        except ExecutionNotFound:
            return 0.0


def _as_recorded(script: MockScenario) -> dict[str, Any]:
    return script.model_dump(mode="json", exclude_defaults=True)


@lru_cache(maxsize=8192)
def _parse(path: Path, *_version: int) -> tuple[float, MockScenario]:
    record = json.loads(path.read_text())
    return record["started_at"], MockScenario.model_validate(record["script"])


def _time_in(path: Path) -> float | None:
    try:
        return float(path.read_text())
    except FileNotFoundError:
        return None


def _private_directory(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_uid != os.geteuid():
        raise EngineUnavailable(f"state_dir {str(path)!r} belongs to another user")


def _pause(until: float) -> float:
    return min(max(until - time.time(), 0.0), POLL_SECONDS)


def _field_error(detail: Any) -> FieldError:
    path = ".".join(["scenario", *map(str, detail["loc"])])
    code = "unknown" if detail["type"] == "extra_forbidden" else detail["type"]
    return FieldError(path, code, sentence(MockScenario, detail))
