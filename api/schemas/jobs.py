"""Answers about jobs."""

from typing import Any, Literal
from uuid import UUID

from pydantic import Field, RootModel

from api.schemas.base import Answer, Time
from api.schemas.executors import Capabilities, Limits
from container_manager.spec import JobRequest
from container_manager.states import JobState, Reason


class Usage(Answer):
    """What an execution used. A figure that cannot be had is null, never 0."""

    peak_memory_bytes: int | None = Field(description="Most memory held at once, in bytes, page cache included.")
    cpu_user_seconds: float | None = Field(description="Cpu time in user mode, in seconds.")
    cpu_system_seconds: float | None = Field(description="Cpu time in the kernel, in seconds.")
    io_read_bytes: int | None = Field(description="Bytes read from block devices.")
    io_write_bytes: int | None = Field(description="Bytes that were written to block devices by its end.")


class Phases(Answer):
    """How long each part of an attempt took, in seconds; null where it has not happened or was not seen."""

    queued_seconds: float | None = Field(description="In the queue, a retry's backoff included.")
    pull_seconds: float | None = Field(description="Pulling the image; null when it was there.")
    launch_seconds: float | None = Field(description="From leaving the queue to the start, without the pull.")
    run_seconds: float | None = Field(description="From the start to the end, by the engine's clock.")
    cleanup_seconds: float | None = Field(description="Removing what it left on the engine.")


class Attempt(Answer):
    """One launch of a job. Kept when the job is launched again."""

    number: int = Field(description="1 for the first launch.", examples=[1])
    launching_at: Time = Field(description="When the engine was asked.")
    pulling_at: Time | None = Field(description="When it began to pull the image; null when it was there.")
    started_at: Time | None = Field(description="When the engine said that it started.")
    finished_at: Time | None = Field(description="When it ended.")
    reason: Reason | None = Field(description="Why it ended; null until then.")
    evidence: dict[str, Any] = Field(description="What the reason rests on: exit code, signal, limit and value.")
    exit_code: int | None = Field(description="The command's exit code, where there was one.", examples=[0])
    image_digest: str | None = Field(description="Digest of the image that ran.")
    usage: Usage = Field(description="What it used.")
    phases: Phases = Field(description="How long each part of it took.")
    cleaned_at: Time | None = Field(description="Since when nothing of it is left on the engine.")


class Shortage(Answer):
    """How much of something a job asks for, and how much of it is free."""

    asked: float = Field(description="What the job asks for.", examples=[512])
    free: float = Field(description="What the executor or the quota has left now.", examples=[256])


class Waiting(Answer):
    """Why a queued job has not been launched yet."""

    code: str = Field(
        description="`capacity` (the executor's), `quota` (the namespace's), `queue` (others are first), `backoff` "
        "(a retry), `breaker` (too many launches failed) or `executor` (it is not healthy, or not looked after).",
        examples=["capacity"],
    )
    detail: str = Field(description="The same as a sentence.", examples=["the executor has no room for it now"])
    position: int = Field(
        ge=1,
        description="Its place in the executor's queue, fair shares between namespaces counted; 1 is next.",
        examples=[1],
    )
    memory_mib: Shortage | None = Field(description="Memory that it waits for, in MiB; null if that is not why.")
    cpu_cores: Shortage | None = Field(description="Cpu that it waits for, in cores; null if that is not why.")
    jobs: Shortage | None = Field(description="A slot that it waits for; null if that is not why.")


class Links(Answer):
    """Where to go on from here."""

    self: str = Field(description="The job's status.", examples=["/api/v1/jobs/0193a1c2-5b7e-7c11-9d43-0a1b2c3d4e5f"])
    logs: str = Field(description="What it writes.")
    events: str = Field(description="Its history.")
    cancel: str = Field(description="POST here to end it.")


class Job(Answer):
    """A job: what was asked for, how it is doing, and why it ended."""

    id: UUID = Field(description="The job's id. Ids sort by the time of the launch request.")
    executor: str = Field(description="The executor it runs on.", examples=["docker"])
    namespace: str = Field(description="The tenant it belongs to.", examples=["default"])
    state: JobState = Field(description="How it is doing. The last three are ends: nothing follows them.")
    version: int = Field(description="Counts the job's changes; also the `seq` of its last event.", examples=[3])
    reason: Reason | None = Field(description="Why it ended; null until then.")
    evidence: dict[str, Any] = Field(description="What the reason rests on: exit code, signal, limit and value.")
    exit_code: int | None = Field(description="The command's exit code, where there was one.", examples=[0])
    attempt: int = Field(description="Number of the present launch; 0 before the first.", examples=[1])
    attempts: list[Attempt] = Field(description="Every launch so far, in order.")
    labels: dict[str, str] = Field(description="The labels it was launched with.", examples=[{"team": "a"}])
    request: JobRequest = Field(description="What was asked for: the fields that were given, as they were given.")
    memory_mib: int = Field(description="Memory limit in MiB: reserved and enforced.", examples=[256])
    cpu_cores: float = Field(description="Cpu limit in cores: reserved and enforced.", examples=[1.0])
    timeout_seconds: float = Field(description="Longest wall time of an attempt, in seconds.", examples=[300])
    priority: int = Field(description="Higher is launched earlier.", examples=[0])
    created_at: Time = Field(description="When the launch request was accepted.")
    queued_at: Time = Field(description="Since when it waits, or last waited, in the queue.")
    launching_at: Time | None = Field(description="When the engine was asked to run the present attempt.")
    started_at: Time | None = Field(description="When the present attempt started.")
    finished_at: Time | None = Field(description="When the job ended.")
    cleaned_at: Time | None = Field(description="Since when nothing of it is left on the engine.")
    logs_deleted_at: Time | None = Field(description="Since when its logs are gone: they were past their retention.")
    cancel_requested_at: Time | None = Field(description="When somebody asked for its end.")
    not_before: Time | None = Field(description="When a retry may be launched at the earliest.")
    stale_since: Time | None = Field(description="Since when the engine has not answered for it; null while it does.")
    waiting: Waiting | None = Field(description="Why it waits; null unless it is queued, and in lists.")
    usage: Usage | None = Field(description="What the last attempt used; null before the first.")
    image_digest: str | None = Field(description="Digest of the image that the last attempt ran.")
    links: Links = Field(description="Where to go on from here.")


class BreakerEvidence(Answer):
    """The circuit breaker that holds launches back."""

    state: str = Field(description="`open` or `half-open`.", examples=["open"])
    failures: int = Field(ge=0, description="Launches that failed in a row.", examples=[3])
    causes: list[str] = Field(description="What they failed with, a word each.", examples=[["launch_error"]])
    until: Time | None = Field(description="When the next launch is let through to try.")


class BackoffEvidence(Answer):
    """The attempt that failed, and when the next one may begin."""

    not_before: Time = Field(description="When the next attempt may begin at the earliest.")
    attempt: int = Field(ge=1, description="The attempt that failed.", examples=[1])
    reason: Reason = Field(description="Why it failed.")
    attempts_left: int = Field(ge=0, description="How many more there may be.", examples=[2])


class CancelEvidence(Answer):
    """Who asked for the job's end."""

    at: Time = Field(description="When.")
    by: str | None = Field(description="Id and name of the token that asked; null if it is not known.")


class ExplainEvidence(Answer):
    """What an explanation rests on. What has no part in it, or is not known, is null."""

    exit_code: int | None = Field(description="The command's exit code.", examples=[3])
    signal: str | None = Field(description="The signal that is known to have ended it.", examples=["SIGKILL"])
    possible_signal: str | None = Field(description="The signal that its exit code may stand for.")
    engine: str | None = Field(description="What the engine, or the registry, said.")
    warning: str | None = Field(description="What went wrong although the job succeeded.")
    logs: str | None = Field(description="`incomplete` when not all that it wrote could be kept.")
    memory_mib: int | None = Field(description="Its memory limit in MiB.", examples=[256])
    peak_memory_bytes: int | None = Field(description="Most memory that it held at once, in bytes.")
    timeout_seconds: float | None = Field(description="Its longest wall time in seconds.", examples=[300])
    queue_timeout_seconds: float | None = Field(description="How long it may wait to be launched, in seconds.")
    waited_seconds: float | None = Field(description="How long it has waited, in seconds.")
    position: int | None = Field(description="Its place in the executor's queue; 1 is next.", examples=[1])
    short_of: dict[Literal["memory_mib", "cpu_cores", "jobs"], Shortage] = Field(
        description="What it waits for, by name: how much it asks for, and how much is free."
    )
    breaker: BreakerEvidence | None = Field(description="Why launches pause.")
    backoff: BackoffEvidence | None = Field(description="Which attempt failed, and when the next one begins.")
    cancel: CancelEvidence | None = Field(description="Who asked for its end.")
    stale_since: Time | None = Field(description="Since when the engine has not answered for it.")


class Moment(Answer):
    """One phase of one attempt."""

    phase: Literal["queued", "pulling", "launching", "running", "timed_out", "cancel_requested", "ended", "cleanup"] = (
        Field(description="What it was.")
    )
    at: Time = Field(description="When it began.")
    attempt: int = Field(ge=1, description="Which launch of the job it was part of, or before.", examples=[1])
    seconds: float | None = Field(description="How long it took; null while it goes on, or if it is a moment.")
    reason: Reason | None = Field(description="With `ended`: why.")


class Explanation(Answer):
    """Why a job waits, what it does, or why it ended."""

    job: UUID = Field(description="The job.")
    executor: str = Field(description="The executor it runs on.", examples=["docker"])
    state: JobState = Field(description="How it is doing.")
    code: str = Field(
        description="Why, as one word: the `code` of `waiting`, `launching`, `running`, `stopping` or `stale`, or the "
        "`reason` of its end.",
        examples=["oom"],
    )
    sentence: str = Field(description="The same as a sentence.")
    hint: str = Field(description="What can be done about it.")
    evidence: ExplainEvidence
    timeline: list[Moment] = Field(description="Every phase of every attempt, in order.")


class NamespaceQuota(Answer):
    """What the namespace may hold on all executors together; null is unlimited."""

    max_jobs: int | None = Field(description="Jobs that may run at once.")
    max_memory_mib: int | None = Field(description="Memory of all its jobs together, in MiB.")
    max_cpu_cores: float | None = Field(description="Cpu of all its jobs together, in cores.")
    max_queued: int | None = Field(description="Jobs that may wait.")


class DryRun(Answer):
    """What a launch would do. Stars stand for the values of `env` and for `stdin`."""

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
    engine_request: dict[str, Any] | None = Field(
        description="What the engine would be asked, in its own terms; null where the executor does not tell. On "
        "docker the body of its create request, on process the command line with its surroundings."
    )


class JobOrDryRun(RootModel[Job | DryRun]):
    """The job at its end, or with `dry_run` what a launch would do."""


class JobPage(Answer):
    """Some jobs, newest first; with `updated_since` by their last change, oldest first."""

    results: list[Job] = Field(description="The jobs of this page.")
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null on the last.")
    watermark: Time | None = Field(
        description="With `updated_since`: on the last page, give it as the next `updated_since` to read on without "
        "loss. What has changed a moment ago may be behind it, and comes then. Else null."
    )


class Event(Answer):
    """One thing that happened to a job."""

    seq: int = Field(ge=1, description="Counts the job's events without a gap.", examples=[1])
    at: Time = Field(description="When it happened.")
    type: str = Field(description="`state` for a change of state, else what happened.", examples=["state"])
    state: JobState = Field(description="The job's state after it.")
    reason: Reason | None = Field(description="Why the job ended; null before its end.")
    detail: dict[str, Any] = Field(description="What is known about it besides.")


class EventPage(Answer):
    """A job's history, or some of it, in order."""

    results: list[Event] = Field(description="The events after `after`.")
    last_seq: int = Field(description="Give it as `after` to go on from here.", examples=[3])


class LogLine(Answer):
    """One line of one stream: `text` if it is UTF-8, else `data_base64`; the other of the two is null."""

    seq: int = Field(ge=0, description="Counts the attempt's lines of both streams in the order they came.")
    stream: str = Field(description="`stdout` or `stderr`.", examples=["stdout"])
    at: Time = Field(description="When the engine took it.")
    text: str | None = Field(description="The line without its newline.", examples=["hello"])
    data_base64: str | None = Field(description="Bytes that are not UTF-8.")
    partial: bool = Field(description="Whether no newline ends it: what follows in its stream is the same line.")


class LogPage(Answer):
    """Some lines of what an attempt has written."""

    attempt: int = Field(description="The attempt that wrote them; 0 when the job was never launched.", examples=[1])
    lines: list[LogLine] = Field(description="The lines, in order.")
    next_cursor: str = Field(description="Give it as `cursor` to go on from here.", examples=["1.68-0"])
    complete: bool = Field(description="Whether nothing will follow.")
    truncated: bool = Field(description="Whether the log was larger than what is kept of it.")
    dropped_bytes: dict[str, int] = Field(description="Bytes by stream that were not kept.", examples=[{}])


class End(Answer):
    """How a job ended: the last message of every followed stream."""

    state: JobState = Field(description="The job's last state.")
    reason: Reason | None = Field(description="Why it ended.")
    exit_code: int | None = Field(description="The command's exit code, where there was one.")
