"""Why a job waits, runs on or has ended: one answer of one shape, whatever the executor.

Nothing is found out here: it puts together what the books say, and says what can be done about it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from django.utils import timezone

from container_manager import breaker, turns
from container_manager.models import Attempt, Job, JobEvent
from container_manager.states import TERMINAL, JobState, Reason

HINTS: Mapping[str, str] = MappingProxyType(
    {
        "capacity": "It starts when jobs that hold the room end. Ask for less, or launch it on an executor with room.",
        "quota": "It starts when other jobs of the namespace end. Cancel one of them, or have the quota raised.",
        "queue": "It starts when its turn comes. A higher priority comes earlier.",
        "backoff": "Nothing needs to be done: the next attempt begins by itself. Its attempts say why it failed.",
        "breaker": "Launches go on by themselves once one succeeds. The operator can see what fails in the executor's "
        "health.",
        "executor": "Look at the executor's health; a dispatcher must run, and its engine must answer.",
        "launching": "Nothing needs to be done: the engine is starting it. A large image takes its time to be pulled.",
        "running": "Nothing needs to be done. Its logs can be followed.",
        "stopping": "Nothing needs to be done: it ends when it heeds SIGTERM, or by SIGKILL after its grace.",
        "stale": "The engine does not answer. Its operator has to bring it back; the job's fate is known then.",
        Reason.COMPLETED: "Nothing needs to be done.",
        Reason.EXIT_NONZERO: "The command itself reported failure: its last lines in the logs say more.",
        Reason.SIGNAL: "Something sent it this signal: a user of the engine's host, or the command itself.",
        Reason.OOM: "Give it a higher memory_mib, or have it use less: peak_memory_bytes is what it came to.",
        Reason.TIMEOUT: "Give it a higher timeout_seconds, or have it do less.",
        Reason.QUEUE_TIMEOUT: "Give it a longer queue_timeout_seconds or a higher priority, or launch it elsewhere.",
        Reason.CANCELLED: "Nothing needs to be done: somebody asked for its end. Launch it again if it is wanted.",
        Reason.IMAGE_NOT_FOUND: "Check the image's name and tag, and that it has been pushed or built.",
        Reason.IMAGE_AUTH: "Name credentials for this registry in registry_auth, or have the operator renew them.",
        Reason.IMAGE_PULL_FAILED: "Check that the engine reaches the registry, then launch it again.",
        Reason.COMMAND_NOT_FOUND: "Check the command's path, that it is in the image, and that it may be executed.",
        Reason.POLICY_DENIED: "The executor's config has changed since it was accepted. Dry-run the launch to see what "
        "is allowed now.",
        Reason.LAUNCH_REFUSED: "The engine cannot run it as it was asked for: change what its words name.",
        Reason.LAUNCH_ERROR: "Launch it again. If that fails too, the engine's words are for its operator.",
        Reason.ENGINE_LOST: "Launch it again, or let it be retried with max_retries. Somebody removed it from the "
        "engine, or the engine went down.",
    }
)
"""What can be done about it, for each reason and each code of a job that has not ended."""

_ENDED: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.COMPLETED: "It ended with exit code 0",
        Reason.EXIT_NONZERO: "The command ended with exit code {exit_code}",
        Reason.SIGNAL: "{signal} ended it",
        Reason.OOM: "The kernel killed it at its memory limit of {memory_mib} MiB",
        Reason.TIMEOUT: "It was stopped after its {timeout_seconds:.15g} seconds",
        Reason.QUEUE_TIMEOUT: "It was not launched within its {queue_timeout_seconds:.15g} seconds in the queue",
        Reason.CANCELLED: "Somebody asked for its end",
        Reason.IMAGE_NOT_FOUND: "There is no such image",
        Reason.IMAGE_AUTH: "The registry refused the credentials",
        Reason.IMAGE_PULL_FAILED: "The image could not be pulled",
        Reason.COMMAND_NOT_FOUND: "The command is not there or cannot be executed",
        Reason.POLICY_DENIED: "The executor's config no longer allows what was accepted",
        Reason.LAUNCH_REFUSED: "The engine refused the request",
        Reason.LAUNCH_ERROR: "The engine could not create or start it",
        Reason.ENGINE_LOST: "The engine answered that the execution is gone",
    }
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an explanation rests on; None is what has no part in it or is not known. Bounds are as they were asked."""

    exit_code: int | None = None
    signal: str | None = None
    possible_signal: str | None = None
    engine: str | None = None
    warning: str | None = None
    logs: str | None = None
    memory_mib: int | None = None
    peak_memory_bytes: int | None = None
    launch_path: str | None = None
    launch_path_detail: str | None = None
    timeout_seconds: float | None = None
    queue_timeout_seconds: float | None = None
    waited_seconds: float | None = None
    position: int | None = None
    short_of: dict[str, dict[str, float]] = field(default_factory=dict)
    breaker: dict[str, Any] | None = None
    backoff: dict[str, Any] | None = None
    cancel: dict[str, Any] | None = None
    stale_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """One phase of one attempt: when it began and how long it took, None while it goes on or was not seen."""

    phase: str
    at: datetime
    attempt: int
    seconds: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why, in one word and one sentence, with what it rests on, what led there, and what can be done."""

    code: str
    sentence: str
    hint: str
    evidence: Evidence
    timeline: tuple[Moment, ...]


def explain(job: Job) -> Explanation:
    """Say why the job waits, what it does, or why it ended."""
    attempts = list(job.attempts.order_by("number"))
    why = turns.why(job)
    if why is not None:
        code, sentence, evidence = why["code"], _as_sentence(why["detail"]), _of_waiting(job, attempts, why)
    elif job.state in TERMINAL:
        code, (sentence, evidence) = job.reason, _of_an_end(job, attempts)
    else:
        code, sentence, evidence = _of_activity(job, attempts)
    return Explanation(code, sentence, HINTS[code], evidence, tuple(_timeline(job, attempts)))


def _of_waiting(job: Job, attempts: list[Attempt], why: dict[str, Any]) -> Evidence:
    circuit = breaker.find(job.executor)
    is_open = why["code"] == "breaker"
    return Evidence(
        queue_timeout_seconds=job.request.get("queue_timeout_seconds"),
        waited_seconds=_seconds(job.queued_at, timezone.now()),
        position=why["position"],
        short_of={name: why[name] for name in ("memory_mib", "cpu_cores", "jobs") if name in why},
        breaker={**asdict(circuit), "causes": list(circuit.causes)} if is_open else None,
        backoff=_backoff(job, attempts),
        engine=attempts[-1].evidence.get("error") if attempts else None,
    )


def _backoff(job: Job, attempts: list[Attempt]) -> dict[str, Any] | None:
    if not (job.not_before and attempts):
        return None
    last = attempts[-1]
    left = max(job.max_retries + 1 - last.number, 0)
    return {"not_before": job.not_before, "attempt": last.number, "reason": last.reason, "attempts_left": left}


def _of_an_end(job: Job, attempts: list[Attempt]) -> tuple[str, Evidence]:
    reason, told = Reason(job.reason), job.evidence
    evidence = Evidence(
        exit_code=job.exit_code,
        signal=told.get("signal"),
        possible_signal=told.get("possible_signal"),
        engine=told.get("error"),
        warning=told.get("warning"),
        logs=told.get("logs"),
        memory_mib=job.memory_mib,
        peak_memory_bytes=attempts[-1].peak_memory_bytes if attempts else None,
        **_way(attempts),
        timeout_seconds=job.timeout_seconds,
        queue_timeout_seconds=job.request.get("queue_timeout_seconds"),
        waited_seconds=told.get("waited_seconds"),
        cancel=_cancel(job),
    )
    given = {name: "?" if value is None else value for name, value in asdict(evidence).items()}
    sentence = _ENDED[reason].format_map({**given, "queue_timeout_seconds": evidence.queue_timeout_seconds or 0})
    words = evidence.engine or evidence.warning
    return _as_sentence(f"{sentence}: {words}" if words else sentence), evidence


def _of_activity(job: Job, attempts: list[Attempt]) -> tuple[str, str, Evidence]:
    evidence = Evidence(
        memory_mib=job.memory_mib,
        **_way(attempts),
        timeout_seconds=job.timeout_seconds,
        cancel=_cancel(job),
        stale_since=job.stale_since,
    )
    for code, holds, sentence in _ACTIVITIES:
        if holds(job):
            return code, sentence, evidence
    raise AssertionError(job.state)


_ACTIVITIES: tuple[tuple[str, Callable[[Job], object], str], ...] = (
    ("stale", lambda job: job.stale_since, "The engine has not answered for it since, so nothing newer is known."),
    ("stopping", lambda job: job.cancel_requested_at, "Its end was asked for, and it is being stopped."),
    ("stopping", lambda job: job.timed_out_at, "Its time is over, and it is being stopped."),
    ("launching", lambda job: job.state == JobState.LAUNCHING, "The engine has been asked to run it."),
    ("running", lambda _: True, "It runs."),
)


def _way(attempts: list[Attempt]) -> dict[str, Any]:
    """Which way the last launch took, and why not a faster one."""
    names = ("launch_path", "launch_path_detail")
    return {name: getattr(attempts[-1], name) or None for name in names} if attempts else {}


def _cancel(job: Job) -> dict[str, Any] | None:
    """Who asked for the end, and when; None when nobody has."""
    asked = JobEvent.objects.filter(job=job, detail__has_key="cancelled_by").order_by("seq").first()
    if asked is None:
        at = job.cancel_requested_at or (job.finished_at if job.reason == Reason.CANCELLED else None)
        return {"at": at, "by": None} if at else None
    return {"at": asked.at, "by": asked.detail["cancelled_by"]}


def _timeline(job: Job, attempts: list[Attempt]) -> Iterator[Moment]:
    moments = [moment for attempt in attempts for moment in _of_attempt(attempt)]
    if job.launching_at is None:  # it waits, or has ended while it waited
        waited = _seconds(job.queued_at, job.finished_at) if job.finished_at else None
        moments.append(Moment("queued", job.queued_at, job.attempt + 1, waited))
        if job.finished_at:
            moments.append(Moment("ended", job.finished_at, job.attempt + 1, reason=job.reason))
    if job.cancel_requested_at:
        moments.append(Moment("cancel_requested", job.cancel_requested_at, job.attempt))
    if job.timed_out_at:
        moments.append(Moment("timed_out", job.timed_out_at, job.attempt))
    yield from sorted(moments, key=lambda moment: (moment.attempt, moment.at, _PHASES.index(moment.phase)))


_PHASES = ("queued", "pulling", "launching", "running", "timed_out", "cancel_requested", "ended", "cleanup")


def _of_attempt(attempt: Attempt) -> Iterator[Moment]:
    number, at = attempt.number, attempt.launching_at
    yield Moment("queued", at - timedelta(seconds=attempt.queued_seconds or 0), number, attempt.queued_seconds)
    if attempt.pull_seconds is not None:
        yield Moment("pulling", at, number, attempt.pull_seconds)
        at += timedelta(seconds=attempt.pull_seconds)
    yield Moment("launching", at, number, attempt.launch_seconds)
    if attempt.started_at:
        yield Moment("running", max(attempt.started_at, at), number, attempt.run_seconds)
    if attempt.finished_at:
        yield Moment("ended", attempt.finished_at, number, reason=attempt.reason)
        yield Moment("cleanup", attempt.finished_at, number, attempt.cleanup_seconds)


def _seconds(since: datetime, until: datetime) -> float:
    return round(max((until - since).total_seconds(), 0), 3)


def _as_sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
