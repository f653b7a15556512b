"""Answers about executors."""

from typing import Any
from uuid import UUID

from pydantic import Field

from api.schemas.base import Answer, Time


class Capabilities(Answer):
    """What an executor can do on this host."""

    fields: list[str] = Field(description="Fields of a launch request that it honours; others are refused.")
    isolation: str = Field(
        description="What separates a job from the host: `container`, `bubblewrap`, `none` or `simulated`.",
        examples=["container"],
    )
    networks: list[str] = Field(description="What `network` may be.", examples=[["none"]])
    streams_apart: bool = Field(description="Whether stdout and stderr are kept apart.")
    exit_code: bool = Field(description="Whether exit codes are known.")
    stop: bool = Field(description="Whether a running job can be stopped with a grace.")
    live_logs: bool = Field(description="Whether logs can be read while the job runs.")
    list_executions: bool = Field(description="Whether the engine can be asked what it runs.")
    enforces_memory: bool = Field(description="Whether the memory limit is enforced.")
    enforces_cpu: bool = Field(description="Whether the cpu limit is enforced.")
    secrets: list[str] = Field(description="As what it can give secrets: `file`, `env`.", examples=[["file", "env"]])


class Limits(Answer):
    """What one job may ask for, and what all may hold together; null is unlimited."""

    max_memory_mib: float | None = Field(description="Most memory of one job, in MiB.")
    max_cpu_cores: float | None = Field(description="Most cpu of one job, in cores.")
    total_memory_mib: float | None = Field(description="Memory of all jobs together, in MiB.")
    total_cpu_cores: float | None = Field(description="Cpu of all jobs together, in cores.")
    max_jobs: int | None = Field(description="Jobs that may run at once.")


class Defaults(Answer):
    """What a launch request takes that does not say."""

    memory_mib: int = Field(description="Memory limit in MiB.", examples=[256])
    cpu_cores: float = Field(description="Cpu limit in cores.", examples=[1.0])
    timeout_seconds: float = Field(description="Wall time in seconds.", examples=[300])
    grace_seconds: float = Field(description="Seconds between SIGTERM and SIGKILL.", examples=[10])
    max_retries: int = Field(description="Launches again for a reason of `retry_on`.", examples=[3])


class Utilization(Answer):
    """What jobs hold of an executor now, in all processes together."""

    memory_used_mib: float = Field(description="Memory reserved, in MiB.", examples=[0])
    memory_total_mib: float | None = Field(description="Memory there is, in MiB; null is unlimited.")
    memory_percent: float | None = Field(description="The first of the second, in percent.")
    cpu_used_cores: float = Field(description="Cpu reserved, in cores.", examples=[0])
    cpu_total_cores: float | None = Field(description="Cpu there is, in cores; null is unlimited.")
    cpu_percent: float | None = Field(description="The first of the second, in percent.")
    jobs_used: int = Field(description="Jobs that hold a reservation.", examples=[0])
    jobs_total: int | None = Field(description="Jobs that may hold one at once; null is unlimited.")
    jobs_percent: float | None = Field(description="The first of the second, in percent.")


class Health(Answer):
    """What dispatchers last saw of an executor's engine."""

    healthy: bool = Field(description="Whether jobs can be launched on it.")
    detail: str = Field(description="Why not; may be empty when it is healthy.")
    breaker: str = Field(
        description="The circuit breaker, which all dispatchers share: `closed`, `open` (no launches) or `half-open` "
        "(one launch is let through to try).",
        examples=["closed"],
    )
    latency_seconds: float | None = Field(description="How long the engine took to answer, in seconds.")
    checked_at: Time | None = Field(description="When it was last looked at.")
    dispatchers: int = Field(ge=0, description="How many dispatchers have looked lately.", examples=[1])


class Executor(Answer):
    """One registered executor."""

    name: str = Field(description="Its name in paths.", examples=["docker"])
    capabilities: Capabilities
    limits: Limits
    defaults: Defaults
    health: Health
    utilization: Utilization


class ExecutorList(Answer):
    """The executors that the token may use, by name."""

    results: list[Executor] = Field(description="The executors.")


class ActiveJobs(Answer):
    """How many jobs there are now that have not ended."""

    queued: int = Field(ge=0, description="They wait.", examples=[0])
    launching: int = Field(ge=0, description="They are being launched.", examples=[0])
    running: int = Field(ge=0, description="They run.", examples=[1])


class JobCount(Answer):
    """How many times jobs have entered a state, ever: a counter, not how many are in it."""

    state: str = Field(description="The state.", examples=["succeeded"])
    reason: str | None = Field(description="Why they ended; null for a state that is no end.", examples=["completed"])
    count: int = Field(ge=0, description="How many.", examples=[12])


class ProcessMetrics(Answer):
    """What one dispatcher process has observed of the executor since it started."""

    dispatcher: str = Field(description="The dispatcher's id.")
    checked_at: Time = Field(description="When it was published.")
    metrics: dict[str, Any] = Field(description="`jobs_launched`, `errors`, `uptime` (s) and `calls` by method.")
    performance: dict[str, Any] = Field(
        description="Times of launches in seconds: `average_time`, `total_time`, `p50`, `p95`, `p99`."
    )


class Removed(Answer):
    """What was removed of itself, ever, in all namespaces together."""

    reaped: int = Field(ge=0, description="Executions that nobody owned.", examples=[0])
    logs_deleted: int = Field(ge=0, description="Jobs whose logs were past their retention.", examples=[12])
    jobs_deleted: int = Field(ge=0, description="Jobs that were past their retention.", examples=[12])
    idempotency_keys_deleted: int = Field(
        ge=0, description="Keys that were past their retention; those that went with their job are not counted."
    )


class ExecutorMetrics(Answer):
    """Accounting and counters of an executor."""

    executor: str = Field(description="Its name.", examples=["docker"])
    utilization: Utilization
    active: ActiveJobs = Field(description="Jobs of the token's namespace now.")
    jobs: list[JobCount] = Field(
        description="Counters of the token's namespace: how often jobs have entered each state, ever. They only grow; "
        "`active` has the jobs there are now."
    )
    removed: Removed
    processes: list[ProcessMetrics] = Field(description="One entry a living dispatcher.")


class UnownedExecution(Answer):
    """An execution that no attempt of a job stands for."""

    execution_id: str = Field(
        description="The engine's name for it.", examples=["purser-0193a1c25b7e7c119d430a1b2c3d4e5f-1"]
    )
    status: str = Field(description="What the engine says of it.", examples=["running"])
    cause: str = Field(
        description="`unknown_attempt` (there is no such attempt, or no longer) or `attempt_cleaned` (it came back).",
        examples=["unknown_attempt"],
    )


class MissingExecution(Answer):
    """A running attempt whose execution the engine does not have."""

    execution_id: str = Field(description="The engine's name for it.")
    job_id: UUID = Field(description="The job.")


class Drift(Answer):
    """How an engine differed from the books when they were last compared."""

    executor: str = Field(description="The executor's name.", examples=["docker"])
    checked_at: Time | None = Field(description="When that was; null if never, or if the engine cannot list.")
    unowned: list[UnownedExecution] = Field(description="What runs, or lies there, for nobody: the first 100.")
    unowned_count: int = Field(ge=0, description="How many there were.", examples=[0])
    missing: list[MissingExecution] = Field(description="What should run and is gone: the first 100.")
    missing_count: int = Field(ge=0, description="How many there were.", examples=[0])
