"""Engine against books: what runs that nobody owns, and what should run that is gone."""

import logging
import time
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Q
from django.utils import timezone

from container_manager import tallies
from container_manager.executors.base import ContainerExecutor
from container_manager.models import Attempt, DriftReport, Job
from container_manager.spans import span
from container_manager.spec import parse_execution_id
from container_manager.states import ExecutionStatus, JobState
from container_manager.tallies import Removed

logger = logging.getLogger(__name__)

_SHOWN = 100
_BATCH = 500


class Cause(StrEnum):
    """Why nobody owns an execution."""

    UNKNOWN_ATTEMPT = "unknown_attempt"  # the books have no such attempt, or no longer
    ATTEMPT_CLEANED = "attempt_cleaned"  # it came, or came back, after its attempt had been cleaned


@dataclass(frozen=True, slots=True)
class Unowned:
    """An execution of ours that no attempt stands for."""

    execution_id: str
    status: ExecutionStatus
    cause: Cause


@dataclass(frozen=True, slots=True)
class Missing:
    """A running attempt without an execution."""

    execution_id: str
    job_id: str


@dataclass(frozen=True, slots=True)
class Drift:
    """How an engine and the books differed at a time. An attempt that has ended and is not cleaned yet is no drift."""

    at: datetime
    unowned: tuple[Unowned, ...]
    missing: tuple[Missing, ...]


def compare(executor: ContainerExecutor) -> Drift:
    """Ask the engine, then read the books. Raises EngineUnavailable, or Unsupported."""
    at = timezone.now()
    # In this order: an execution is booked before it is made, so the books know whatever the engine has listed.
    listed = {ref.execution_id: ref.status for ref in executor.list_executions()}
    ours = [execution_id for execution_id in listed if parse_execution_id(execution_id)]
    unowned = (Unowned(execution_id, listed[execution_id], cause) for execution_id, cause in _unowned(ours, at))
    there = [execution_id for execution_id, status in listed.items() if status != ExecutionStatus.NOT_FOUND]
    return Drift(at, tuple(unowned), tuple(_missing(executor.name, there, at)))


def reap(executor: ContainerExecutor, drift: Drift, seconds: float) -> Iterator[Unowned]:
    """Remove what nobody owns, and yield each that is gone; what is left after so long is for the next time.

    Raises EngineUnavailable.
    """
    give_up = time.monotonic() + seconds
    for one in drift.unowned:
        with span("reap", executor.name, one.execution_id):
            gone = executor.cleanup(one.execution_id)
        if gone:
            logger.warning("execution reaped", extra={"execution_id": one.execution_id, "cause": one.cause})
            tallies.add(executor.name, Removed.EXECUTIONS)
            yield one
        if time.monotonic() > give_up:
            return


def take_turn(executor: str, seconds: float) -> bool:
    """Whether to compare now: once in so long, however many dispatchers there are."""
    now = timezone.now()
    DriftReport.objects.get_or_create(executor=executor)
    due = Q(turn_taken_at=None) | Q(turn_taken_at__lt=now - timedelta(seconds=seconds))
    return DriftReport.objects.filter(due, executor=executor).update(turn_taken_at=now) == 1


def publish(executor: str, drift: Drift) -> None:
    """Write down what was found, up to a bound, for every process to read."""
    DriftReport.objects.update_or_create(
        executor=executor,
        defaults={
            "checked_at": drift.at,
            "unowned_count": len(drift.unowned),
            "missing_count": len(drift.missing),
            "unowned": [asdict(one) for one in drift.unowned[:_SHOWN]],
            "missing": [asdict(one) for one in drift.missing[:_SHOWN]],
        },
    )


def _unowned(execution_ids: list[str], at: datetime) -> Iterator[tuple[str, Cause]]:
    for start in range(0, len(execution_ids), _BATCH):
        batch = execution_ids[start : start + _BATCH]
        cleaned = _cleaned_at(batch)
        for execution_id in batch:
            if execution_id not in cleaned:
                yield execution_id, Cause.UNKNOWN_ATTEMPT
            # What is cleaned after the listing began may have been listed just before.
            elif (done := cleaned[execution_id]) and done < at:
                yield execution_id, Cause.ATTEMPT_CLEANED


def _cleaned_at(execution_ids: Collection[str]) -> dict[str, datetime | None]:
    """When each attempt of these jobs was cleaned, by its execution's name."""
    jobs = {parsed[0] for execution_id in execution_ids if (parsed := parse_execution_id(execution_id))}
    attempts = Attempt.objects.filter(job_id__in=jobs).only("job_id", "number", "cleaned_at")
    return {str(attempt): attempt.cleaned_at for attempt in attempts}


def _missing(executor: str, listed: Collection[str], at: datetime) -> Iterator[Missing]:
    running = Job.active().filter(executor=executor, state=JobState.RUNNING, started_at__lt=at)
    for job in running.only("id", "attempt"):
        if job.execution_id not in listed:
            yield Missing(job.execution_id, str(job.pk))
