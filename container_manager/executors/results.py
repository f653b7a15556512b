"""What executors answer with. Each still equals the plain value that the contract names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Self

from container_manager.states import NOT_HELD_AGAINST_EXECUTOR, ExecutionStatus, LaunchPath, Reason


class LaunchResult(tuple[bool, str]):
    """`(True, execution_id)` or `(False, error)`, that also knows the reason of a refusal, or which way it took.

    `path` is None where an executor has one way only; `path_detail` says why it was not a faster one, if there is one.
    """

    reason: Reason | None
    path: LaunchPath | None
    path_detail: str

    def __new__(
        cls,
        ok: bool,
        value: str,
        reason: Reason | None = None,
        *,
        path: LaunchPath | None = None,
        path_detail: str = "",
    ) -> Self:
        result = super().__new__(cls, (ok, value))
        result.reason = reason
        result.path = path
        result.path_detail = path_detail
        return result

    @property
    def is_held_against_executor(self) -> bool:
        """Whether a refusal for this reason says something about the executor's health."""
        return self.reason not in NOT_HELD_AGAINST_EXECUTOR


class Logs(NamedTuple):
    """All that was written, decoded as UTF-8 with replacement, whole or up to the executor's bound."""

    stdout: str
    stderr: str


class LogFrame(NamedTuple):
    """Bytes as they came from one stream. `at` is when the engine took them, None where it does not say."""

    stream: str  # "stdout" or "stderr"
    data: bytes
    at: datetime | None


@dataclass(frozen=True, slots=True)
class GivenSecret:
    """What a job is given: a variable of the name `place`, or a file at that path."""

    kind: str  # "file" or "env"
    place: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Health:
    """A verdict with a sentence; true or false like the plain bool."""

    healthy: bool
    detail: str = ""
    launches_pause: bool = False  # the engine itself is well, but too many launches on it have failed

    def __bool__(self) -> bool:
        return self.healthy


@dataclass(frozen=True, slots=True)
class Usage:
    """What an execution used. A figure that cannot be had is None, never 0."""

    peak_memory_bytes: int | None = None
    cpu_user_seconds: float | None = None
    cpu_system_seconds: float | None = None
    io_read_bytes: int | None = None
    io_write_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Execution:
    """What an engine knows of an execution. `reason` is set only where the engine itself knows it."""

    status: ExecutionStatus
    exit_code: int | None = None
    signal: int | None = None  # only when it is known to have been sent
    oom_killed: bool = False
    reason: Reason | None = None
    detail: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    image_digest: str | None = None
    fell_with_engine: bool = False  # whether it is known to have ended when the engine went down
    outlives_engine: bool = True  # whether it would have run on while the engine was away
    unheard_while_away: bool = False  # whether what it wrote then is lost when it ended before the engine was back
    usage: Usage = field(default_factory=Usage)
    dropped_bytes: Mapping[str, int] = field(default_factory=dict)  # by stream, what the engine did not keep; never 0


@dataclass(frozen=True, slots=True)
class ExecutionRef:
    """One line of list_executions()."""

    execution_id: str
    status: ExecutionStatus


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Facts about an executor, true on this host; shown by the API and proven by the contract suite."""

    fields: frozenset[str] = frozenset()  # request fields that it honours; the others are refused
    isolation: str = "unknown"  # "container", "bubblewrap", "none", "simulated"
    networks: tuple[str, ...] = ()
    streams_apart: bool = False
    exit_code: bool = False
    stop: bool = False
    live_logs: bool = False
    list_executions: bool = False
    enforces_memory: bool = False
    enforces_cpu: bool = False
    secrets: tuple[str, ...] = ()  # how it can give them: "file", "env"
