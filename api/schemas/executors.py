"""Answers about executors."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import TypeAliasType

from api.schemas.base import Answer, BreakerState, Time
from container_manager.spec import SecretKind
from container_manager.states import ExecutionStatus, JobState, Reason

DriftCause = TypeAliasType(
    "DriftCause",
    Annotated[
        Literal["unknown_attempt", "attempt_cleaned"],
        Field(
            description="`unknown_attempt`: there is no such attempt, or no longer. `attempt_cleaned`: it came back "
            "after its cleanup."
        ),
    ],
)
Counters = TypeAliasType(
    "Counters",
    Annotated[
        dict[str, Any],
        Field(
            description="`jobs_launched`, `errors`, `uptime` in seconds, and `calls` by method.",
            examples=[{"jobs_launched": 12, "errors": 0, "uptime": 86400.5, "calls": {"launch_job": 12}}],
        ),
    ],
)
LaunchTimes = TypeAliasType(
    "LaunchTimes",
    Annotated[
        dict[str, Any],
        Field(
            description="Times of launches in seconds: `operation_times`, `average_time`, `total_time`, `p50`, "
            "`p95`, `p99`; and in `stages` the last three of each stage of a job seen here: `accepted`, "
            "`woken`, `claimed`, `reserved`, `created`, `started`, `ended`, `noticed`, `recorded`.",
            examples=[
                {
                    "operation_times": [0.2],
                    "average_time": 0.2,
                    "total_time": 0.2,
                    "p50": 0.2,
                    "p95": 0.2,
                    "p99": 0.2,
                    "stages": {"claimed": {"p50": 0.004, "p95": 0.006, "p99": 0.006}},
                }
            ],
        ),
    ],
)


class Capabilities(Answer):
    """What an executor can do on this host."""

    fields: list[str] = Field(
        description="Fields of a launch request that it honours; others are refused.",
        examples=[["command", "cpu_cores", "env", "image", "labels", "memory_mib", "timeout_seconds"]],
    )
    isolation: str = Field(
        description="What separates a job from the host: `container`, `bubblewrap`, `none` or `simulated`.",
        examples=["container"],
    )
    networks: list[str] = Field(description="What `network` may be.", examples=[["none"]])
    streams_apart: bool = Field(description="Whether stdout and stderr are kept apart.", examples=[True])
    exit_code: bool = Field(description="Whether exit codes are known.", examples=[True])
    stop: bool = Field(description="Whether a running job can be stopped with a grace.", examples=[True])
    live_logs: bool = Field(description="Whether logs can be read while the job runs.", examples=[True])
    list_executions: bool = Field(description="Whether the engine can be asked what it runs.", examples=[True])
    enforces_memory: bool = Field(description="Whether the memory limit is enforced.", examples=[True])
    enforces_cpu: bool = Field(description="Whether the cpu limit is enforced.", examples=[True])
    secrets: list[SecretKind] = Field(description="As what it can give secrets.", examples=[["file", "env"]])


class Limits(Answer):
    """What one job may ask for, and what all may hold together; null is unlimited."""

    max_memory_mib: float | None = Field(ge=0, description="Most memory of one job, in MiB.", examples=[4096])
    max_cpu_cores: float | None = Field(ge=0, description="Most cpu of one job, in cores.", examples=[4])
    total_memory_mib: float | None = Field(ge=0, description="Memory of all jobs together, in MiB.", examples=[16384])
    total_cpu_cores: float | None = Field(ge=0, description="Cpu of all jobs together, in cores.", examples=[8])
    max_jobs: int | None = Field(ge=0, description="How many jobs may run at once.", examples=[None])


class Defaults(Answer):
    """What a launch request takes that does not say."""

    memory_mib: int = Field(ge=1, description="Memory limit in MiB.", examples=[256])
    cpu_cores: float = Field(gt=0, description="Cpu limit in cores.", examples=[1.0])
    timeout_seconds: float = Field(gt=0, description="Wall time in seconds.", examples=[300])
    grace_seconds: float = Field(ge=0, description="Seconds between SIGTERM and SIGKILL.", examples=[10])
    max_retries: int = Field(ge=0, description="How many launches again for a reason of `retry_on`.", examples=[3])


class Utilization(Answer):
    """What jobs hold of an executor now, in all processes together."""

    memory_used_mib: float = Field(ge=0, description="Memory reserved, in MiB.", examples=[64])
    memory_total_mib: float | None = Field(
        ge=0, description="Memory there is, in MiB; null is unlimited.", examples=[16384]
    )
    memory_percent: float | None = Field(ge=0, description="The first of the second, in percent.", examples=[0.390625])
    cpu_used_cores: float = Field(ge=0, description="Cpu reserved, in cores.", examples=[0.5])
    cpu_total_cores: float | None = Field(ge=0, description="Cpu there is, in cores; null is unlimited.", examples=[8])
    cpu_percent: float | None = Field(ge=0, description="The first of the second, in percent.", examples=[6.25])
    jobs_used: int = Field(ge=0, description="How many jobs hold a reservation.", examples=[1])
    jobs_total: int | None = Field(
        ge=0, description="How many jobs may hold one at once; null is unlimited.", examples=[None]
    )
    jobs_percent: float | None = Field(ge=0, description="The first of the second, in percent.", examples=[None])


class Health(Answer):
    """What dispatchers last saw of an executor's engine."""

    healthy: bool = Field(description="Whether jobs can be launched on it.", examples=[True])
    detail: str = Field(description="Why not; may be empty when it is healthy.", examples=[""])
    breaker: BreakerState = Field(description="The circuit breaker, which all dispatchers share.")
    latency_seconds: float | None = Field(
        ge=0, description="How long the engine took to answer, in seconds.", examples=[0.004]
    )
    checked_at: Time | None = Field(description="When it was last looked at.")
    dispatchers: int = Field(ge=0, description="How many dispatchers have looked lately.", examples=[1])


class Executor(Answer):
    """One registered executor."""

    name: str = Field(description="Its name in paths.", examples=["docker"])
    capabilities: Capabilities = Field(description="What it can do on this host.")
    limits: Limits = Field(description="What one job may ask for, and what all may hold together.")
    defaults: Defaults = Field(description="What a launch request takes that does not say.")
    health: Health = Field(description="What dispatchers last saw of its engine.")
    utilization: Utilization = Field(description="What jobs hold of it now, in all processes together.")


class ExecutorList(Answer):
    """The executors that the token may use, by name."""

    results: list[Executor] = Field(description="The executors.")


class ActiveJobs(Answer):
    """How many jobs there are now that have not ended."""

    queued: int = Field(ge=0, description="How many wait.", examples=[0])
    launching: int = Field(ge=0, description="How many are being launched.", examples=[0])
    running: int = Field(ge=0, description="How many run.", examples=[1])


class JobCount(Answer):
    """How many times jobs have entered a state, ever: a counter, not how many are in it."""

    state: JobState = Field(description="The state.", examples=["succeeded"])
    reason: Reason | None = Field(
        description="Why they ended; null for a state that is no end.", examples=["completed"]
    )
    count: int = Field(ge=0, description="How many times.", examples=[12])


class ProcessMetrics(Answer):
    """What one dispatcher process has observed of the executor since it started."""

    dispatcher: UUID = Field(description="The dispatcher's id.")
    checked_at: Time = Field(description="When it was published.")
    metrics: Counters = Field(description="What it has counted.")
    performance: LaunchTimes = Field(description="How long its launches took.")


class Removed(Answer):
    """What was removed of itself, ever, in all namespaces together."""

    reaped: int = Field(ge=0, description="How many executions that nobody owned.", examples=[0])
    logs_deleted: int = Field(ge=0, description="How many jobs whose logs were past their retention.", examples=[12])
    jobs_deleted: int = Field(ge=0, description="How many jobs that were past their retention.", examples=[12])
    idempotency_keys_deleted: int = Field(
        ge=0,
        description="How many idempotency keys that were past their retention, without those that went with their job.",
        examples=[0],
    )


class Launches(Answer):
    """How many launches have taken each way, ever, in all namespaces together; 0 where there is one way only."""

    cold: int = Field(ge=0, description="How many with nothing made ahead.", examples=[2])
    prepared_network: int = Field(
        ge=0, description="How many with a network namespace that was made ahead.", examples=[10]
    )
    warm: int = Field(ge=0, description="How many into a container that was started ahead.", examples=[0])


class ExecutorMetrics(Answer):
    """Accounting and counters of an executor."""

    executor: str = Field(description="Its name.", examples=["docker"])
    utilization: Utilization = Field(description="What jobs hold of it now, in all processes together.")
    active: ActiveJobs = Field(description="Jobs of the token's namespace now.")
    jobs: list[JobCount] = Field(
        description="Counters of the token's namespace: how often jobs have entered each state, ever. They only grow; "
        "`active` has the jobs there are now."
    )
    removed: Removed = Field(description="What was removed of itself, ever, in all namespaces together.")
    launches: Launches = Field(description="Which ways launches have taken, ever, in all namespaces together.")
    processes: list[ProcessMetrics] = Field(description="One entry a living dispatcher.")


class UnownedExecution(Answer):
    """An execution that no attempt of a job stands for."""

    execution_id: str = Field(
        description="The engine's name for it.", examples=["purser-0193a1c25b7e7c119d430a1b2c3d4e5f-1"]
    )
    status: ExecutionStatus = Field(description="What the engine says of it.", examples=["running"])
    cause: DriftCause = Field(description="Why it is nobody's.")


class MissingExecution(Answer):
    """A running attempt whose execution the engine does not have."""

    execution_id: str = Field(
        description="The engine's name for it.", examples=["purser-0193a1c25b7e7c119d430a1b2c3d4e5f-1"]
    )
    job_id: UUID = Field(description="The job.")


class Drift(Answer):
    """How an engine differed from the books when they were last compared."""

    executor: str = Field(description="The executor's name.", examples=["docker"])
    checked_at: Time | None = Field(description="When that was; null if never, or if the engine cannot list.")
    unowned: list[UnownedExecution] = Field(description="What runs, or lies there, for nobody: the first 100.")
    unowned_count: int = Field(ge=0, description="How many there were.", examples=[0])
    missing: list[MissingExecution] = Field(description="What should run and is gone: the first 100.")
    missing_count: int = Field(ge=0, description="How many there were.", examples=[0])
