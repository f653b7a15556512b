"""What the mock executor plays: scenarios, and what one says at an instant."""

import base64
import binascii
import math
import signal
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from container_manager.executors.config import ExecutorOptions
from container_manager.executors.results import Execution
from container_manager.states import ExecutionStatus

Seconds = Annotated[float, Field(ge=0, le=31_536_000, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Output(_Strict):
    """Bytes written to one stream at one time: `text` as UTF-8, or any bytes as `data_base64`."""

    at_seconds: Seconds = 0
    stream: Literal["stdout", "stderr"] = "stdout"
    text: str | None = None
    data_base64: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "Output":
        if (self.text is None) == (self.data_base64 is None):
            raise ValueError("exactly one of text and data_base64 is needed")
        return self

    @field_validator("data_base64")
    @classmethod
    def _is_base64(cls, data: str | None) -> str | None:
        try:
            base64.b64decode(data or "", validate=True)
        except binascii.Error as error:
            raise ValueError(f"it must be base64: {error}") from None
        return data

    @property
    def data(self) -> bytes:
        return base64.b64decode(self.data_base64) if self.data_base64 else (self.text or "").encode()


class Refusal(_Strict):
    """A launch that the engine refuses."""

    reason: Literal[
        "image_not_found", "image_auth", "image_pull_failed", "command_not_found", "launch_refused", "launch_error"
    ]
    message: str = "refused as scripted"


class Window(_Strict):
    """A span of time."""

    from_seconds: Seconds = 0
    for_seconds: Annotated[float, Field(gt=0, le=31_536_000, allow_inf_nan=False)]

    def covers(self, elapsed: float) -> bool:
        return self.from_seconds <= elapsed < self.from_seconds + self.for_seconds


class HealthChange(_Strict):
    """What the engine says of its health from a time on."""

    after_seconds: Seconds = 0
    healthy: bool
    detail: str = ""


class MockScenario(_Strict):
    """What one execution does. Times are in seconds after its start."""

    run_seconds: Seconds = Field(default=0, description="How long it runs unless it is stopped.")
    exit_code: int | None = Field(
        default=None, ge=0, le=255, description="Its exit code. Default: 0, or what `signal` or `oom` gives."
    )
    signal: int | None = Field(default=None, ge=1, le=64, description="The signal that ends it.")
    oom: bool = Field(default=False, description="Whether it is killed at its memory limit.")
    output: list[Output] = Field(default_factory=list, max_length=10_000, description="What it writes, and when.")
    refuse: Refusal | None = Field(default=None, description="The launch is refused with this reason.")
    launch_seconds: Seconds = Field(default=0, description="How long the launch takes.")
    engine_lost: Window | None = Field(default=None, description="The engine does not answer for this execution.")
    vanish_at_seconds: Seconds | None = Field(default=None, description="The engine has lost it from here on.")
    ignore_sigterm: bool = Field(default=False, description="Whether only SIGKILL ends it early.")

    @field_validator("output")
    @classmethod
    def _written_before_the_end(cls, output: list[Output], info: Any) -> list[Output]:
        run_seconds = info.data.get("run_seconds", math.inf)
        for number, chunk in enumerate(output):
            if chunk.at_seconds > run_seconds:
                raise ValueError(f"item {number} is at {chunk.at_seconds} s, after the end at {run_seconds} s")
        return sorted(output, key=lambda chunk: chunk.at_seconds)

    @field_validator("signal")
    @classmethod
    def _ends_one_way(cls, number: int | None, info: Any) -> int | None:
        if number is not None and info.data.get("exit_code") is not None:
            raise ValueError("an execution ends with an exit_code or by a signal, not both")
        return number


class MockOptions(ExecutorOptions, MockScenario):
    """Config of the mock executor. The keys of a scenario are defaults for every job's own scenario."""

    state_dir: str | None = Field(
        default=None, description="Where executions are kept. Default: a private directory for temporary files."
    )
    health: list[HealthChange] = Field(
        default_factory=list, description="The engine's health, by seconds after this process made the executor."
    )
    engine_away: Window | None = Field(
        default=None, description="The engine does not answer at all, by seconds after this process made the executor."
    )


class Ending(NamedTuple):
    at: float
    exit_code: int
    signal: int | None = None
    oom: bool = False


@dataclass(frozen=True, slots=True)
class Life:
    """An execution at one instant."""

    script: MockScenario
    started_at: float
    asked_to_end_at: float | None
    killed_at: float | None
    now: float

    @property
    def elapsed(self) -> float:
        return self.now - self.started_at

    @property
    def ending(self) -> Ending:
        script = self.script
        by_itself = 128 + script.signal if script.signal else 128 + signal.SIGKILL if script.oom else 0
        code = by_itself if script.exit_code is None else script.exit_code
        endings = [Ending(self.started_at + script.run_seconds, code, script.signal, script.oom)]
        for at, number in ((self.asked_to_end_at, signal.SIGTERM), (self.killed_at, signal.SIGKILL)):
            if at is not None and not (number == signal.SIGTERM and script.ignore_sigterm):
                endings.append(Ending(max(at, self.started_at), 128 + number, int(number)))
        return min(endings, key=lambda ending: ending.at)

    @property
    def told_at(self) -> float:
        """When its end, or that it is gone, can be known."""
        vanishes, lost = self.script.vanish_at_seconds, self.script.engine_lost
        after = min(self.ending.at - self.started_at, math.inf if vanishes is None else vanishes)
        if lost and lost.covers(after):
            after = lost.from_seconds + lost.for_seconds
        return self.started_at + after

    @property
    def status(self) -> ExecutionStatus:
        script = self.script
        if script.engine_lost and script.engine_lost.covers(self.elapsed):
            return ExecutionStatus.UNKNOWN
        if script.vanish_at_seconds is not None and self.elapsed >= script.vanish_at_seconds:
            return ExecutionStatus.NOT_FOUND
        if self.now < self.ending.at:
            return ExecutionStatus.RUNNING if self.elapsed >= 0 else ExecutionStatus.CREATED
        return ExecutionStatus.FAILED if self.ending.exit_code else ExecutionStatus.EXITED

    def describe(self) -> Execution:
        started, ending, status = moment(self.started_at), self.ending, self.status
        if status == ExecutionStatus.RUNNING:
            return Execution(status, started_at=started)
        if status not in (ExecutionStatus.EXITED, ExecutionStatus.FAILED):
            return Execution(status)
        return Execution(
            status,
            exit_code=ending.exit_code,
            signal=ending.signal,
            oom_killed=ending.oom,
            started_at=started,
            finished_at=moment(ending.at),
        )

    def written(self) -> list[Output]:
        until = min(self.now, self.ending.at) - self.started_at
        return [chunk for chunk in self.script.output if chunk.at_seconds <= until]


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
