"""Answers about jobs."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, RootModel
from typing_extensions import TypeAliasType

from api.schemas.base import Answer, BreakerState, DroppedBytes, Evidence, LogStream, Time
from api.schemas.executors import Capabilities, Limits
from container_manager.spec import JobRequest, Labels
from container_manager.states import EventType, JobState, LaunchPath, Reason

WaitingCode = TypeAliasType(
    "WaitingCode",
    Annotated[
        Literal["capacity", "quota", "queue", "backoff", "breaker", "executor"],
        Field(
            description="`capacity`: the executor has no room. `quota`: the namespace has none. `queue`: others are "
            "first. `backoff`: a retry waits for its time. `breaker`: too many launches failed. `executor`: it is not "
            "healthy, or not looked after."
        ),
    ],
)

Phase = TypeAliasType(
    "Phase",
    Annotated[
        Literal["queued", "pulling", "launching", "running", "timed_out", "cancel_requested", "ended", "cleanup"],
        Field(description="A part of an attempt, or a moment in it."),
    ],
)
EngineRequest = TypeAliasType(
    "EngineRequest",
    Annotated[
        dict[str, Any],
        Field(
            description="A request to the engine, in the engine's own terms.",
            examples=[
                {
                    "method": "POST",
                    "path": "/containers/create?name=purser-0193a1c25b7e7c119d430a1b2c3d4e5f-1",
                    "body": {"Image": "busybox:latest", "Cmd": ["echo", "hello"], "HostConfig": {"Memory": 67108864}},
                }
            ],
        ),
    ],
)

DIGEST = "sha256:9ae97d36d26566ff84e8893c64a6dc4fe8ca6d1144bf5b87b2b85a32def253c7"
PATH = "/api/v1/jobs/0193a1c2-5b7e-7c11-9d43-0a1b2c3d4e5f"


class Usage(Answer):
    """What an execution used. A figure that cannot be had is null, never 0."""

    peak_memory_bytes: int | None = Field(
        ge=0, description="Most memory held at once, in bytes, page cache included.", examples=[4194304]
    )
    cpu_user_seconds: float | None = Field(ge=0, description="Cpu time in user mode, in seconds.", examples=[0.012])
    cpu_system_seconds: float | None = Field(ge=0, description="Cpu time in the kernel, in seconds.", examples=[0.004])
    io_read_bytes: int | None = Field(ge=0, description="Bytes read from block devices.", examples=[0])
    io_write_bytes: int | None = Field(
        ge=0, description="Bytes that were written to block devices by its end.", examples=[None]
    )


class Phases(Answer):
    """How long each part of an attempt took, in seconds; null where it has not happened or was not seen."""

    queued_seconds: float | None = Field(
        ge=0, description="Seconds in the queue, a retry's backoff included.", examples=[0.021]
    )
    pull_seconds: float | None = Field(
        ge=0, description="Seconds of pulling the image; null when it was there.", examples=[None]
    )
    launch_seconds: float | None = Field(
        ge=0, description="Seconds from leaving the queue to the start, without the pull.", examples=[0.238]
    )
    run_seconds: float | None = Field(
        ge=0, description="Seconds from the start to the end, by the engine's clock.", examples=[0.05]
    )
    cleanup_seconds: float | None = Field(
        ge=0, description="Seconds of removing what it left on the engine.", examples=[0.112]
    )


class Attempt(Answer):
    """One launch of a job. Kept when the job is launched again."""

    number: int = Field(ge=1, description="1 for the first launch.", examples=[1])
    launching_at: Time = Field(description="When the engine was asked.")
    pulling_at: Time | None = Field(
        description="When it began to pull the image; null when it was there.", examples=[None]
    )
    started_at: Time | None = Field(description="When the engine said that it started.")
    finished_at: Time | None = Field(description="When it ended.")
    reason: Reason | None = Field(description="Why it ended; null until then.", examples=["completed"])
    evidence: Evidence = Field(description="What the reason rests on.")
    exit_code: int | None = Field(
        ge=0, le=255, description="The command's exit code, where there was one.", examples=[0]
    )
    image_digest: str | None = Field(description="Digest of the image that ran.", examples=[DIGEST])
    launch_path: LaunchPath | None = Field(
        description="Which way the launch took: `cold`, with a `prepared_network`, or into a `warm` container; null "
        "until it has started, and on an executor that has one way only.",
        examples=["cold"],
    )
    launch_path_detail: str | None = Field(
        description="Why it was not a faster one; null if it was the fastest that there is, or is not known.",
        examples=[None],
    )
    usage: Usage = Field(description="What it used.")
    phases: Phases = Field(description="How long each part of it took.")
    cleaned_at: Time | None = Field(description="Since when nothing of it is left on the engine.")


class Shortage(Answer):
    """How much of something a job asks for, and how much of it is free."""

    asked: float = Field(ge=0, description="What the job asks for, in the unit of the field.", examples=[512])
    free: float = Field(
        description="What the executor or the quota has left now, in the same unit; below 0 where too much is held.",
        examples=[256],
    )


class Waiting(Answer):
    """Why a queued job has not been launched yet."""

    code: WaitingCode = Field(description="What it waits for.")
    detail: str = Field(description="The same as a sentence.", examples=["the executor has no room for it now"])
    position: int = Field(
        ge=1,
        description="Its place in the executor's queue, fair shares between namespaces counted; 1 is next.",
        examples=[1],
    )
    memory_mib: Shortage | None = Field(description="Memory that it waits for, in MiB; null if that is not why.")
    cpu_cores: Shortage | None = Field(description="Cpu that it waits for, in cores; null if that is not why.")
    jobs: Shortage | None = Field(
        description="A slot that it waits for, in jobs; null if that is not why.", examples=[None]
    )


class Links(Answer):
    """Where to go on from here."""

    self: str = Field(description="The job's status.", examples=[PATH])
    logs: str = Field(description="What it writes.", examples=[f"{PATH}/logs"])
    events: str = Field(description="Its history.", examples=[f"{PATH}/events"])
    cancel: str = Field(description="POST here to end it.", examples=[f"{PATH}/cancel"])


class Job(Answer):
    """A job: what was asked for, how it is doing, and why it ended."""

    id: UUID = Field(description="The job's id. Ids sort by the time of the launch request.")
    executor: str = Field(description="The executor it runs on.", examples=["docker"])
    namespace: str = Field(description="The tenant it belongs to.", examples=["default"])
    state: JobState = Field(
        description="How it is doing. The last three are ends: nothing follows them.", examples=["succeeded"]
    )
    version: int = Field(ge=0, description="Counts the job's changes; also the `seq` of its last event.", examples=[3])
    reason: Reason | None = Field(description="Why it ended; null until then.", examples=["completed"])
    evidence: Evidence = Field(description="What the reason rests on.")
    exit_code: int | None = Field(
        ge=0, le=255, description="The command's exit code, where there was one.", examples=[0]
    )
    attempt: int = Field(ge=0, description="Number of the present launch; 0 before the first.", examples=[1])
    attempts: list[Attempt] = Field(description="Every launch so far, in order.")
    labels: Labels = Field(description="The labels it was launched with.")
    request: JobRequest = Field(description="What was asked for: the fields that were given, as they were given.")
    memory_mib: int = Field(ge=1, description="Memory limit in MiB: reserved and enforced.", examples=[64])
    cpu_cores: float = Field(gt=0, description="Cpu limit in cores: reserved and enforced.", examples=[0.5])
    timeout_seconds: float = Field(gt=0, description="Longest wall time of an attempt, in seconds.", examples=[60])
    priority: int = Field(ge=-1000, le=1000, description="Higher is launched earlier.", examples=[0])
    created_at: Time = Field(description="When the launch request was accepted.")
    queued_at: Time = Field(description="Since when it waits, or last waited, in the queue.")
    launching_at: Time | None = Field(description="When the engine was asked to run the present attempt.")
    started_at: Time | None = Field(description="When the present attempt started.")
    finished_at: Time | None = Field(description="When the job ended.")
    cleaned_at: Time | None = Field(description="Since when nothing of it is left on the engine.")
    logs_deleted_at: Time | None = Field(
        description="Since when its logs are gone: they were past their retention.", examples=[None]
    )
    cancel_requested_at: Time | None = Field(description="When somebody asked for its end.", examples=[None])
    not_before: Time | None = Field(description="When a retry may be launched at the earliest.", examples=[None])
    stale_since: Time | None = Field(
        description="Since when the engine has not answered for it; null while it does.", examples=[None]
    )
    waiting: Waiting | None = Field(
        description="Why it waits; null unless it is queued, and in lists.", examples=[None]
    )
    usage: Usage | None = Field(description="What the last attempt used; null before the first.")
    image_digest: str | None = Field(description="Digest of the image that the last attempt ran.", examples=[DIGEST])
    links: Links = Field(description="Where to go on from here.")


class BreakerEvidence(Answer):
    """The circuit breaker that holds launches back."""

    state: BreakerState = Field(description="Whether it is open or half-open.", examples=["open"])
    failures: int = Field(ge=0, description="How many launches failed in a row.", examples=[3])
    causes: list[str] = Field(description="What they failed with, a word each.", examples=[["launch_error"]])
    until: Time | None = Field(description="When the next launch is let through to try.")


class BackoffEvidence(Answer):
    """The attempt that failed, and when the next one may begin."""

    not_before: Time = Field(description="When the next attempt may begin at the earliest.")
    attempt: int = Field(ge=1, description="The attempt that failed.", examples=[1])
    reason: Reason = Field(description="Why it failed.", examples=["launch_error"])
    attempts_left: int = Field(ge=0, description="How many more there may be.", examples=[2])


class CancelEvidence(Answer):
    """Who asked for the job's end."""

    at: Time = Field(description="When.")
    by: str | None = Field(
        description="Id and name of the token that asked; null if it is not known.", examples=["7b9de2b64ed7 ci"]
    )


class ExplainEvidence(Answer):
    """What an explanation rests on. What has no part in it, or is not known, is null."""

    exit_code: int | None = Field(ge=0, le=255, description="The command's exit code.", examples=[3])
    signal: str | None = Field(description="The signal that is known to have ended it.", examples=["SIGKILL"])
    possible_signal: str | None = Field(
        description="The signal that its exit code may stand for.", examples=["SIGKILL"]
    )
    engine: str | None = Field(description="What the engine, or the registry, said.", examples=[None])
    warning: str | None = Field(description="What went wrong although the job succeeded.", examples=[None])
    logs: str | None = Field(description="`incomplete` when not all that it wrote could be kept.", examples=[None])
    memory_mib: int | None = Field(ge=1, description="Its memory limit in MiB.", examples=[256])
    peak_memory_bytes: int | None = Field(
        ge=0, description="Most memory that it held at once, in bytes.", examples=[4194304]
    )
    launch_path: LaunchPath | None = Field(description="Which way its last launch took.", examples=["cold"])
    launch_path_detail: str | None = Field(description="Why that was not a faster one.", examples=[None])
    timeout_seconds: float | None = Field(gt=0, description="Its longest wall time in seconds.", examples=[300])
    queue_timeout_seconds: float | None = Field(
        gt=0, description="How long it may wait to be launched, in seconds.", examples=[None]
    )
    waited_seconds: float | None = Field(ge=0, description="How long it has waited, in seconds.", examples=[None])
    position: int | None = Field(ge=1, description="Its place in the executor's queue; 1 is next.", examples=[1])
    short_of: dict[str, Shortage] = Field(
        description="What it lacks, by `memory_mib`, `cpu_cores` or `jobs`: how much it asks for, and what is free.",
        examples=[{}],
    )
    breaker: BreakerEvidence | None = Field(description="Why launches pause.", examples=[None])
    backoff: BackoffEvidence | None = Field(
        description="Which attempt failed, and when the next one begins.", examples=[None]
    )
    cancel: CancelEvidence | None = Field(description="Who asked for its end.", examples=[None])
    stale_since: Time | None = Field(description="Since when the engine has not answered for it.", examples=[None])


class Moment(Answer):
    """One phase of one attempt."""

    phase: Phase = Field(description="What it was.")
    at: Time = Field(description="When it began.")
    attempt: int = Field(ge=1, description="Which launch of the job it was part of, or before.", examples=[1])
    seconds: float | None = Field(
        ge=0, description="How long it took, in seconds; null while it goes on, or if it is a moment.", examples=[0.021]
    )
    reason: Reason | None = Field(description="With `ended`: why.", examples=[None])


class Explanation(Answer):
    """Why a job waits, what it does, or why it ended."""

    job: UUID = Field(description="The job.")
    executor: str = Field(description="The executor it runs on.", examples=["docker"])
    state: JobState = Field(description="How it is doing.", examples=["failed"])
    code: str = Field(
        description="Why, as one word: the `code` of `waiting`, `launching`, `running`, `stopping` or `stale`, or the "
        "`reason` of its end.",
        examples=["oom"],
    )
    sentence: str = Field(description="The same as a sentence.", examples=["the command ended with exit code 3"])
    hint: str = Field(description="What can be done about it.", examples=["read the logs: the command itself ended so"])
    evidence: ExplainEvidence = Field(description="What it rests on.")
    timeline: list[Moment] = Field(description="Every phase of every attempt, in order.")


class NamespaceQuota(Answer):
    """What the namespace may hold on all executors together; null is unlimited."""

    max_jobs: int | None = Field(ge=0, description="How many jobs may run at once.", examples=[10])
    max_memory_mib: int | None = Field(ge=0, description="Memory of all its jobs together, in MiB.", examples=[4096])
    max_cpu_cores: float | None = Field(ge=0, description="Cpu of all its jobs together, in cores.", examples=[8])
    max_queued: int | None = Field(ge=0, description="How many jobs may wait.", examples=[None])


class DryRun(Answer):
    """What a launch would do. Stars stand for the values of `env` and of secrets, and for `stdin`."""

    dry_run: Literal[True] = Field(description="Nothing was launched.")
    executor: str = Field(description="The executor it would run on.", examples=["docker"])
    namespace: str = Field(description="The tenant it would belong to.", examples=["default"])
    effective: JobRequest = Field(description="What would be run: the request with every default in its place.")
    defaulted: list[str] = Field(description="The fields that the executor's defaults have filled.")
    limits: Limits = Field(description="What the executor allows.")
    quota: NamespaceQuota = Field(description="What the namespace may hold.")
    policy: Capabilities = Field(description="What the executor honours and enforces.")
    queued: bool = Field(description="Whether it would have to wait.")
    waiting: Waiting | None = Field(description="Why it would have to wait; null if it would be launched at once.")
    engine_request: EngineRequest | None = Field(
        description="What the engine would be asked, in its own terms; null where the executor does not tell. On "
        "docker `method`, `path` and `body` of its create request, on process the command line with its surroundings, "
        "on mock the script."
    )


class JobOrDryRun(RootModel[Job | DryRun]):
    """The job at its end, or with `dry_run` what a launch would do."""


class JobPage(Answer):
    """Some jobs, newest first; with `updated_since` by their last change, oldest first."""

    results: list[Job] = Field(description="The jobs of this page.")
    next_cursor: str | None = Field(
        description="Give it as `cursor` for the next page; null on the last.",
        examples=["MjAyNi0xMS0yMlQxNzowMjowOS4x"],
    )
    watermark: Time | None = Field(
        description="With `updated_since`: on the last page, give it as the next `updated_since` to read on without "
        "loss. What has changed a moment ago may be behind it, and comes then. Else null.",
        examples=[None],
    )


class Event(Answer):
    """One thing that happened to a job."""

    seq: int = Field(ge=1, description="Counts the job's events without a gap.", examples=[1])
    at: Time = Field(description="When it happened.")
    type: EventType = Field(
        description="What happened. `state`: it has a new state. `cancel_requested`: somebody asked for its end. "
        "`timed_out`: it ran longer than it may and is being stopped. `cleaned`: nothing of it is left on the engine.",
        examples=["state"],
    )
    state: JobState = Field(description="The job's state after it.", examples=["queued"])
    reason: Reason | None = Field(description="Why the job ended; null before its end.", examples=[None])
    detail: dict[str, Any] = Field(description="What is known about it besides.", examples=[{}])


class EventPage(Answer):
    """A job's history, or some of it, in order."""

    results: list[Event] = Field(description="The events after `after`.")
    last_seq: int = Field(ge=0, description="Give it as `after` to go on from here.", examples=[3])


class LogLine(Answer):
    """One line of one stream: `text` if it is UTF-8, else `data_base64`; the other of the two is null."""

    seq: int = Field(
        ge=0, description="Counts the attempt's lines of both streams in the order they came.", examples=[0]
    )
    stream: LogStream = Field(description="The stream it was written to.")
    at: Time = Field(description="When the engine took it.")
    text: str | None = Field(description="The line without its newline.", examples=["hello"])
    data_base64: str | None = Field(description="Bytes that are not UTF-8.", examples=[None])
    partial: bool = Field(
        description="Whether no newline ends it: what follows in its stream is the same line.", examples=[False]
    )


class LogPage(Answer):
    """Some lines of what an attempt has written."""

    attempt: int = Field(
        ge=0, description="The attempt that wrote them; 0 when the job was never launched.", examples=[1]
    )
    lines: list[LogLine] = Field(description="The lines, in order.")
    next_cursor: str = Field(description="Give it as `cursor` to go on from here.", examples=["1.68-0"])
    complete: bool = Field(description="Whether nothing will follow.", examples=[True])
    truncated: bool = Field(description="Whether the log was larger than what is kept of it.", examples=[False])
    dropped_bytes: DroppedBytes = Field(description="Bytes by stream that were not kept.")


class End(Answer):
    """How a job ended: the last message of its followed events."""

    state: JobState = Field(description="The job's last state.", examples=["succeeded"])
    reason: Reason | None = Field(description="Why it ended.", examples=["completed"])
    exit_code: int | None = Field(
        ge=0, le=255, description="The command's exit code, where there was one.", examples=[0]
    )


class LogEnd(End):
    """How a job ended: the last message of its followed logs, but for plain text."""

    dropped_bytes: DroppedBytes = Field(description="Bytes of the last attempt that were not kept.")
