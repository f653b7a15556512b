"""Answers about executors."""

from typing import Any

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


class Limits(Answer):
    """What one job may ask for, and what all may hold together; null is unlimited."""

    max_memory_mib: float | None = Field(description="Most memory of one job, in MiB.")
    max_cpu_cores: float | None = Field(description="Most cpu of one job, in cores.")
    total_memory_mib: float | None = Field(description="Memory of all jobs together, in MiB.")
    total_cpu_cores: float | None = Field(description="Cpu of all jobs together, in cores.")


class Defaults(Answer):
    """What a launch request takes that does not say."""

    memory_mib: int = Field(description="Memory limit in MiB.", examples=[256])
    cpu_cores: float = Field(description="Cpu limit in cores.", examples=[1.0])
    timeout_seconds: float = Field(description="Wall time in seconds.", examples=[300])
    grace_seconds: float = Field(description="Seconds between SIGTERM and SIGKILL.", examples=[10])
    max_retries: int = Field(description="Launches again after a fault of the engine.", examples=[3])


class Utilization(Answer):
    """What jobs hold of an executor now, in all processes together."""

    memory_used_mib: float = Field(description="Memory reserved, in MiB.", examples=[0])
    memory_total_mib: float | None = Field(description="Memory there is, in MiB; null is unlimited.")
    memory_percent: float | None = Field(description="The first of the second, in percent.")
    cpu_used_cores: float = Field(description="Cpu reserved, in cores.", examples=[0])
    cpu_total_cores: float | None = Field(description="Cpu there is, in cores; null is unlimited.")
    cpu_percent: float | None = Field(description="The first of the second, in percent.")


class Health(Answer):
    """What dispatchers last saw of an executor's engine."""

    healthy: bool = Field(description="Whether jobs can be launched on it.")
    detail: str = Field(description="Why not; may be empty when it is healthy.")
    detector: str | None = Field(
        description="The failure detector: `closed` (launching), `open` (too many launches failed) or `half-open`."
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


class ExecutorMetrics(Answer):
    """Accounting and counters of an executor."""

    executor: str = Field(description="Its name.", examples=["docker"])
    utilization: Utilization
    active: ActiveJobs = Field(description="Jobs of the token's namespace now.")
    jobs: list[JobCount] = Field(
        description="Counters of the token's namespace: how often jobs have entered each state, ever. They only grow; "
        "`active` has the jobs there are now."
    )
    processes: list[ProcessMetrics] = Field(description="One entry a living dispatcher.")
