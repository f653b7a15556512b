"""The contract of every executor. Read this first.

An executor talks to one engine. It never touches the database and never decides a job's state: it
launches, answers what the engine says, and cleans up. Everything that is the same for all engines
(config, accounting, measuring, failure detection) is done here, once, and a subclass cannot forget it.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from container_manager.circuit import Breaker, InMemoryBreaker, Rule
from container_manager.exceptions import FieldError, SecretUnavailable, Unsupported
from container_manager.executors.config import ExecutorOptions, parse_options
from container_manager.executors.measure import Observations, measured, stage_times
from container_manager.executors.results import (
    Capabilities,
    Execution,
    ExecutionRef,
    GivenSecret,
    Health,
    LogFrame,
    Logs,
)
from container_manager.resources import InMemoryLedger, Ledger, Limits, Resources
from container_manager.spec import JobRequest, JobSpec, Secret
from container_manager.states import ENDED, ExecutionStatus

POLL_SECONDS = 0.25
_MEASURED = (
    "launch_job", "check_status", "get_logs", "cleanup", "health_check", "inspect", "stop", "list_executions",
)  # fmt: skip


class ContainerExecutor(ABC):
    """Runs containers on one engine.

    Abstract are five methods; `launch_job(job)` returns `(ok, execution_id | error)`. The rest has a
    default that is correct for every engine, or refuses with `Unsupported`; `capabilities` says which
    optional powers and request fields an executor has.

    `config` may hold `timeout` (s, the default wall time of a job), `max_retries`, `debug_mode` and the
    other keys of `ExecutorOptions`. A class that sets `options_class` refuses keys it does not declare;
    any other class keeps them. Raises InvalidConfig, a ValueError.
    """

    DEFAULT_TIMEOUT: ClassVar[float] = 300
    DEFAULT_MAX_RETRIES: ClassVar[int] = 3
    options_class: ClassVar[type[ExecutorOptions] | None] = None
    capabilities: Capabilities = Capabilities()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for verb in _MEASURED:
            if verb in cls.__dict__ and not getattr(cls.__dict__[verb], "__isabstractmethod__", False):
                setattr(cls, verb, measured(cls.__dict__[verb]))

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        *,
        name: str = "",
        ledger: Ledger | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        self.config = dict(config or {})
        self.name = name or type(self).__name__
        self.ledger: Ledger = ledger or InMemoryLedger()
        self.breaker: Breaker = breaker or InMemoryBreaker()
        self.options = options = parse_options(type(self).options_class, self.config, owner=self.name)
        self.timeout = self.DEFAULT_TIMEOUT if options.timeout is None else options.timeout
        self.max_retries = self.DEFAULT_MAX_RETRIES if options.max_retries is None else options.max_retries
        self.debug_mode = options.debug_mode
        self.max_memory = options.max_memory
        self.max_cpu = options.max_cpu
        self.total_memory = options.total_memory
        self.total_cpu = options.total_cpu
        self.max_jobs = options.max_jobs
        self._total_memory_is_set = options.total_memory is not None
        self._total_cpu_is_set = options.total_cpu is not None
        self.default_memory = options.default_memory
        self.default_cpu = options.default_cpu
        self.grace_seconds = options.grace_seconds
        self.launch_concurrency = options.launch_concurrency
        # A bare executor attributes nothing to the job, so one failed launch is all the evidence there is.
        self.failure_threshold = options.failure_threshold or (3 if type(self).options_class else 1)
        cooldown = timedelta(seconds=options.failure_cooldown_seconds)
        self.observations = Observations(Rule(self.failure_threshold, cooldown))

    def __repr__(self) -> str:
        stats = self.observations.stats
        return f"<{type(self).__name__} {self.name!r}: {stats.launched} launched, {stats.errors} errors>"

    # --- The five that every executor answers -------------------------------------------------------

    @abstractmethod
    def launch_job(self, job: JobSpec) -> tuple[bool, str]:
        """Start one attempt of a job and return `(True, execution_id)` or `(False, error)`.

        The same attempt again returns the same execution. A LaunchResult also says the reason; one
        whose reason is the job's own fault is not held against the executor. Raises EngineUnavailable
        when the engine did not answer: then nothing is known, and the same call may be made again.
        """

    @abstractmethod
    def check_status(self, execution_id: str) -> str:
        """Say how the execution is doing: an ExecutionStatus.

        An unknown id is `not-found`. No answer is `unknown`, never `failed`. Never raises for either.
        """

    @abstractmethod
    def get_logs(self, execution_id: str) -> str | Logs:
        """Return what it has written so far, stdout and stderr apart, as the engine has them.

        Raises ExecutionNotFound, or EngineUnavailable.
        """

    @abstractmethod
    def cleanup(self, execution_id: str) -> bool:
        """Stop it and remove everything that its launch made. Something already gone is success.

        False means that something is still there. Raises EngineUnavailable.
        """

    @abstractmethod
    def health_check(self) -> bool | Health:
        """Say whether the engine can be used, with a sentence when not. Never raises.

        The answer a caller gets is this verdict and the breaker's.
        """

    # --- Optional powers: facts in `capabilities`, a correct or refusing default here ------------------

    def refusals(self, request: JobRequest) -> Sequence[FieldError]:
        """Every field of the request that this executor cannot honour, none dropped silently.

        Overrides add to the parent's answer. Must not ask the engine: launches are accepted while it is away.
        """
        unsupported = [
            FieldError(field, "unsupported", f"the {self.name} executor cannot honour {field}")
            for field in sorted(request.asked_fields - self.capabilities.fields)
        ]
        return [*unsupported, *self._refused_secrets(request)]

    def _refused_secrets(self, request: JobRequest) -> Iterator[FieldError]:
        kinds = self.capabilities.secrets
        for index, secret in enumerate(request.secrets if "secrets" in self.capabilities.fields else ()):
            if secret.kind not in kinds:
                told = f"the {self.name} executor cannot give a secret as {secret.kind}; it can as {', '.join(kinds)}"
                yield FieldError(f"secrets.{index}.kind", "unsupported", told)

    def given_secrets(self, job: JobSpec) -> list[GivenSecret]:
        """The secrets of a job with their values. Raises SecretUnavailable."""
        return [GivenSecret(secret.kind, secret.place, self._value_of(secret, job)) for secret in job.secrets]

    def _value_of(self, secret: Secret, job: JobSpec) -> str:
        if secret.value is not None:
            return secret.value.get_secret_value()
        source = self.options.secret_sources.get(secret.provided or "")
        if source is None or not source.is_for(job.namespace):
            raise SecretUnavailable(f"secret {secret.provided!r} is not provided for this namespace")
        try:
            return source.read()
        except (OSError, KeyError, UnicodeDecodeError) as error:
            detail = f"secret {secret.provided!r} cannot be read: {type(error).__name__}"
            raise SecretUnavailable(detail) from error

    def complete(self, job: JobSpec) -> JobSpec:
        """The job as `launch_job` takes it: with this executor's own defaults in the place of what it leaves open.

        Must not ask the engine. A request with these values is one that it honours.
        """
        return job

    def describe_launch(self, job: JobSpec) -> Mapping[str, Any] | None:
        """What `launch_job` would ask of the engine, as JSON, by the very code that asks; None where it is not told.

        Must not ask the engine. What the job says as a secret is not in the spec: stars stand in its place.
        """
        return None

    def prepare(self) -> None:
        """Called once by a dispatcher before the first launch."""

    def close(self) -> None:
        """Let go of connections and threads of this process; executions run on."""

    def inspect(self, execution_id: str) -> Execution:
        """All that the engine knows of an execution, read at once. Same promises as check_status."""
        return Execution(status=ExecutionStatus(self.check_status(execution_id)))

    def stop(self, execution_id: str, grace_seconds: float) -> None:
        """Begin the end of an execution: SIGTERM with a grace, SIGKILL at once when the grace is 0.

        Returns without waiting for the end. The caller repeats it with 0 when the grace has passed;
        a gone or ended execution is success. Raises EngineUnavailable, or Unsupported.
        """
        raise Unsupported(f"the {self.name} executor cannot stop an execution")

    def abandon_launch(self, execution_id: str) -> None:
        """Have a `launch_job` that is under way in this process give up what may take long, such as a pull.

        It then answers a refusal that is not held against the executor. Returns at once; a launch that cannot give up
        now, or that there is none of, goes on: the caller asks again. This default never gives up.
        """

    def watch(self, ids: Callable[[], Collection[str]], stop: threading.Event) -> Iterator[str | None]:
        """Yield the id of each execution that ends, until `stop` is set.

        `ids` gives the executions of interest. A None says that the watch stands from here on: what
        ended before it may not be told, so the caller looks for itself. Raises EngineUnavailable when
        the engine goes away; the caller watches anew. This default polls check_status.
        """
        yield None
        while not stop.wait(POLL_SECONDS):
            for execution_id in tuple(ids()):
                if self.check_status(execution_id) in (*ENDED, ExecutionStatus.NOT_FOUND):
                    yield execution_id

    def follow_logs(self, execution_id: str, stop: threading.Event) -> Iterator[LogFrame]:
        """Yield everything it writes, from its first byte until it ends or `stop` is set.

        Order is exact within a stream. A second call starts from the first byte again. Raises
        ExecutionNotFound, or EngineUnavailable. This default yields nothing before the end.
        """
        while self.check_status(execution_id) not in (*ENDED, ExecutionStatus.NOT_FOUND):
            if stop.wait(POLL_SECONDS):
                return
        logs = self.get_logs(execution_id)
        stdout, stderr = (logs, "") if isinstance(logs, str) else logs
        for stream, text in (("stdout", stdout), ("stderr", stderr)):
            if text:
                yield LogFrame(stream, text.encode("utf-8", "surrogateescape"), None)

    def dropped_bytes(self, execution_id: str) -> Mapping[str, int]:
        """What the engine did not keep of what an ended execution wrote, by stream; never 0."""
        return self.inspect(execution_id).dropped_bytes

    def list_executions(self) -> Sequence[ExecutionRef]:
        """Every execution of ours that the engine has, ended or not. Raises EngineUnavailable, or Unsupported.

        One that is `not-found` is gone and has left something that a cleanup removes.
        """
        raise Unsupported(f"the {self.name} executor cannot list its executions")

    def capacity(self) -> Resources | None:
        """What the engine's host has, or None where the engine does not say. Raises EngineUnavailable."""
        return None

    # --- Accounting, over the ledger -------------------------------------------------------------------

    @property
    def limits(self) -> Limits:
        return Limits(self.max_memory, self.max_cpu, self.total_memory, self.total_cpu, self.max_jobs)

    def allocate_resources(self, job_id: str, resources: Mapping[str, float]) -> bool:
        """Reserve `{"memory": MiB, "cpu": cores}` for a job: checked and done in one step.

        False when it does not fit. The same job and amount again is True and counts once.
        Raises InvalidResources, a ValueError, for a negative amount or an unknown key.
        """
        return self.ledger.reserve(job_id, Resources.parse(resources), self.limits)

    def can_allocate_resources(self, resources: Mapping[str, float]) -> bool:
        """Whether it would fit now. A hint: only allocate_resources decides."""
        wanted = Resources.parse(resources)
        return self.limits.allows(wanted) and self.limits.has_room(self.ledger.used(), self.ledger.count(), wanted)

    def get_allocated_resources(self, job_id: str) -> dict[str, float] | None:
        """What the job holds, or None."""
        held = self.ledger.held_by(job_id)
        return held.as_dict() if held else None

    def cleanup_resources(self, job_id: str) -> bool:
        """Give back what the job holds; False if it held nothing."""
        return self.ledger.release(job_id)

    def set_aside(self, memory: int) -> bool:
        """Reserve so many MiB for what the executor keeps ready beside all jobs, in place of what it was before.

        False when it does not fit. The same again is True and counts once, whichever process says it.
        """
        return self.ledger.set_aside(memory, self.limits)

    def get_resource_utilization(self) -> dict[str, float | None]:
        """`memory_used`, `_total` (MiB), `_percent` and the same for `cpu` (cores) and `jobs`.

        Total and percent are None where there is no limit.
        """
        used, jobs = self.ledger.used(), self.ledger.count()
        return {
            "memory_used": used.memory,
            "memory_total": self.total_memory,
            "memory_percent": _percent(used.memory, self.total_memory),
            "cpu_used": used.cpu,
            "cpu_total": self.total_cpu,
            "cpu_percent": _percent(used.cpu, self.total_cpu),
            "jobs_used": jobs,
            "jobs_total": self.max_jobs,
            "jobs_percent": _percent(jobs, self.max_jobs),
        }

    def learn_capacity(self) -> None:
        """Take as totals what the engine reports, where the config names none. Raises EngineUnavailable."""
        found = self.capacity()
        if found and not self._total_memory_is_set:
            self.total_memory = found.memory
        if found and not self._total_cpu_is_set:
            self.total_cpu = found.cpu

    # --- What the base has observed in this process ------------------------------------------------------

    def get_metrics(self) -> dict[str, Any]:
        """`jobs_launched`, `errors` (failed launches), `uptime` (s) and `calls` by method, of this process."""
        return self.observations.stats.metrics()

    def get_performance_stats(self) -> dict[str, Any]:
        """Times in seconds of launches in this process.

        `operation_times` holds the last 1024; `average_time` and `total_time` count all; p50, p95 and p99
        are of the last 1024, None before the first launch. `stages` says the same of each stage of a job that this
        process has brought one to (`spans.STAGES`).
        """
        return {**self.observations.stats.performance(), "stages": stage_times.of(self.name)}


def _percent(used: float, total: float | None) -> float | None:
    return 100 * used / total if total else None
