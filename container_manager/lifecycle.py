"""The only writer of a job's state: one conditional UPDATE, with its event, in one transaction."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from container_manager import outbox, tallies
from container_manager.bell import bell, end_topic, job_topic, queue_topic
from container_manager.ledger import DatabaseLedger
from container_manager.models import Attempt, Job, JobCount, JobEvent
from container_manager.states import ACTIVE, TERMINAL, EventType, JobState, LaunchPath, Reason, sources_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt, or a job that never had one, ended."""

    state: JobState
    reason: Reason
    evidence: dict[str, Any] = field(default_factory=dict)
    exit_code: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    image_digest: str = ""
    usage: dict[str, Any] = field(default_factory=dict)
    pull_seconds: float | None = None


def stamp() -> Any:
    """Now, by one clock for all processes; for `updated_at`, call it inside the transaction.

    On PostgreSQL that is the server's. On SQLite all processes are on one host, and the lock is held already.
    """
    return Now() if connection.vendor == "postgresql" else timezone.now()


def claim(job: Job, owner: UUID) -> Job | None:
    """Take a queued job for its next attempt, and give it as it is now; None if it was not queued any more.

    The fence shuts out an old owner.
    """
    now, number = timezone.now(), job.attempt + 1
    columns = {"owner": owner, "fence": F("fence") + 1, "attempt": number, "launching_at": now, "not_before": None}
    with transaction.atomic():
        if not (claimed := _move(job.pk, JobState.LAUNCHING, columns, detail={"attempt": number})):
            return None
        queued = _seconds(job.queued_at, now)
        Attempt.objects.create(job=claimed, number=number, launching_at=now, queued_seconds=queued)
        return claimed


def start(
    job_id: UUID,
    *,
    fence: int,
    timeout_seconds: float,
    pull_seconds: float | None = None,
    path: LaunchPath | None = None,
    path_detail: str = "",
) -> datetime | None:
    """The engine has started the present attempt: returns its deadline, or None when the job is no longer ours.

    Said again, of an attempt that runs already, it returns the same deadline. `path` is the way that the launch took.
    """
    now = timezone.now()
    deadline = now + timedelta(seconds=timeout_seconds)
    with transaction.atomic():
        columns = {"started_at": now, "deadline": deadline, "stale_since": None}
        if not (job := _move(job_id, JobState.RUNNING, columns, fence=fence)):
            return _deadline_of_running(job_id, fence)
        Attempt.objects.filter(job_id=job_id, number=job.attempt).update(
            started_at=now,
            pull_seconds=pull_seconds,
            launch_seconds=_launch_seconds(job.launching_at or now, now, pull_seconds),
            launch_path=path or "",
            launch_path_detail=path_detail,
        )
        if path:
            tallies.add_launch(job.executor, path)
    return deadline


def is_owned(job_id: UUID, *, fence: int) -> bool:
    """Whether the present attempt is still the one that was claimed or taken over with this fence."""
    return Job.objects.filter(pk=job_id, fence=fence, state__in=ACTIVE).exists()


def pulls(job_id: UUID, *, fence: int) -> None:
    """The engine has begun to pull the image of the present attempt. It is no change of the job, and no event."""
    now = timezone.now()
    Attempt.objects.filter(
        job_id=job_id, job__fence=fence, job__state=JobState.LAUNCHING, finished_at=None, pulling_at=None
    ).update(pulling_at=now)


def end(
    job_id: UUID, outcome: Outcome, *, fence: int | None = None, sources: Collection[JobState] | None = None
) -> bool:
    """End the job and its present attempt, if it has not ended yet; says whether this call did."""
    finished_at = outcome.finished_at or timezone.now()
    columns = {
        "reason": outcome.reason,
        "evidence": outcome.evidence,
        "exit_code": outcome.exit_code,
        "finished_at": finished_at,
        "stale_since": None,
        "owner": None,
        "secrets": "",
        **_told_start(outcome),
    }
    with transaction.atomic():
        guard = {} if fence is None else {"fence": fence}
        ended = _move(job_id, outcome.state, columns, sources=sources, detail=outcome.evidence, **guard)
        if ended:
            _end_attempt(job_id, outcome, finished_at)
        return ended is not None


def retry(job_id: UUID, outcome: Outcome, *, fence: int, not_before: datetime) -> bool:
    """End the present attempt and queue the job again, not to be launched before a time, from which it may wait anew.

    A job whose end somebody has asked for is not queued again.
    """
    cleared = dict.fromkeys(("owner", "stale_since", "started_at", "launching_at", "deadline", "timed_out_at"))
    columns = {"not_before": not_before, "queued_at": timezone.now(), **cleared}
    detail = {"reason": outcome.reason, **outcome.evidence}
    with transaction.atomic():
        wait = Job.objects.values_list("request__queue_timeout_seconds", flat=True).get(pk=job_id)
        columns["queue_deadline"] = None if wait is None else not_before + timedelta(seconds=wait)
        moved = _move(job_id, JobState.QUEUED, columns, detail=detail, fence=fence, cancel_requested_at=None)
        if moved:
            _end_attempt(job_id, outcome, outcome.finished_at or timezone.now())
        return moved is not None


def record(job: Job, kind: EventType, detail: dict[str, Any] | None = None, *, watched: bool = False) -> None:
    """Write the event of a change that has just been made in this transaction, and tell who waits for it.

    `watched` says that there are webhooks in the job's namespace.
    """
    JobEvent.objects.create(
        job=job, seq=job.version, type=kind, state=job.state, reason=job.reason, detail=detail or {}
    )
    if kind == EventType.STATE:
        _count(job)
    if watched:
        outbox.post(job, detail or {})
    bell.ring(job_topic(job.pk))


@transaction.atomic
def mark(
    job_id: UUID,
    kind: EventType,
    detail: dict[str, Any] | None = None,
    *,
    states: Collection[JobState],
    fence: int | None = None,
    **columns: datetime,
) -> bool:
    """Set columns that are still empty, as one event; says whether they were. The state stays."""
    guard: dict[str, Any] = {f"{name}__isnull": True for name in columns}
    if fence is not None:
        guard["fence"] = fence
    if not Job.objects.filter(pk=job_id, state__in=states, **guard).update(**_changed(), **columns):
        return False
    record(Job.objects.get(pk=job_id), kind, detail)
    return True


@transaction.atomic
def note(rows: QuerySet[Job], **columns: Any) -> int:
    """Set columns whose change is no event, so that a list of what has changed shows the jobs all the same."""
    return rows.update(updated_at=stamp(), **columns)


@transaction.atomic
def attempt_cleaned(job_id: UUID, number: int, seconds: float | None = None) -> None:
    """Nothing of this attempt is left on the engine; nor of the job, when it has ended and this was the last.

    `seconds` is how long the removal took.
    """
    rows = Attempt.objects.filter(job_id=job_id, number=number, cleaned_at=None)
    rows.update(cleaned_at=timezone.now(), cleanup_seconds=seconds)
    _mark_cleaned(job_id)


def _move(
    job_id: UUID,
    to: JobState,
    columns: dict[str, Any],
    *,
    sources: Collection[JobState] | None = None,
    detail: dict[str, Any] | None = None,
    **guard: Any,
) -> Job | None:
    """Change the state if it still is one that may, and give the job as it is now. Call it inside a transaction.

    `sources` narrows the states that the table allows, and `guard` the rows, as in `filter`: the fence lets only the
    present owner write. What the job holds is released when it leaves the active states.
    """
    allowed = sources_of(to) & set(sources) if sources is not None else sources_of(to)
    rows = Job.objects.filter(pk=job_id, state__in=allowed, **guard)
    if not rows.update(state=to, **_changed(), **columns):
        return None
    job = outbox.with_watchers(Job.objects.all()).get(pk=job_id)
    if to not in ACTIVE and DatabaseLedger(job.executor).release(str(job_id)):
        bell.ring(queue_topic(job.executor))
    record(job, EventType.STATE, detail, watched=outbox.is_watched(job))
    if to in TERMINAL:
        bell.ring(end_topic(job_id))
    return job


def _changed() -> dict[str, Any]:
    return {"version": F("version") + 1, "updated_at": stamp()}


def _deadline_of_running(job_id: UUID, fence: int) -> datetime | None:
    return Job.objects.filter(pk=job_id, fence=fence, state=JobState.RUNNING).values_list("deadline", flat=True).first()


def _mark_cleaned(job_id: UUID) -> None:
    if not Attempt.objects.filter(job_id=job_id, cleaned_at=None).exists():
        mark(job_id, EventType.CLEANED, states=TERMINAL, cleaned_at=timezone.now())


def _end_attempt(job_id: UUID, outcome: Outcome, finished_at: datetime) -> None:
    attempt = Attempt.objects.filter(job_id=job_id, finished_at=None).first()
    if attempt:
        Attempt.objects.filter(pk=attempt.pk).update(
            finished_at=finished_at,
            reason=outcome.reason,
            evidence=outcome.evidence,
            exit_code=outcome.exit_code,
            image_digest=outcome.image_digest,
            **outcome.usage,
            **_told_start(outcome),
            **_phases(attempt, outcome, finished_at),
        )
    if attempt is None or attempt.cleaned_at:
        _mark_cleaned(job_id)


def _phases(attempt: Attempt, outcome: Outcome, finished_at: datetime) -> dict[str, float | None]:
    started_at = outcome.started_at or attempt.started_at
    pull = attempt.pull_seconds if outcome.pull_seconds is None else outcome.pull_seconds
    return {
        "pull_seconds": pull,
        "launch_seconds": _launch_seconds(attempt.launching_at, started_at or finished_at, pull),
        "run_seconds": _seconds(started_at, finished_at) if started_at else None,
    }


def _launch_seconds(since: datetime, until: datetime, pull_seconds: float | None) -> float:
    return max(_seconds(since, until) - (pull_seconds or 0), 0)


def _seconds(since: datetime, until: datetime) -> float:
    """Never less than 0: the clocks of engine and database may differ."""
    return max((until - since).total_seconds(), 0)


def _told_start(outcome: Outcome) -> dict[str, Any]:
    """The engine's word on when it started is better than ours, which is of when we knew."""
    return {"started_at": outcome.started_at} if outcome.started_at else {}


def _count(job: Job) -> None:
    key: dict[str, Any] = {
        "executor": job.executor,
        "namespace": job.namespace,
        "state": job.state,
        "reason": job.reason,
    }
    if not JobCount.objects.filter(**key).update(count=F("count") + 1):
        JobCount.objects.get_or_create(**key)
        JobCount.objects.filter(**key).update(count=F("count") + 1)
